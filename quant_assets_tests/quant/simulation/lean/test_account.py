"""Runs worked by hand, and the shapes that come out."""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pytest

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.risk.terms import (
    STOP_FRACTION,
    TARGET_FRACTION,
    TRAIL_FRACTION,
    ExitTerms,
)
from quant_assets.quant.simulation.execution.book import REASONS
from quant_assets.quant.simulation.lean import (
    account,
    account_kernel,
    crossing_sweep,
    orders_kernel,
    shared_kernel,
    sweep_kernel,
)
from quant_assets.quant.simulation.lean.account import simulate_lean
from quant_assets.quant.simulation.lean.isolated import N_CODES, N_VALUES
from quant_assets.quant.simulation.lean.terms import Accounts
from quant_assets.quant.sizing.entry.units import UNITS, EntrySizes
from quant_assets.quant.strategies.base import VectorStrategy
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.signals import Signals
from quant_assets_tests.quant.simulation.lean.random_runs import (
    DAY,
    START,
    random_bars,
    with_costs,
)

ONE = {"taker": 0.001, "maker": 0.0, "slippage": 0.01}


def bars_of(opens, highs, lows, closes):
    times = START + np.arange(len(opens)) * np.timedelta64(1, "D")
    return BarPanel.from_arrays(
        times, ["a"], DAY, open=opens, high=highs, low=lows, close=closes, volume=[1e6] * len(opens)
    )


@dataclass(frozen=True, kw_only=True)
class Told(VectorStrategy):
    """Enters and leaves on given bars."""

    name: ClassVar[str] = "told"
    enter: tuple[int, ...] = (0,)
    leave: tuple[int, ...] = ()
    exits: dict[int, float] = field(default_factory=dict)
    units: float = 10.0

    def signals(self, bars):
        rows = np.arange(len(bars))[:, None]
        return Signals(
            entry_long=np.isin(rows, self.enter) & np.ones(bars.close.shape, dtype=bool),
            exit_long=np.isin(rows, self.leave) & np.ones(bars.close.shape, dtype=bool),
        )

    def plan(self, bars):
        n = len(bars.symbols)
        kinds = np.array(list(self.exits), dtype=np.int8)
        level = np.array([np.full((1, n), part) for part in self.exits.values()])
        return Plan(
            sizes=EntrySizes(np.full((1, n), self.units), UNITS),
            exits=ExitTerms(kinds, level) if len(kinds) else None,
        )


def run(strategy, bars, **account):
    accounts = Accounts(**{"initial_capital": 10_000.0, **account})
    return simulate_lean(strategy, bars, with_costs(bars, **ONE), accounts=accounts)


def test_an_entry_fills_at_the_next_open_and_equity_is_marked_at_closes():
    bars = bars_of(
        [100, 100, 110, 120], [101, 111, 121, 121], [99, 99, 109, 99], [100, 110, 120, 100]
    )
    found = run(Told(leave=(2,)), bars)
    buy, sell = 100.0 * 1.01, 120.0 * 0.99
    cash = 10_000.0 - 10.0 * buy * 1.001
    np.testing.assert_allclose(found.orders.price, [buy, sell])
    np.testing.assert_allclose(found.orders.quantity, [10.0, -10.0])
    np.testing.assert_allclose(
        found.equity[:, 0],
        [10_000.0, cash + 1100.0, cash + 1200.0, cash + 10.0 * sell * 0.999],
    )
    trade = found.trades().iloc[0]
    assert trade["profit"] == pytest.approx(found.final_equity[0] - 10_000.0)
    assert (trade["reason"], trade["symbol"]) == ("exit_signal", "a")
    assert list(found.order_frame()["reason"]) == ["entry", "exit_signal"]


def test_a_position_at_the_end_stays_open_and_its_trade_has_no_exit():
    found = run(Told(), bars_of([100] * 3, [100] * 3, [100] * 3, [100] * 3))
    trade = found.trades().iloc[0]
    assert trade["reason"] == "open"
    assert np.isnan(trade["exit_price"])
    assert np.isnan(trade["profit"])
    assert str(trade["exit_ts"]) == "NaT"


@pytest.mark.parametrize(
    ("exits", "low", "high", "price", "reason"),
    [
        ({STOP_FRACTION: 0.02}, 90.0, 101.0, 101.0 * 0.98 * 0.99, "stop_loss"),
        ({TARGET_FRACTION: 0.05}, 100.0, 110.0, 101.0 * 1.05, "take_profit"),
        (
            {STOP_FRACTION: 0.02, TARGET_FRACTION: 0.05},
            90.0,
            110.0,
            101.0 * 0.98 * 0.99,
            "stop_loss",
        ),
        ({TRAIL_FRACTION: 0.02}, 90.0, 110.0, 101.0 * 0.98 * 0.99, "trailing_stop"),
    ],
)
def test_exits_live_inside_the_entry_bar(exits, low, high, price, reason):
    bars = bars_of([100] * 3, [100, high, 100], [100, low, 100], [100] * 3)
    found = run(Told(exits=exits), bars)
    assert found.orders.bar.tolist() == [1, 1]
    assert found.orders.price[1] == pytest.approx(price)
    assert REASONS[found.orders.reason[1]] == reason


