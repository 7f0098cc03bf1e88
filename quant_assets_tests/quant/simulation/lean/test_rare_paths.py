"""What the lean kernels meet seldom: entries of nothing, ruined accounts, tiles."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

from quant_assets.core.errors import DataError
from quant_assets.quant.simulation.execution.defaults import frictionless
from quant_assets.quant.simulation.lean import orders_kernel, sweep_kernel
from quant_assets.quant.simulation.lean.account import (
    lean_decisions,
    lean_rates,
    simulate_lean,
)
from quant_assets.quant.simulation.lean.isolated import EVEN, columns_of, tiles_of
from quant_assets.quant.simulation.lean.sweeps import sweep
from quant_assets.quant.simulation.lean.terms import Accounts
from quant_assets.quant.sizing.entry.units import EQUITY_FRACTION, UNITS, EntrySizes
from quant_assets.quant.strategies.classic.moving_average_cross import MovingAverageCross
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.signals import Signals
from quant_assets_tests.quant.simulation.execution.hand_runs import Told as EventTold
from quant_assets_tests.quant.simulation.execution.hand_runs import at, daily, hand_bars, tell
from quant_assets_tests.quant.simulation.lean.random_runs import random_bars

KINDS = ("shared", "isolated")


@dataclass(frozen=True, kw_only=True)
class Alone(EventTold):
    name: ClassVar[str] = "alone"
    symbolwise: ClassVar[bool] = True

    def signals(self, bars):
        return Signals(entry_long=np.isin(np.arange(len(bars))[:, None], (1, 4)) | (bars.close < 0))

    def plan(self, bars):
        return self.goes_with


def closes(*values):
    return hand_bars(*((value,) * 4 for value in values))


def lean(bars, signals, plan, kind, capital=1000.0):
    accounts = Accounts(kind=kind, initial_capital=capital)
    told = EventTold(decisions=signals, goes_with=plan)
    return simulate_lean(told, bars, frictionless(bars), accounts=accounts)


def sized(value, unit, bars):
    return Plan(sizes=EntrySizes(np.full((1, len(bars.symbols)), value), unit))


@pytest.mark.parametrize("kind", KINDS)
def test_all_that_limits_leave_is_for_the_event_kernel(kind):
    bars = closes(100, 100, 100)
    found = lean(bars, Signals(entry_long=at(bars, 0)), sized(np.inf, UNITS, bars), kind)
    assert found is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("size", "unit"), [(1e-20, EQUITY_FRACTION), (1e-18, UNITS)])
def test_an_entry_of_next_to_nothing_is_none(kind, size, unit):
    bars = closes(100, 100, 100)
    signals = Signals(entry_long=at(bars, 0))
    found = lean(bars, signals, sized(size, unit, bars), kind)
    assert len(found.orders.bar) == 0
    assert tell(bars, signals, plan=sized(size, unit, bars)).fills.empty


@pytest.mark.parametrize("kind", KINDS)
def test_an_account_that_lost_all_is_for_the_event_kernel_and_enters_nothing(kind):
    """A short of all equity, at twice the price: nothing is left for the second symbol's entry."""
    bars = daily({"close": np.array([[100.0, 10.0]] * 2 + [[200.0, 10.0]] * 3)})
    short, long = at(bars, 0, column=0), at(bars, 2, column=1)
    signals, plan = Signals(entry_short=short, entry_long=long), sized(1.0, EQUITY_FRACTION, bars)
    assert lean(bars, signals, plan, kind) is None
    events = tell(bars, signals, plan=plan, initial_capital=1000.0)
    assert events.equity_values.tolist() == [1000.0, 1000.0, 0.0, 0.0, 0.0]
    assert events.fills.reason.tolist() == ["entry", "liquidation"]


