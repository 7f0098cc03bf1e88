"""Short cuts of a plain call give what the long way gives."""

import numpy as np
import pandas as pd

from quant_assets import backtest
from quant_assets.quant.simulation.execution.funding.settlements import Settlements
from quant_assets.quant.simulation.execution.model import ExecutionModel
from quant_assets.quant.strategies.signals import Signals
from quant_assets_tests.quant.simulation.execution.hand_runs import Told, at, flat_bars


def test_no_execution_is_the_default_model_of_every_call():
    bars = flat_bars(6, volume=np.full((6, 1), 1e6))
    told = Told(decisions=Signals(entry_long=at(bars, 0), exit_long=at(bars, 3)))
    runs = [backtest(told, bars, execution) for execution in (None, ExecutionModel(), None)]
    assert len({run.hash() for run in runs}) == 1
    assert runs[0].costs.amount["commission"] < 0.0


def test_a_commission_that_is_not_scaled_is_that_of_its_plug_in():
    bars = flat_bars(2)
    plain = ExecutionModel(commission_scale=1.0).terms(bars).commission
    twice = ExecutionModel(commission_scale=2.0).terms(bars).commission
    assert plain.taker == 5e-4
    assert twice.taker == 1e-3


def test_bars_without_perpetuals_settle_nothing():
    other = pd.DataFrame({"ts": pd.DatetimeIndex([], tz="UTC"), "symbol": pd.Series(dtype="str")})
    for funding in (None, other):
        events = Settlements().events(flat_bars(3), funding)
        assert all(len(values) == 0 for values in events)
