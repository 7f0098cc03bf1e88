"""The benchmarks trade what independent ways trade, on small cases."""

from datetime import timedelta

import numpy as np
import pytest

from benchmarks import backtest_bars, backtest_full, backtest_many, backtest_single, backtest_sweep
from benchmarks._backtests import CASH, FEE, SLIPPAGE, costs, random_bars
from quant_assets.quant.simulation.execution.model import ExecutionModel

pytestmark = pytest.mark.slow


def test_a_plain_loop_trades_every_order_of_the_reversion():
    bars = random_bars(3, 5_000, backtest_many.STEP)
    orders, equity = backtest_many.lean(bars, costs(bars))
    expected_orders, expected = backtest_many.plain_loop(bars)
    assert orders == expected_orders > 100
    assert equity == pytest.approx(expected, rel=1e-12)


def test_both_kernels_trade_the_average_cross_of_plain_numpy():
    bars = random_bars(1, 5_000, timedelta(minutes=1))
    found = backtest_single.lean(bars, costs(bars))
    assert found == backtest_single.every_event(bars, costs(bars))
    assert found == backtest_single.by_the_door(bars, costs(bars))
    assert found == pytest.approx(numpy_cross(bars, backtest_single.FAST, backtest_single.SLOW))


@pytest.mark.filterwarnings("ignore")  # the oracle's own, of its libraries
def test_python_code_per_bar_trades_what_backtesting_trades():
    peer = pytest.importorskip("backtesting", reason="the oracle backtesting is not installed")
    bars = random_bars(1, 2_000, timedelta(minutes=1))
    trades, equity = backtest_bars.ours(bars)
    theirs = backtest_bars.with_backtesting(peer, backtest_bars.ohlc(bars))
    assert trades == theirs[0] > 10
    assert equity == pytest.approx(theirs[1], rel=1e-12)


def test_the_sweep_adds_up_what_plain_numpy_trades_for_each_pair():
    bars = random_bars(1, 3_000, timedelta(minutes=5))
    chosen = backtest_sweep.pairs(12)
    each = [numpy_cross(bars, fast, slow) for fast, slow in chosen]
    found = backtest_sweep.ours(bars, chosen, measured=True)
    assert found[0] == sum(orders for orders, _ in each)
    assert found[1] == pytest.approx(sum(equity for _, equity in each), rel=1e-12)


def test_everything_at_once_trades_and_notes_every_trade():
    bars = backtest_full.with_spread(random_bars(2, 3_000, timedelta(minutes=1)))
    model = ExecutionModel.from_settings(backtest_full.EXECUTION)
    found = backtest_full.full(bars, model, backtest_full.settlements(bars))
    assert found.kernel == "events"
    assert found.n_trades > 10
    assert (found.costs["amount"][["commission", "slippage", "interest"]] != 0.0).all()
    quick = backtest_full.lean(bars)
    assert backtest_full.n_fills(quick) == backtest_full.n_fills(backtest_full.every_event(bars))


def numpy_cross(bars, fast, slow):
    """Orders and final equity of 100 units between crosses, by cumulated sums."""
    start, close = bars.open[:, 0], bars.close[:, 0]
    sums = np.concatenate([[0.0], np.cumsum(close)])
    means = []
    for n in (fast, slow):
        mean = np.full(len(close), np.nan)
        mean[n - 1 :] = (sums[n:] - sums[:-n]) / n
        means.append(mean)
    difference = means[0] - means[1]
    up = (difference[:-1] <= 0.0) & (difference[1:] > 0.0)
    down = (difference[:-1] >= 0.0) & (difference[1:] < 0.0)
    crossed = np.flatnonzero(up | down) + 1
    crossed = crossed[crossed + 1 < len(close)]
    if not up[crossed[0] - 1]:
        crossed = crossed[1:]
    sides = np.where(up[crossed - 1], 1.0, -1.0)
    paid = start[crossed + 1] * (1.0 + sides * SLIPPAGE)
    units = sides * backtest_single.SIZE
    cash = CASH - (units * paid).sum() - (np.abs(units) * paid * FEE).sum()
    return len(crossed), cash + units.sum() * close[-1]
