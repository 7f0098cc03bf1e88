"""Stops and targets of vectorbt on real bars with highs and lows, as `record_vectorbt` wrote them.

Equal: bar, side, units, price and fee of every order, but for one kind that differs: an exit signal
and a stop or target that are met in one bar. Ours leaves at the open, vectorbt at the stop's price,
which the bar reaches later. Each difference is shown to be of that kind.

Trailing stops: vectorbt follows the extremes of completed bars from the bar after the entry on,
ours from the entry bar on. An entry at the close has no extremes of its own bar: all are equal.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from quant_assets import backtest
from quant_assets.quant.risk.terms import STOP_FRACTION, TARGET_FRACTION, TRAIL_FRACTION
from quant_assets.quant.simulation.lean.account import simulate_lean
from quant_assets.quant.simulation.lean.terms import Accounts
from quant_assets_tests.quant.simulation.differential import cases
from quant_assets_tests.quant.simulation.differential.ohlc import MARKETS
from quant_assets_tests.quant.simulation.differential.strategies import StoppedCross
from quant_assets_tests.quant.simulation.lean.random_runs import with_costs

pytest.importorskip("backtesting", reason="the extra `dev` brings the bundled bars")
pytestmark = pytest.mark.slow

RECORDED = json.loads(Path(__file__).with_name("vectorbt_stops.json").read_text(encoding="utf-8"))
EXIT_SIGNAL = 1


@pytest.mark.parametrize("case", cases.EXITS)
@pytest.mark.parametrize("symbol", cases.STOPPED)
def test_stops_and_targets_fill_where_vectorbt_fills_them(symbol, case):
    bars, (units, stop, target) = MARKETS[symbol][0](), cases.STOPPED[symbol]
    levels = ((STOP_FRACTION, stop), (TARGET_FRACTION, target))
    chosen = tuple(e for e, has in zip(levels, cases.EXITS[case], strict=True) if has)
    terms = with_costs(bars, taker=cases.FEE, maker=cases.FEE, slippage=0.0)
    accounts = Accounts(initial_capital=cases.CASH, kind="isolated", rest=1)
    found = simulate_lean(StoppedCross(units=units, exits=chosen), bars, terms, accounts=accounts)
    log = found.orders
    mine = np.stack([log.bar, log.quantity, log.price, log.fee], axis=1)
    theirs = np.array(RECORDED["orders"][f"{symbol} {case}"])
    assert mine.shape == theirs.shape
    assert len(mine) > 30
    np.testing.assert_array_equal(mine[:, :2], theirs[:, :2])
    others = np.flatnonzero(~np.isclose(mine[:, 2:], theirs[:, 2:], rtol=1e-9).all(axis=1))
    assert len(others) <= 2
    for row in others.tolist():
        bar, paid = int(mine[row, 0]), mine[row - 1, 2]
        assert log.reason[row] == EXIT_SIGNAL
        assert mine[row, 2] == bars.open[bar, 0]
        met = [paid * (1 - stop), paid * (1 + target)]
        assert np.isclose(theirs[row, 2], met, rtol=1e-9).any()
        assert bars.low[bar, 0] <= theirs[row, 2] <= bars.high[bar, 0]


def test_protective_exits_are_met_in_every_recorded_case():
    for symbol, (_, stop, target) in cases.STOPPED.items():
        for case in cases.EXITS:
            orders = np.array(RECORDED["orders"][f"{symbol} {case}"])
            pairs = orders[: len(orders) // 2 * 2].reshape(-1, 2, 4)
            ratio = pairs[:, 1, 2] / pairs[:, 0, 2]
            level = 1.0 - stop if case == "stop" else 1.0 + target
            assert np.isclose(ratio, level, rtol=1e-9).sum() >= 3


@pytest.mark.parametrize("symbol", cases.STOPPED)
def test_trailing_stops_of_entries_at_the_close_are_those_of_vectorbt(symbol):
    bars, (units, stop, _) = MARKETS[symbol][0](), cases.STOPPED[symbol]
    strategy = StoppedCross(units=units, exits=((TRAIL_FRACTION, stop),))
    execution = {
        "fill_model": "next_close",
        "slippage_model": "none",
        "commission_model": {"percent": {"bps": 1e4 * cases.FEE}},
    }
    fills = backtest(strategy, bars, execution, initial_capital=cases.CASH).fills
    at = np.searchsorted(bars.ts, fills["ts"].dt.tz_localize(None).to_numpy())
    mine = np.column_stack([at, fills[["quantity", "price", "commission"]].to_numpy()])
    np.testing.assert_allclose(mine, RECORDED["trailing"][symbol], rtol=1e-9)
    assert (fills["reason"] == "trailing_stop").sum() >= 20