def test_a_second_entry_beside_one_that_used_up_the_account_is_none():
    bars = daily({"close": np.full((4, 2), 100.0)})
    signals, plan = Signals(entry_long=at(bars, 0)), sized(1.0, EQUITY_FRACTION, bars)
    found = lean(bars, signals, plan, "shared")
    assert found.orders.symbol.tolist() == [0]
    assert tell(bars, signals, plan=plan, initial_capital=1000.0).fills.symbol.tolist() == ["A"]


def test_signals_of_another_shape_are_refused():
    bars = closes(100, 100, 100)
    with pytest.raises(DataError, match=r"signals have shape \(2, 1\); the bars have \(3, 1\)"):
        lean_decisions(bars, Signals(entry_long=np.zeros((2, 1), dtype=np.bool_)), Plan())


def test_tiles_are_even_where_there_are_enough_symbols():
    bars = daily({"close": np.full((10, 40), 100.0)})
    eleven = 11.5 * 10 * 8 * 9 / 2**20
    assert [part.stop - part.start for part in tiles_of(bars, eleven)] == [EVEN] * 5
    one = [part.stop - part.start for part in tiles_of(bars, 0.0)]
    assert one == [1] * 40


def test_columns_of_a_tile_are_copied_when_they_are_read_and_have_no_others():
    bars = daily({"close": np.arange(30.0).reshape(10, 3) + 1.0})
    part = columns_of(bars, slice(1, 3))
    np.testing.assert_array_equal(part.close, bars.close[:, 1:3])
    with pytest.raises(AttributeError, match="no attribute 'spread_of'"):
        part.spread_of  # noqa: B018  # it is not there


def test_tiles_stop_where_only_the_event_kernel_can_go_on():
    bars = random_bars(np.random.default_rng(3), 60, 7)
    accounts, terms = Accounts(kind="isolated"), frictionless(bars)
    whole = Alone(decisions=Signals(entry_long=at(bars, 1)), goes_with=Plan())
    assert simulate_lean(whole, bars, terms, accounts=accounts, budget_mb=0.01) is not None
    endless = replace(whole, goes_with=Plan(sizes=EntrySizes(np.full((1, 1), np.inf), UNITS)))
    assert simulate_lean(endless, bars, terms, accounts=accounts, budget_mb=0.001) is None


@pytest.mark.parametrize("kind", KINDS)
def test_what_leverage_leaves_of_an_entry_may_be_nothing(kind):
    bars = closes(100, 100, 100)
    terms = frictionless(bars)
    tiny = terms._replace(margin=terms.margin._replace(leverage=1e-12))
    told = EventTold(
        decisions=Signals(entry_long=at(bars, 0)), goes_with=sized(1.0, EQUITY_FRACTION, bars)
    )
    accounts = Accounts(kind=kind, initial_capital=1000.0)
    assert len(simulate_lean(told, bars, tiny, accounts=accounts).orders.bar) == 0


def test_no_equity_buys_no_units():
    rates = lean_rates(frictionless(closes(100, 100)), Accounts())
    wanted = orders_kernel.wanted_units.py_func(0.0, EQUITY_FRACTION, 100.0, 100.0, rates)
    assert wanted == 0.0
    assert orders_kernel.fitting.py_func(1.0, 100.0, (0.0, 0.0), rates) == 0.0


def test_lines_that_lie_on_each_other_never_cross():
    bars = daily({"close": np.full((60, 2), 100.0)})
    accounts = Accounts(initial_capital=1000.0, kind="isolated")
    grid = {"fast": [2, 3], "slow": [5]}
    found = sweep(MovingAverageCross, grid, bars, frictionless(bars), accounts=accounts)
    assert found.ways() == {"crossings": 2}
    assert found.fills.max() == 0
    assert (found.final_equity == 1000.0).all()


def test_a_span_without_bars_changes_no_account():
    state = np.arange(float(sweep_kernel.N_STATE))
    line = np.ones(3)
    sweep_kernel._account.py_func(line, line, state, 2, 2)
    assert state.tolist() == list(range(sweep_kernel.N_STATE))
