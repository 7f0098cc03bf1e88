"""The lean kernel gives the event kernel's fills and equity, in everything that it does."""

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
    rates = lean_rates(run.terms, run.signals, accounts)
    return run_lean(run.bars, decisions, rates, CAPITAL)


def table(orders):
    return np.stack([np.asarray(column, dtype=np.float64) for column in orders], axis=1)


def by_place(fills):
    """By bar and symbol; fills of one symbol in one bar stay in their order.

    Without what rounding leaves of the room of an account that is used up.
    """
    fills = fills[np.abs(fills[:, 3]) * fills[:, 4] > 1e-9 * CAPITAL]
    return fills[np.lexsort((fills[:, 1], fills[:, 0]))]


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
        np.testing.assert_allclose(
            by_place(table(shared.orders)), by_place(fills), rtol=1e-12, atol=1e-9
        )
        np.testing.assert_allclose(shared.equity[:, 0], equity, rtol=1e-12)
    singles = [by_events(column_of(run, j), CAPITAL) for j in range(len(run.bars.symbols))]
    if isolated is None:
        assert any((fills[:, 2] == LIQUIDATION).any() for fills, _ in singles)
        return n_fills, True
    exact = run.plan.sizes.unit < 2 and not kinds.get("large", False)
    for j, (fills, equity) in enumerate(singles):
        mine = table(isolated.orders)[isolated.orders.symbol == j]
        mine[:, 1] = 0.0
        if exact:
            np.testing.assert_array_equal(mine, fills)
            np.testing.assert_array_equal(isolated.equity[:, j], equity)
        else:
            np.testing.assert_allclose(mine, fills, rtol=1e-12, atol=1e-9)
            np.testing.assert_allclose(isolated.equity[:, j], equity, rtol=1e-12)
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