def test_exits_rest_for_the_bars_that_they_are_told_to():
    bars = bars_of([100] * 4, [100, 100, 100, 100], [100, 90, 90, 90], [100] * 4)
    exits = {STOP_FRACTION: 0.05}
    assert run(Told(exits=exits), bars).orders.bar.tolist() == [1, 1]
    assert run(Told(exits=exits), bars, rest=1).orders.bar.tolist() == [1, 2]


def test_a_trailing_stop_follows_completed_bars_only_and_fills_at_a_gapped_open():
    bars = bars_of(
        [100, 100, 110, 90], [100, 120, 121, 95], [100, 99.5, 119, 80], [100, 119, 120, 85]
    )
    found = run(Told(exits={TRAIL_FRACTION: 0.1}), bars)
    assert found.orders.bar.tolist() == [1, 3]
    assert found.orders.price[1] == pytest.approx(90.0 * 0.99)


def test_an_entry_is_cut_to_what_cash_buys_with_the_fee_inside():
    bars = bars_of([100] * 3, [100] * 3, [100] * 3, [100] * 3)
    found = run(Told(units=1e9), bars)
    assert found.orders.quantity[0] == pytest.approx(10_000.0 / (101.0 * 1.001))
    assert found.equity[1, 0] - found.orders.quantity[0] * 100.0 == pytest.approx(0.0, abs=1e-9)


@dataclass(frozen=True, kw_only=True)
class Alone(Told):
    name: ClassVar[str] = "alone"
    symbolwise: ClassVar[bool] = True


def test_tiles_of_symbols_give_what_one_walk_gives():
    bars = random_bars(np.random.default_rng(3), 60, 7)
    settings = {"enter": (2, 9, 30, 41), "leave": (7, 25, 36), "exits": {TRAIL_FRACTION: 0.03}}
    accounts, terms = Accounts(kind="isolated"), with_costs(bars)
    whole = simulate_lean(Told(**settings), bars, terms, accounts=accounts)
    tiled = simulate_lean(Alone(**settings), bars, terms, accounts=accounts, budget_mb=0.03)
    np.testing.assert_array_equal(tiled.equity, whole.equity)
    for mine, theirs in zip(tiled.orders, whole.orders, strict=True):
        both = [np.lexsort((log.symbol, log.bar)) for log in (tiled.orders, whole.orders)]
        np.testing.assert_array_equal(mine[both[0]], theirs[both[1]])
    assert len(whole.orders.bar) > 20


def test_sizes_and_signals_of_another_shape_are_refused():
    bars = bars_of([100] * 3, [100] * 3, [100] * 3, [100] * 3)

    @dataclass(frozen=True, kw_only=True)
    class Wrong(Told):
        name: ClassVar[str] = "wrong"

        def plan(self, bars):
            return Plan(sizes=EntrySizes(np.ones((2, 1)), UNITS))

    with pytest.raises(DataError, match=r"sizes have shape \(2, 1\)"):
        run(Wrong(), bars)


def test_accounts_that_mean_nothing_are_refused():
    with pytest.raises(ConfigError, match="'each'"):
        Accounts(kind="each")
    with pytest.raises(ConfigError, match="initial_capital 0"):
        Accounts(initial_capital=0.0)


def test_the_state_has_as_many_fields_as_the_kernel_reads():
    assert (N_VALUES, N_CODES) == (account_kernel.N_VALUES, account_kernel.N_CODES)
    for name in ("N_COUNTS", "ROW"):
        assert getattr(account, name) == getattr(shared_kernel, name)
    assert (account.N_SHARED_VALUES, account.N_SHARED_CODES) == (
        shared_kernel.N_VALUES,
        shared_kernel.N_CODES,
    )
    assert account.FIRST == shared_kernel.BAR
    for name in ("N_STATE", "N_RESULTS", "RUINED"):
        assert getattr(crossing_sweep, name) == getattr(sweep_kernel, name)
    names = ("ENTRY", "EXIT_SIGNAL", "STOP_LOSS", "TRAILING_STOP", "TAKE_PROFIT", "REVERSAL")
    numbers = [getattr(orders_kernel, name) for name in names]
    assert [REASONS[number] for number in numbers] == [name.lower() for name in names]
