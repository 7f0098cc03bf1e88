"""Strategies of the library in a sweep: those of crossings are walked from crossing to crossing."""

import numpy as np
import pytest

from quant_assets import backtest
from quant_assets.quant.simulation.execution.defaults import frictionless
from quant_assets.quant.simulation.lean import Accounts, sweep
from quant_assets.quant.strategies import CrossingStrategy, find_strategy, library_strategies
from quant_assets_tests.quant.strategies.library.samples import random_market

pytestmark = pytest.mark.slow
GRIDS = {
    "macd_cross": {"fast": [5, 12], "slow": [20, 26], "sides": ["long", "both"]},
    "moving_average_cross": {"fast": [5, 10], "slow": [20, 40], "sides": ["long", "both"]},
    "rsi2_reversion": {"trend": [40, 60], "entry": [5.0, 10.0], "sides": ["long", "both"]},
}


def test_strategies_of_crossings_have_grids_here():
    crossing = {n for n, kind in library_strategies().items() if issubclass(kind, CrossingStrategy)}
    assert crossing == {name for name in GRIDS if name != "rsi2_reversion"}


@pytest.mark.parametrize("name", sorted(GRIDS))
def test_sweep_earns_what_backtests_do(name):
    kind, bars = find_strategy(name), random_market(400).select(["DEF", "GHI"])
    terms = frictionless(bars)
    found = sweep(kind, GRIDS[name], bars, terms, accounts=Accounts(kind="isolated"))
    walked = "crossings" if issubclass(kind, CrossingStrategy) else "bars"
    assert found.ways() == {walked: 8}
    for row, parameters in enumerate(found.parameters):
        for column, symbol in enumerate(bars.symbols):
            alone = bars.select([symbol])
            result = backtest(kind(**parameters), alone, frictionless(alone))
            assert found.final_equity[row, column] == pytest.approx(result.final_equity, rel=1e-9)
            assert found.fills[row, column] == len(result.fills)
    assert np.unique(found.final_equity[:, 0]).size > 4
