"""What happens seldom: ruined accounts, orders without a size, what cannot be carried."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from quant_assets import backtest
from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.simulation.execution import live
from quant_assets.quant.simulation.execution.defaults import (
    frictionless,
    no_exits,
    no_slippage,
)
from quant_assets.quant.simulation.execution.fills.detail_timeframe import DetailTimeframe
from quant_assets.quant.simulation.execution.instruments.grid import Grid
from quant_assets.quant.simulation.execution.margin.binance import Binance
from quant_assets.quant.simulation.execution.model import ExecutionModel
from quant_assets.quant.simulation.execution.preparation import prepare
from quant_assets.quant.simulation.execution.slippage.base import ImpactArrays, SlippageModel
from quant_assets.quant.sizing.entry.units import EntrySizes
from quant_assets.quant.strategies.base import BarStrategy
from quant_assets.quant.strategies.orders import Order
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.signals import Signals
from quant_assets_tests.quant.simulation.execution.hand_runs import (
    NAN,
    Places,
    at,
    daily,
    exits,
    flat_bars,
    hand_bars,
    place,
    tell,
    units,
)

UNITS, NOTIONAL, EQUITY_FRACTION, RISK_FRACTION = range(4)


def sized(value: float, unit: int, bars: BarPanel) -> Plan:
    return Plan(sizes=EntrySizes(np.full((1, len(bars.symbols)), value), unit))


def closes(*values: float) -> BarPanel:
    return hand_bars(*((value,) * 4 for value in values))


def test_a_ruined_account_enters_nothing_more():
    bars = closes(100, 100, 500, 500, 500)
    ruined = tell(bars, Signals(entry_short=at(bars, 0, 3)), initial_capital=1000.0)
    assert ruined.final_equity == -3000.0
    assert ruined.fills.reason.tolist() == ["entry", "liquidation"]
    assert ruined.vetoes.rule.tolist() == ["no_equity"]
    assert ruined.metrics["total_return"] == ruined.total_return == -4.0


def test_an_entry_of_all_that_limits_leave_takes_just_that():
    bars = flat_bars(4)
    terms = frictionless(bars)
    twice = terms._replace(margin=terms.margin._replace(leverage=2.0))
    plan = sized(np.inf, UNITS, bars)
    run = tell(bars, Signals(entry_long=at(bars, 0)), plan=plan, terms=twice, initial_capital=1e3)
    assert run.fills.quantity.tolist() == [20.0]
    endless = terms._replace(margin=terms.margin._replace(leverage=np.inf))
    run = tell(bars, Signals(entry_long=at(bars, 0)), plan=plan, terms=endless)
    assert run.fills.empty
    assert run.orders.status.tolist() == ["rejected"]


def test_a_risk_without_a_stop_to_measure_it_is_refused():
    bars = flat_bars(4)
    plan = sized(0.01, RISK_FRACTION, bars)
    run = tell(bars, Signals(entry_long=at(bars, 0)), plan=plan)
    assert run.fills.empty
    assert run.vetoes[["rule", "before", "after"]].to_numpy().tolist() == [["no_stop", 0.01, 0.0]]


@pytest.mark.parametrize("again", [False, True])
def test_funding_due_at_the_close_that_ended_a_trade_belongs_to_that_trade(again):
    """Sold at the close at 16:00: the settlement of 16:00 is paid on what was held to it."""
    ts = np.datetime64("2024-01-01T12:00", "us") + np.arange(8) * np.timedelta64(1, "h")
    bars = BarPanel.from_arrays(
        ts, ["BTC/USDT:USDT"], timedelta(hours=1), close=np.full((8, 1), 100.0)
    )
    due = pd.DataFrame(
        {
            "ts": pd.to_datetime(["2024-01-01T16:00"], utc=True),
            "symbol": "BTC/USDT:USDT",
            "rate": 0.001,
            "mark_price": NAN,
        }
    )
    model = ExecutionModel(
        fill_model="next_close", commission_model="none", slippage_model="none", borrow_model="none"
    )
    terms = model.terms(bars, funding=due)
    signals = Signals(
        entry_long=at(bars, 0),
        exit_long=at(bars, 2),
        entry_short=at(bars, 2) if again else None,
    )
    run = tell(bars, signals, plan=Plan(sizes=units(1.0, bars)), terms=terms)
    assert run.trades.funding.tolist() == ([-0.1, 0.0] if again else [-0.1])
    assert run.trades.pnl.sum() == pytest.approx(-0.1)
    assert run.equity.funding.loc["2024-01-01T16:00"] == -0.1


def signals_of(signals: Signals, part: slice) -> Signals:
    names = ("entry_long", "exit_long", "entry_short", "exit_short")
    cut = {n: None if getattr(signals, n) is None else getattr(signals, n)[part] for n in names}
    return Signals(**cut)


def test_more_orders_at_one_bar_than_are_taken_are_refused():
    bars = flat_bars(3)
    many = [Order(symbol="A", quantity=1.0)] * 69
    with pytest.raises(DataError, match="69 orders at one bar; at most 68 are taken"):
        place(bars, {0: many})


def test_an_account_goes_on_at_the_bar_after_its_last_one_only():
    bars = flat_bars(8)
    first = place(bars.rows(slice(0, 4)), {}, initial_capital=1e3)
    with pytest.raises(DataError, match=r"the account was carried to 2024-01-04.*Start at the"):
        place(bars, {}, carried=first.carried(), start=bars.ts[5])


def test_decisions_before_the_first_of_the_new_bars_are_told():
    bars = flat_bars(8)
    waits = {0: [Order(symbol="A", quantity=1.0, kind="limit", limit=50.0)]}
    first = place(bars.rows(slice(0, 4)), waits)
    with pytest.raises(DataError, match="was decided 2 bars before the first of the new bars"):
        place(bars.rows(slice(2, 8)), {}, carried=first.carried())


def test_more_waiting_orders_than_a_new_book_has_room_for_are_carried():
    bars = flat_bars(40)
    order = Order(symbol="A", quantity=1.0, kind="limit", limit=50.0)
    waits = dict.fromkeys(range(20), [order] * 60)
    first = place(bars.rows(slice(0, 20)), waits)
    second = place(bars, {}, carried=first.carried())
    assert len(second.orders) == 1200
    assert (second.orders.status == "open").all()


@dataclass(frozen=True, kw_only=True)
class Shows(BarStrategy):
    """Shows itself indicators of this shape and name, and reads a name."""

    name = "shows"
    called: str = "line"
    rows: int = 3
    read: str = "line"

    def indicators(self, bars):
        return {self.called: np.zeros((self.rows, 1))}

    def on_bar(self, window, account):
        window[self.read]


def test_indicators_of_other_shapes_and_names_are_refused():
    bars = flat_bars(3)
    with pytest.raises(DataError, match=r"indicators \['close'\] have names of fields"):
        backtest(Shows(called="close"), bars)
    with pytest.raises(DataError, match=r"indicator 'line' has shape \(2, 1\); the bars \(3, 1\)"):
        backtest(Shows(rows=2), bars)
    with pytest.raises(Exception, match="nothing"):
        backtest(Shows(read="nothing"), bars)


def test_shapes_that_do_not_belong_together_are_named():
    bars = flat_bars(3, symbols=2)
    terms, signals = frictionless(bars), Signals(entry_long=np.zeros((3, 2), dtype=np.bool_))
    with pytest.raises(DataError, match="the bars are empty: 0 rows of 2 symbols"):
        prepare(bars.rows(slice(0, 0)), terms)
    with pytest.raises(DataError, match=r"signals have shape \(3, 2\); the bars have \(2, 2\)"):
        prepare(bars.rows(slice(0, 2)), terms, signals=signals)
    sizes = EntrySizes(np.ones((2, 2)), UNITS)
    with pytest.raises(DataError, match=r"size has shape \(2, 2\); it must be \(1 or 3, 2\)"):
        prepare(bars, terms, signals=signals, plan=Plan(sizes=sizes))
    levels = no_exits()._replace(kind=np.zeros(1, dtype=np.int8), level=np.ones((1, 2, 2)))
    with pytest.raises(DataError, match=r"exit levels have shape \(1, 2, 2\)"):
        prepare(bars, terms, signals=signals, plan=Plan(exits=levels))
    days = terms._replace(carry=terms.carry._replace(days=np.zeros(2)))
    with pytest.raises(DataError, match=r"carry.days has shape \(2,\); it must be \(3,\)"):
        prepare(bars, days, signals=signals)
    finer = terms._replace(detail=terms.detail._replace(first=np.zeros(3, dtype=np.int64)))
    with pytest.raises(DataError, match=r"detail.first has shape \(3,\); it must be \(4,\)"):
        prepare(bars, finer, signals=signals)
    nothing = terms._replace(margin=terms.margin._replace(leverage=0.0))
    with pytest.raises(ConfigError, match=r"leverage 0\.0 must be above 0"):
        prepare(bars, nothing, signals=signals)
    for name, field in (("impact", "volatility"), ("half_spread", "spread")):
        priced = terms._replace(slippage=terms.slippage._replace(**{name: 1.0}))
        with pytest.raises(DataError, match=f"the slippage needs '{field}' and the bars do not"):
            prepare(bars, priced, signals=signals)


def test_flags_of_symbols_follow_their_names():
    close = np.array([[100.0, 50.0]] * 3)
    ts = np.datetime64("2024-01-01", "us") + np.arange(3) * np.timedelta64(1, "D")
    bars = BarPanel.from_arrays(ts, ["B", "A"], timedelta(days=1), close=close)
    run = tell(bars, Signals(entry_long=at(bars, 0, column=0)), plan=Plan(sizes=units(1.0, bars)))
    assert run.fills[["symbol", "price"]].to_numpy().tolist() == [["B", 100.0]]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DetailTimeframe(timeframe="0m"), "timeframe is '0m'; write 5m or 1h"),
        (lambda: DetailTimeframe(timeframe="soon"), "timeframe: 'soon' is not a duration"),
        (lambda: Grid(by_symbol=3), "by_symbol is 3; map symbols to their grid"),
        (lambda: Binance(tiers_of=3), "tiers_of is 3; map symbols to tiers"),
    ],
)
def test_parameters_of_plug_ins_that_mean_nothing_are_named(make, message):
    with pytest.raises(ConfigError, match=message):
        make()


def test_a_run_shows_what_is_open_and_itself_in_one_line():
    bars = flat_bars(4)
    run = place(bars, {0: [Order(symbol="A", quantity=2.0)]}, initial_capital=1000.0)
    (row,) = run.positions.itertuples()
    assert (row.mark_price, row.market_value, row.weight) == (100.0, 200.0, 0.2)
    told = "BacktestResult(0 trades of 1 symbols in 4 bars, equity 1000 -> 1000.00)"
    assert repr(run) == told


def test_a_benchmark_is_cut_to_the_bars_that_were_run():
    rng = np.random.default_rng(2)
    bars = daily({"close": 100.0 * np.exp(rng.normal(0.0, 0.01, (60, 1)).cumsum(axis=0))})
    signals, market = Signals(entry_long=at(bars, 0, 25)), rng.normal(0.0, 0.01, 60)
    part = tell(bars, signals, benchmark=market, start=bars.ts[20])
    cut = signals_of(signals, slice(20, 60))
    own = tell(bars.rows(slice(20, 60)), cut, benchmark=market[20:])
    assert part.metrics["beta"] == pytest.approx(own.metrics["beta"], rel=1e-12)


def test_a_symbol_of_the_bars_can_be_the_benchmark():
    close = np.array([[10.0, NAN], [11.0, 4.0], [12.0, NAN], [9.0, 6.0], [9.9, 3.0]])
    bars = daily({"close": close})
    signals = Signals(entry_long=at(bars, 0, 1))
    result = tell(bars, signals, benchmark=bars.symbols[1])
    assert result.benchmark is not None
    np.testing.assert_allclose(result.benchmark, [0.0, 0.0, 0.0, 0.5, -0.5])
    same = tell(bars, signals, benchmark=[0.0, 0.0, 0.0, 0.5, -0.5])
    assert result.metrics["beta"] == same.metrics["beta"]


def test_frames_without_times_are_refused_and_one_bar_has_its_own_clock():
    frame = pd.DataFrame(
        {"ts": pd.date_range("2024-01-01", periods=1), "symbol": "A", "close": 1.0}
    )
    with pytest.raises(DataError, match="the bars have 1 times; two show the bar length"):
        backtest(Places(orders={}), frame)
    with pytest.raises(DataError, match="bars are a DataFrame; give a BarPanel or a frame with ts"):
        backtest(Places(orders={}), frame.drop(columns="ts"))
    with pytest.raises(DataError, match="bars are a int; give a BarPanel"):
        backtest(Places(orders={}), 3)
    one = place(flat_bars(1), {})
    assert one.periods_per_year == 365.2425


def test_a_stop_moves_with_extremes_of_a_position_that_never_closed_its_books():
    """A trailing stop by distance in money, on a short."""
    bars = closes(100, 100, 90, 80, 95, 95)
    plan = Plan(sizes=units(1.0, bars), exits=exits(bars, trail_price=10.0))
    run = tell(bars, Signals(entry_short=at(bars, 0)), plan=plan)
    assert run.fills.price.tolist() == [100.0, 95.0]
    assert run.trades.exit_reason.tolist() == ["trailing_stop"]
    assert replace(run).n_trades == 1


def test_buffers_that_cannot_grow_end_the_run_with_what_went_wrong(monkeypatch):
    def fails(self, book, rows):
        raise MemoryError(f"no room for {rows} rows")

    monkeypatch.setattr(live.Rows, "reserve", fails)
    with pytest.raises(MemoryError, match="no room for 1 rows"):
        place(flat_bars(3), {})


@dataclass(frozen=True, kw_only=True)
class Half(SlippageModel):
    """A plug-in of another package whose arrays are of half precision."""

    name: ClassVar[str] = "half"

    def terms(self):
        return no_slippage()._replace(half_spread=0.5)

    def arrays(self, bars):
        return ImpactArrays(spread=np.ones(bars.close.shape, dtype=np.float32))


def test_arrays_of_a_slippage_of_another_type_are_named():
    model = ExecutionModel(slippage_model=Half())
    with pytest.raises(DataError, match=r"spread of the slippage is float32 \(3, 1\)"):
        model.priced(flat_bars(3))


def test_a_wrong_number_of_bars_a_year_is_refused_whatever_the_first_bar():
    bars = flat_bars(40)
    for given in ({}, {"start": bars.ts[10]}):
        result = place(bars, {}, periods_per_year=252, **given)
        with pytest.raises(DataError, match=r"365\.2 bars per year"):
            _ = result.metrics
        assert place(bars, {}, periods_per_year=365, **given).metrics["total_return"] == 0.0
