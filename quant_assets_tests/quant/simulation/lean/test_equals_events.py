"""The lean kernels give the event kernel's fills and equity, bit for bit, in all that they do."""

import numpy as np
import pytest

from quant_assets.quant.simulation.lean.account import lean_decisions, lean_rates, run_lean
from quant_assets.quant.simulation.lean.suitability import obstacles
from quant_assets.quant.simulation.lean.terms import Accounts
from quant_assets_tests.quant.simulation.lean.random_runs import (
    LIQUIDATION,
    by_events,
    column_of,
    random_run,
)

CAPITAL = 50_000.0


def lean(run, kind):
    accounts = Accounts(initial_capital=CAPITAL, kind=kind)
    assert obstacles(run.bars, run.signals, run.plan, run.terms, shared=accounts.shared) == ()
    decisions = lean_decisions(
        run.bars, run.signals, run.plan, shared=accounts.shared, warm_up=run.warm_up
    )
    rates = lean_rates(run.terms, accounts)
    return run_lean(run.bars, decisions, rates, CAPITAL)


def table(orders):
    return np.stack([np.asarray(column, dtype=np.float64) for column in orders], axis=1)


def compare(seed, **kinds):
    run = random_run(seed, **kinds)
    isolated, shared = lean(run, "isolated"), lean(run, "shared")
    n_fills = 0
    if shared is None:
        fills, _ = by_events(run, CAPITAL)
        assert (fills[:, 2] == LIQUIDATION).any()
    else:
        fills, equity = by_events(run, CAPITAL)
        n_fills = len(fills)
        np.testing.assert_array_equal(table(shared.orders), fills)
        np.testing.assert_array_equal(shared.equity[:, 0], equity)
    singles = [by_events(column_of(run, j), CAPITAL) for j in range(len(run.bars.symbols))]
    if isolated is None:
        assert any((fills[:, 2] == LIQUIDATION).any() for fills, _ in singles)
        return n_fills, True
    for j, (fills, equity) in enumerate(singles):
        mine = table(isolated.orders)[isolated.orders.symbol == j]
        mine[:, 1] = 0.0
        np.testing.assert_array_equal(mine, fills)
        np.testing.assert_array_equal(isolated.equity[:, j], equity)
    return n_fills, shared is None


def test_random_runs_give_the_event_kernels_fills_and_equity():
    n_fills = sum(compare(seed)[0] for seed in range(6))
    assert n_fills > 50


@pytest.mark.slow
def test_many_random_runs_give_the_event_kernels_fills_and_equity():
    n_fills = sum(compare(seed)[0] for seed in range(12, 400))
    assert n_fills > 5_000


@pytest.mark.slow
def test_an_account_is_ruined_exactly_where_the_event_kernel_liquidates():
    outcomes = [
        compare(seed, volatility=0.25, shorts=True, leverage=leverage, large=True)[1]
        for seed in range(60)
        for leverage in (1.0, 3.0)
    ]
    assert 10 < sum(outcomes) < len(outcomes) - 10
