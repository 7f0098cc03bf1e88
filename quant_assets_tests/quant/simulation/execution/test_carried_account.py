"""A run that is cut into windows gives what one run gives, bit for bit."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from quant_assets import backtest
from quant_assets.core.errors import DataError
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.simulation.execution.defaults import frictionless
from quant_assets.quant.strategies.orders import Order
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.signals import Signals
from quant_assets_tests.quant.simulation.execution.hand_runs import (
    Places,
    Told,
    at,
    daily,
    exits,
    flat_bars,
    tell,
    units,
)
from quant_assets_tests.quant.simulation.execution.random_runs import _mapped, random_run

LEAD = 25


def windows(run, cuts):
    """Results of consecutive windows, each with bars before it to warm up."""
    found, carried, terms = [], None, run.terms
    for first, last in zip([0, *cuts], [*cuts, len(run.bars)], strict=True):
        rows = slice(max(0, first - LEAD), last)
        bars = run.bars.rows(rows)
        cut = replace(run, bars=bars)
        carry, fx, detail = terms.carry, terms.instruments.fx, terms.detail
        kept = (carry.funding_bar >= rows.start) & (carry.funding_bar < last)
        events = {
            f"funding_{name}": getattr(carry, f"funding_{name}")[kept]
            for name in ("bar", "due", "symbol", "rate", "mark")
        }
        events["funding_bar"] = events["funding_bar"] - rows.start
        part = terms._replace(
            carry=carry._replace(days=carry.days[rows], **events),
            instruments=terms.instruments._replace(fx=fx[rows] if len(fx) > 1 else fx),
            detail=detail._replace(first=detail.first[rows.start : last + 1]),
        )
        told = Told(
            decisions=_mapped(run.signals, lambda values, rows=rows: values[rows].copy()),
            goes_with=run.plan,
        )
        found.append(backtest(told, cut.bars, part, start=run.bars.ts[first], carried=carried))
        carried = found[-1].carried()
    return found


def compare(seed, cuts):
    run = random_run(seed, n_bars=80)
    whole = backtest(Told(decisions=run.signals, goes_with=run.plan), run.bars, run.terms)
    parts = windows(run, cuts)
    joined = pd.concat([part.equity for part in parts])
    pd.testing.assert_frame_equal(joined, whole.equity, check_exact=True, check_freq=False)
    closed = pd.concat([part.trades[part.trades.exit_reason != "open"] for part in parts])
    last = parts[-1].trades[parts[-1].trades.exit_reason == "open"]
    trades = pd.concat([closed, last]).sort_values("trade").reset_index(drop=True)
    wanted = whole.trades.sort_values("trade").reset_index(drop=True)
    late = wanted.columns.difference(["funding", "pnl", "pnl_pct"])
    pd.testing.assert_frame_equal(trades[late], wanted[late], check_exact=True, check_dtype=False)
    np.testing.assert_array_equal(
        np.concatenate([part.fills.quantity for part in parts]), whole.fills.quantity
    )
    return len(wanted)


def test_windows_give_what_one_run_gives():
    assert sum(compare(seed, [30, 55]) for seed in range(3)) > 10


@pytest.mark.slow
def test_windows_of_random_accounts_give_what_one_run_gives():
    rng = np.random.default_rng(0)
    for seed in range(100, 160):
        cuts = sorted({int(cut) for cut in rng.integers(LEAD, 79, 2)})
        compare(seed, cuts)


def test_open_orders_and_tags_are_carried():
    low = np.full((8, 1), 100.0)
    low[5] = 89.0
    bars = daily({"close": np.full((8, 1), 100.0), "low": low})
    order = Order(symbol="A", quantity=3.0, kind="limit", limit=90.0, tag="patient", stop_loss=50.0)
    first = backtest(
        Places(orders={1: [order]}), bars.rows(slice(0, 4)), frictionless(bars.rows(slice(0, 4)))
    )
    assert first.orders.status.tolist() == ["open"]
    second = backtest(
        Places(orders={}),
        bars.rows(slice(1, 8)),
        frictionless(bars.rows(slice(1, 8))),
        carried=first.carried(),
    )
    assert second.equity.index[0] == pd.Timestamp("2024-01-05", tz="UTC")
    assert second.trades.entry_signal.tolist() == ["patient"]
    assert second.orders.status.tolist() == ["filled", "open"]


def test_entries_of_earlier_windows_are_shown():
    bars = flat_bars(8)
    plan = Plan(sizes=units(2.0, bars), exits=exits(bars, after=5.0))
    told = Told(decisions=Signals(entry_long=at(bars.rows(slice(0, 4)), 0)), goes_with=plan)
    first = backtest(told, bars.rows(slice(0, 4)), frictionless(bars.rows(slice(0, 4))))
    later = bars.rows(slice(4, 8))
    quiet = Told(decisions=Signals(entry_long=at(later)), goes_with=plan)
    second = backtest(quiet, later, frictionless(later), carried=first.carried())
    trade = second.trades.iloc[0]
    assert (trade.exit_reason, trade.bars_held, trade.days_held) == ("time_stop", 5, 5.0)
    assert trade.entry_ts == pd.Timestamp("2024-01-02", tz="UTC")


def test_windows_that_do_not_continue_are_refused():
    bars = flat_bars(8, symbols=2)
    told = Told(decisions=Signals(entry_long=at(bars, 0)), goes_with=Plan(sizes=units(1.0, bars)))
    carried = backtest(told, bars, frictionless(bars)).carried()
    with pytest.raises(DataError, match="no bar is left"):
        backtest(told, bars, frictionless(bars), carried=carried)
    later = flat_bars(3, start="2024-02-01")
    fewer = Told(decisions=Signals(entry_long=at(later)), goes_with=Plan(sizes=units(1.0, later)))
    with pytest.raises(DataError, match=r"\['B'\]"):
        backtest(fewer, later, frictionless(later), carried=carried)


def test_a_decision_that_becomes_known_late_waits_in_the_next_window():
    """Known two bars after its end: decided at bar 3, it cannot fill before the open of bar 6."""
    plain = flat_bars(9)
    known = plain.available_at.copy()
    known[3] += np.timedelta64(2, "D")
    bars = BarPanel.from_arrays(
        plain.ts, plain.symbols, plain.bar_length, close=plain.close, available_at=known
    )
    whole = tell(bars, Signals(entry_long=at(bars, 3)))
    assert whole.fills.ts.tolist() == [pd.Timestamp("2024-01-07", tz="UTC")]
    part, rest = bars.rows(slice(0, 4)), bars.rows(slice(2, 9))
    first = tell(part, Signals(entry_long=at(part, 3)))
    second = tell(rest, Signals(entry_long=at(rest)), carried=first.carried())
    assert second.fills.ts.tolist() == whole.fills.ts.tolist()


BORROWED = {"borrow_model": {"annual_rate": {"rate": 0.05}}, "cash_rate": 0.03, "debit_rate": 0.08}


@pytest.mark.parametrize("lead", [0, 1, 3])
@pytest.mark.parametrize("form", ["vector", "bar"])
def test_the_first_bar_of_a_window_pays_borrow_and_interest_since_the_last(form, lead):
    """Cut over a weekend: three days, whether the window shows the Friday or not."""
    close = 100.0 + np.arange(10.0)[:, None] * [1.0, -1.0]
    plain = daily({"close": close})
    days = np.array([0, 1, 2, 3, 4, 7, 8, 9, 10, 11]) * np.timedelta64(1, "D")
    bars = BarPanel.from_arrays(
        plain.ts[0] + days, plain.symbols, plain.bar_length, close=plain.close
    )
    orders = [Order(symbol="A", quantity=-300.0), Order(symbol="B", quantity=100.0)]

    def run(rows, **more):
        decisions = Signals(entry_short=at(bars, 0)[rows])
        told = Told(decisions=decisions, goes_with=Plan(sizes=units(50.0, bars)))
        places = Places(orders={0: orders} if rows.start == 0 else {})
        strategy = told if form == "vector" else places
        return backtest(strategy, bars.rows(rows), BORROWED, **more)

    whole, first = run(slice(0, 10)), run(slice(0, 5))
    second = run(slice(5 - lead, 10), carried=first.carried())
    joined = pd.concat([first.equity, second.equity])
    pd.testing.assert_frame_equal(joined, whole.equity, check_exact=True, check_freq=False)
    assert whole.equity.borrow.iloc[5] > 2.0 * whole.equity.borrow.iloc[4] > 0.0
    assert whole.equity.interest.iloc[5] != 0.0


def test_a_new_account_earns_nothing_before_its_first_bar():
    bars = flat_bars(5)
    idle = Told(decisions=Signals(entry_long=at(bars)), goes_with=Plan(sizes=units(1.0, bars)))
    late = backtest(idle, bars, {"cash_rate": 0.03}, start=bars.ts[2])
    assert late.equity.interest.iloc[0] == 0.0
    assert late.equity.interest.iloc[1] > 0.0


def test_days_that_are_given_stay_as_they_are():
    bars = flat_bars(4)
    terms = frictionless(bars)
    days = np.array([0.5, 0.25, 0.25, 0.25])
    own = terms._replace(carry=terms.carry._replace(cash_rate=0.0365, days=days))
    idle = Told(decisions=Signals(entry_long=at(bars)), goes_with=Plan(sizes=units(1.0, bars)))
    result = backtest(idle, bars, own, initial_capital=10_000.0)
    assert result.equity.interest.iloc[0] == pytest.approx(0.5, rel=1e-12)
    assert days.tolist() == [0.5, 0.25, 0.25, 0.25]


@pytest.mark.parametrize("lead", [0, 1, 3])
@pytest.mark.parametrize("model", ["next_open", "next_close"])
def test_each_settlement_is_paid_by_one_window(model, lead):
    """All are given to both windows; one lies at the instant at which they meet, one after."""
    ts = np.datetime64("2024-01-01", "us") + np.arange(9) * np.timedelta64(8, "h")
    symbol, hours = "BTC/USDT:USDT", timedelta(hours=8)
    bars = BarPanel.from_arrays(ts, (symbol,), hours, close=np.linspace(100.0, 140.0, 9)[:, None])
    times = pd.date_range("2024-01-01", periods=18, freq="4h", tz="UTC").as_unit("us")
    funding = pd.DataFrame(
        {"ts": times, "symbol": symbol, "rate": 1e-3 * np.arange(1, 19), "mark_price": np.nan}
    )
    buys = {1: [Order(symbol=symbol, quantity=2.0)], 3: [Order(symbol=symbol, quantity=-1.0)]}
    execution = {"fill_model": model, "margin_model": "binance"}

    def run(rows, **more):
        own = {bar - rows.start: orders for bar, orders in buys.items() if bar >= rows.start}
        own = own if "carried" not in more else {}
        return backtest(Places(orders=own), bars.rows(rows), execution, funding=funding, **more)

    whole, first = run(slice(0, 9)), run(slice(0, 5))
    second = run(slice(5 - lead, 9), carried=first.carried())
    joined = pd.concat([first.equity, second.equity])
    pd.testing.assert_frame_equal(joined, whole.equity, check_exact=True, check_freq=False)
    assert (whole.equity.funding.iloc[2:] != 0.0).sum() > 4
