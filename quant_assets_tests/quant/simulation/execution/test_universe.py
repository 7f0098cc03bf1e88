"""Backtests of members only: trades by hand, both forms, and what a strategy cannot know."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from quant_assets import backtest
from quant_assets.core.errors import DataError
from quant_assets.quant.leaks.strategies import check_strategy
from quant_assets.quant.market.membership import Membership, PanelUniverse
from quant_assets.quant.simulation.execution.defaults import frictionless
from quant_assets.quant.strategies.base import BarStrategy, VectorStrategy
from quant_assets.quant.strategies.classic.buy_and_hold import BuyAndHold
from quant_assets.quant.strategies.modern.cross_sectional_momentum import CrossSectionalMomentum
from quant_assets.quant.strategies.orders import Order
from quant_assets.quant.strategies.signals import Signals
from quant_assets_tests.quant.simulation.execution.hand_runs import (
    Places,
    Told,
    at,
    daily,
    flat_bars,
    hand_bars,
    place,
    tell,
)

NAN = float("nan")


def day(n):
    return pd.Timestamp(f"2024-01-{n:02d}", tz="UTC")


def span(symbol, first, last=None):
    """Member at the decisions of bars first to last, both counted from 0 and included.

    The decision of bar t is taken as it ends, at the start of day t + 2 of January.
    """
    left = pd.NaT if last is None else day(last + 3)
    return {"symbol": symbol, "entered": day(first + 2), "left": left}


def members(*spans, **more):
    return Membership.from_frame(pd.DataFrame(list(spans)), **more)


def told(result):
    trades = result.trades
    rows = zip(trades.symbol, trades.entry_ts, trades.exit_ts, trades.exit_reason, strict=True)
    return [(s, e.day, None if pd.isna(x) else x.day, why) for s, e, x, why in rows]


def rising(n=10, symbols=2):
    """Closes of symbol s rise by s + 1 a day from 100 on."""
    return daily({"close": 100.0 + np.arange(n)[:, None] * (1.0 + np.arange(symbols))})


def test_entries_of_others_are_refused_and_what_left_is_closed_at_the_next_fill():
    """A is asked for at bars 0 and 2 and is a member from 2 to 5: in on day 4, out on day 8."""
    bars = rising()
    result = tell(
        bars, Signals(entry_long=at(bars, 0, 2, column=0)), universe=members(span("A", 2, 5))
    )
    assert told(result) == [("A", 4, 8, "left_universe")]
    assert result.trades.pnl.tolist() == [10.0 * 4]
    vetoes = result.vetoes
    assert vetoes[["symbol", "rule", "after"]].to_numpy().tolist() == [["A", "universe", 0.0]]
    assert vetoes.ts.tolist() == [day(1)]
    last = result.orders.iloc[-1]
    assert (last.reason, last.decided_ts, last.finished_ts) == ("left_universe", day(7), day(8))
    assert result.kernel == "events"


def test_a_universe_of_the_bars_or_of_the_call_is_the_same():
    bars, who = rising(), members(span("A", 2, 5), span("B", 0))
    signals = Signals(entry_long=at(bars, 0, 2, 4))
    run = tell(bars, signals, universe=who)
    assert tell(bars.with_universe(who), signals).hash() == run.hash()
    assert tell(bars, signals).hash() != run.hash()
    everybody = tell(bars, signals, universe=members(span("A", -1), span("B", -1)))
    assert everybody.hash() == tell(bars, signals).hash()
    assert tell(bars, signals).kernel == "lean"


def test_what_is_kept_may_be_closed_but_not_added_to():
    bars, who = rising(), members(span("A", 0, 3), on_exit="keep")
    result = tell(bars, Signals(entry_long=at(bars, 0, 4, column=0)), universe=who)
    assert told(result) == [("A", 2, None, "open")]
    exits = at(bars, 6, column=0)
    result = tell(bars, Signals(entry_long=at(bars, 0, column=0), exit_long=exits), universe=who)
    assert told(result) == [("A", 2, 8, "exit_signal")]
    target = np.full(bars.close.shape, NAN)
    target[[0, 4, 6], 0] = [0.5, 0.9, 0.2]
    result = tell(bars, Signals(target=target), universe=who)
    assert result.fills.reason.tolist() == ["target_weight"] * 2
    assert (np.sign(result.fills.quantity) == [1.0, -1.0]).all()
    assert result.vetoes.rule.tolist() == ["universe"]


def test_a_weight_of_a_symbol_that_left_is_refused_and_its_position_closed_once():
    bars = rising()
    target = np.full(bars.close.shape, 0.4)
    result = tell(bars, Signals(target=target), universe=members(span("A", 0, 3), span("B", 0)))
    assert ("A", 2, 6, "left_universe") in told(result)
    assert set(result.vetoes[result.vetoes.rule == "universe"].symbol) == {"A"}
    assert result.orders[result.orders.reason == "left_universe"].shape[0] == 1


def test_resting_orders_of_a_symbol_that_left_are_cancelled():
    """The limit at 95 would fill at the low of day 4; A leaves with the decision of day 3."""
    bars = hand_bars(
        (100, 101, 99, 100), (100, 101, 99, 100), (100, 101, 99, 100), (100, 101, 90, 95)
    )
    order = Order(symbol="A", quantity=10.0, kind="limit", limit=95.0)
    assert len(place(bars, {0: [order]}).fills) == 1
    for rule in ("close", "keep"):
        result = place(bars, {0: [order]}, universe=members(span("A", 0, 1), on_exit=rule))
        (gone,) = result.orders.itertuples()
        assert (gone.status, gone.cancelled_by) == ("cancelled", "universe")
        assert gone.finished_ts == day(3)


def test_where_positions_are_kept_an_order_against_one_only_reduces_it():
    """Held are 10 of A; a limit to sell 25 is open when A leaves: 10 are sold, none is short."""
    quiet = (100, 101, 99, 100)
    bars = hand_bars(quiet, quiet, quiet, quiet, (100, 111, 99, 110))
    buy = Order(symbol="A", quantity=10.0)
    sell = Order(symbol="A", quantity=-25.0, kind="limit", limit=110.0)
    orders = {0: [buy], 1: [sell]}
    assert place(bars, orders).fills.quantity.tolist() == [10.0, -10.0, -15.0]
    kept = place(bars, orders, universe=members(span("A", 0, 2), on_exit="keep"))
    assert kept.fills.quantity.tolist() == [10.0, -10.0]
    closed = place(bars, orders, universe=members(span("A", 0, 2)))
    assert closed.fills.reason.tolist() == ["order", "left_universe"]


def test_with_latency_a_cancel_takes_as_long_as_an_order():
    """Known on day 3 and two bars late, the cancel comes after the fill of day 4."""
    bars = hand_bars(*[(100, 101, 99, 100)] * 3, (100, 101, 90, 95), *[(95, 96, 94, 95)] * 4)
    terms = frictionless(bars)
    terms = terms._replace(fills=terms.fills._replace(latency=2))
    order = Order(symbol="A", quantity=10.0, kind="limit", limit=95.0)
    result = place(bars, {0: [order]}, terms=terms, universe=members(span("A", 0, 1)))
    assert told(result) == [("A", 4, 7, "left_universe")]


def test_orders_of_a_strategy_that_places_them_are_refused_too():
    bars = flat_bars(6, symbols=2)
    orders = {1: [Order(symbol="A", quantity=5.0), Order(symbol="B", quantity=5.0)]}
    result = place(bars, orders, universe=members(span("B", 0)))
    assert result.fills.symbol.tolist() == ["B"]
    assert result.vetoes[["symbol", "rule"]].to_numpy().tolist() == [["A", "universe"]]


def test_equal_parts_are_those_of_the_members_of_the_decision():
    """Two members of four symbols at bar 0: half of equity in each, not a quarter."""
    bars = flat_bars(6, symbols=4)
    run = backtest(
        BuyAndHold(), bars, frictionless(bars), universe=members(span("B", 0), span("D", 0))
    )
    assert run.fills.groupby("symbol").quantity.sum().tolist() == [500.0, 500.0]


@dataclass(frozen=True, kw_only=True)
class Sees(BarStrategy):
    """Writes down who is a member, and buys them."""

    name = "sees"
    seen: list

    def on_bar(self, window, account):
        self.seen.append((window.universe, window["member"].shape, window.members.tolist()))
        return Signals.row(entry_long=window.members)


def test_a_window_shows_the_members_up_to_its_bar():
    bars, seen = flat_bars(4, symbols=2), []
    run = backtest(Sees(seen=seen), bars, universe=members(span("A", 1), span("B", 0, 1)))
    assert [who for who, _, _ in seen] == [("B",), ("A", "B"), ("A",), ("A",)]
    assert [shape for _, shape, _ in seen] == [(t + 1, 2) for t in range(4)]
    assert run.vetoes[run.vetoes.rule == "universe"].empty
    plain = []
    with pytest.raises(DataError, match="the window has no 'member'"):
        backtest(Sees(seen=plain), bars)


def noisy(n, symbols, seed=0):
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.02, (n, symbols)), axis=0))
    return daily({"close": close})


def changing(bars, seed=0, on_exit="close"):
    """Members that change now and then."""
    rng = np.random.default_rng(seed)
    flips = rng.random(bars.close.shape) < 0.03
    start = rng.random(len(bars.symbols)) < 0.5
    return PanelUniverse((start + flips.cumsum(axis=0)) % 2 == 1, on_exit)


MOMENTUM = CrossSectionalMomentum(lookback=20, skip=2, share=0.4)


def test_ranks_are_those_of_the_members_alone():
    """With constant members, as if the bars had no other symbols: the same equity, bit for bit."""
    bars = noisy(200, 6)
    only = np.broadcast_to(np.array([1, 0, 1, 1, 0, 0], dtype=np.bool_), bars.close.shape)
    run = backtest(MOMENTUM, bars, universe=PanelUniverse(only))
    alone = backtest(MOMENTUM, bars.select(["A", "C", "D"]))
    assert np.array_equal(run.equity_values, alone.equity_values)
    assert run.vetoes[run.vetoes.rule == "universe"].empty
    assert set(run.trades.symbol) == {"A", "C", "D"}


@pytest.mark.slow
def test_both_forms_give_the_same_trades_with_a_changing_universe():
    bars = noisy(150, 5)
    for rule in ("close", "keep"):
        whole = bars.with_universe(changing(bars, on_exit=rule))
        one, other = (backtest(MOMENTUM, whole, form=form) for form in ("vector", "bar"))
        assert one.hash() == other.hash()
        assert (one.orders.reason == "left_universe").any() == (rule == "close")


@pytest.mark.slow
def test_the_order_of_symbols_means_nothing():
    bars = noisy(120, 5, seed=3)
    bars = bars.with_universe(changing(bars, 3))
    run = backtest(MOMENTUM, bars)
    again = backtest(MOMENTUM, bars.select(["D", "B", "E", "A", "C"]))
    assert again.hash() == run.hash()


@pytest.mark.slow
def test_later_bars_and_later_members_change_nothing_before():
    bars = noisy(160, 5, seed=4)
    whole = bars.with_universe(changing(bars, 4))
    run = backtest(MOMENTUM, whole)
    members = np.array(whole.members)
    members[90:] = ~members[90:]
    other = backtest(MOMENTUM, bars.with_universe(PanelUniverse(members)))
    cut = backtest(MOMENTUM, whole.rows(slice(0, 90)))
    assert np.array_equal(other.equity_values[:90], run.equity_values[:90])
    assert np.array_equal(cut.equity_values, run.equity_values[:90])
    assert not np.array_equal(other.equity_values, run.equity_values)


@pytest.mark.slow
def test_a_run_in_windows_is_one_run():
    bars = noisy(120, 4, seed=5)
    whole, signals = bars.with_universe(changing(bars, 5)), at(bars, *range(0, 120, 4))
    run = backtest(Told(decisions=Signals(entry_long=signals)), whole)
    carried, parts = None, []
    for first, last in ((0, 50), (50, 51), (51, 120)):
        part = Told(decisions=Signals(entry_long=signals[:last]))
        one = backtest(part, whole.rows(slice(0, last)), carried=carried)
        carried = one.carried()
        parts.append(one.equity_values)
        assert len(one.equity_values) == last - first
    assert np.array_equal(np.concatenate(parts), run.equity_values)


@dataclass(frozen=True, kw_only=True)
class MembersOf(VectorStrategy):
    """Holds members: those of each row, or, applied to the past, those of the last one."""

    name = "members_of"
    today: bool = False
    warm_up = 5

    def signals(self, bars):
        who = np.broadcast_to(bars.members[-1], bars.close.shape) if self.today else bars.members
        return Signals(entry_long=who & (bars.close > 0.0), exit_long=~who)


@pytest.mark.slow
def test_members_of_today_in_the_past_are_found_by_the_leak_check():
    bars = noisy(400, 5, seed=6)
    bars = bars.with_universe(changing(bars, 6))
    assert check_strategy(MembersOf(), bars).trusted
    report = check_strategy(MembersOf(today=True), bars)
    assert not report.trusted
    assert report.leaks
    assert check_strategy(MOMENTUM, bars).trusted


def test_members_of_today_cannot_be_given_for_the_past():
    """A snapshot serves what comes after it; spans of today's members are told by their doubts."""
    bars = rising()
    today = pd.DataFrame({"symbol": ["A", "B"], "decided_at": day(9)})
    run = backtest(BuyAndHold(), bars, universe=today)
    assert run.fills.ts.min() > day(9)
    assert any("nobody is a member before 2024-01-09" in line for line in run.doubts)
    assert any("UNIVERSE" in line for line in backtest(Places(orders={}), ended()).doubts)


def ended():
    bars = noisy(40, 2)
    close = np.array(bars.close)
    close[20:, 0] = NAN
    return daily({"close": close})
