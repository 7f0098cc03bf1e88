"""A run that begins late decides as the run over all bars does, from its first bar on."""

from dataclasses import fields, replace

import numpy as np
import pytest

from quant_assets import backtest
from quant_assets.quant.strategies import library_strategies
from quant_assets.quant.strategies.base import VectorStrategy
from quant_assets.quant.strategies.signals import Signals
from quant_assets_tests.quant.simulation.execution.hand_runs import Told
from quant_assets_tests.quant.strategies.library.cases import case, without_costs

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", sorted(library_strategies()))
def test_run_from_a_start_is_that_of_all_signals_from_there_on(name: str):
    """The same signals without those before the start, traded from the first bar on."""
    strategy, bars = case(name)
    assert isinstance(strategy, VectorStrategy)
    first = 2 * len(bars) // 3
    signals, plan = strategy.signals(bars), strategy.plan(bars)
    given = {one.name: getattr(signals, one.name) for one in fields(Signals)}
    later = {}
    for field, values in given.items():
        if values is None:
            continue
        kept = np.array(np.broadcast_to(values, bars.close.shape))
        kept[:first] = False if kept.dtype == np.bool_ else np.nan
        later[field] = kept
    told = Told(decisions=replace(signals, **later), goes_with=plan, warm_up_bars=strategy.warm_up)
    terms = without_costs(bars)
    expected = backtest(told, bars, terms)
    found = backtest(strategy, bars, terms, start=bars.ts[first])
    np.testing.assert_array_equal(found.equity_values, expected.equity_values[first:])
    assert (expected.equity_values[: first + 1] == expected.initial_capital).all()
    shared = ["symbol", "decided_ts", "entry_ts", "exit_ts", "pnl"]
    assert found.trades[shared].equals(expected.trades[shared])
