"""Entries at market that find no bar to fill on end after a while; exits wait on."""

import numpy as np
import pytest

from quant_assets import backtest
from quant_assets.quant.simulation.execution.defaults import frictionless
from quant_assets.quant.simulation.lean.account import simulate_lean
from quant_assets.quant.simulation.lean.sweeps import sweep
from quant_assets.quant.simulation.lean.terms import Accounts
from quant_assets.quant.strategies.classic.moving_average_cross import MovingAverageCross
from quant_assets.quant.strategies.orders import Order
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.signals import Signals
from quant_assets_tests.quant.simulation.execution.hand_runs import (
    Told,
    at,
    daily,
    flat_bars,
    place,
    tell,
    units,
)


def lives(bars, bars_to_live):
    terms = frictionless(bars)
    return terms._replace(fills=terms.fills._replace(time_to_live=bars_to_live))


def halted(n, *silent):
    """Bars at 100 with a symbol that does not trade on some of them."""
    volume = np.full((n, 1), 1e6)
    volume[list(silent)] = 0.0
    return flat_bars(n, volume=volume)


@pytest.mark.parametrize(("waits", "filled"), [(1, None), (2, None), (3, 4), (10, 4)])
def test_an_entry_waits_for_its_bars_and_not_longer(waits, filled):
    """Decided at bar 0 it may fill from bar 1 on; the first bar with a trade is bar 4."""
    bars, entry = halted(9, 1, 2, 3), None
    entry = Signals(entry_long=at(bars, 0))
    result = tell(bars, entry, terms=lives(bars, waits))
    if filled is None:
        order = result.orders.iloc[0]
        assert (order.status, order.finished_ts) == ("expired", result.equity.index[1 + waits])
        assert result.fills.empty
    else:
        assert result.fills.ts.tolist() == [result.equity.index[filled]]
    by_bar = backtest(
        Told(decisions=entry, goes_with=Plan(sizes=units(10.0, bars))), bars, lives(bars, waits)
    )
    assert by_bar.hash() == result.hash()


def test_after_it_another_entry_may_be_decided():
    """The first one expires at the close of bar 2, where the second is decided."""
    bars = halted(8, 1, 2)
    again = tell(bars, Signals(entry_long=at(bars, 0, 2)), terms=lives(bars, 1))
    assert again.orders.status.tolist() == ["expired", "filled"]
    assert again.fills.ts.tolist() == [again.equity.index[3]]


def test_exits_and_orders_of_the_strategy_wait_on():
    bars = halted(12, *range(4, 10))
    signals = Signals(entry_long=at(bars, 0), exit_long=at(bars, 3))
    left = tell(bars, signals, terms=lives(bars, 1))
    assert left.fills.ts.tolist() == [left.equity.index[1], left.equity.index[10]]
    placed = place(bars, {3: [Order(symbol="A", quantity=1.0)]}, terms=lives(bars, 1))
    assert placed.fills.ts.tolist() == [placed.equity.index[10]]


@pytest.mark.parametrize(
    ("weight", "status", "after"),
    [(0.2, "filled", 200.0), (0.8, "expired", 500.0), (-0.5, "filled", 0.0), (0.0, "filled", 0.0)],
)
def test_of_target_weights_what_closes_waits_on(weight, status, after):
    bars, target = halted(12, *range(4, 10)), np.full((12, 1), np.nan)
    target[0], target[3] = 0.5, weight
    result = tell(bars, Signals(target=target), terms=lives(bars, 2))
    assert result.orders.status.tolist() == ["filled", status]
    assert result.fills.quantity.sum() == pytest.approx(after, abs=1e-9)


@pytest.mark.parametrize("waits", [1, 3, 20])
def test_lean_kernels_and_sweeps_give_up_at_the_same_bars(waits):
    rng = np.random.default_rng(waits)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.02, (300, 1)), axis=0))
    volume = np.where(np.arange(300)[:, None] % 17 < 7, 0.0, 1e6)
    bars, fills = daily({"close": close}, volume=volume), set()
    terms = lives(bars, waits)
    strategy = MovingAverageCross(fast=2, slow=5)
    run = backtest(strategy, bars, terms)
    fills.add(len(run.book.fills[: run.book.counters[4]]))
    for kind in ("shared", "isolated"):
        lean = simulate_lean(strategy, bars, terms, accounts=Accounts(kind=kind))
        assert lean.final_equity[0] == run.book.rows[-1, 1]
        fills.add(len(lean.orders.bar))
    accounts = Accounts(kind="isolated")
    found = sweep(MovingAverageCross, {"fast": [2], "slow": [5]}, bars, terms, accounts=accounts)
    assert found.ways() == {"crossings": 1}
    assert found.final_equity.item() == pytest.approx(run.book.rows[-1, 1], rel=1e-12)
    assert fills == {int(found.fills.item())}
