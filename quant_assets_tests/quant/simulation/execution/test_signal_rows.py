"""Rows of signals made without checks are checked by the run, and decide what others decide."""

from dataclasses import dataclass

import numpy as np
import pytest

from quant_assets import backtest
from quant_assets.core.errors import DataError
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.simulation.execution.defaults import frictionless
from quant_assets.quant.strategies.base import BarStrategy
from quant_assets.quant.strategies.signals import Signals
from quant_assets_tests.quant.simulation.execution.hand_runs import flat_bars
from quant_assets_tests.quant.simulation.execution.random_runs import random_run


@dataclass(frozen=True, kw_only=True)
class Rises(BarStrategy):
    """Holds what closed above the close before; `make` makes its signals."""

    name = "rises"
    make: object

    def on_bar(self, window, account):
        if len(window) < 2:
            return None
        last, before = window["close", -1], window["close", -2]
        rises = last > before
        return self.make(entry_long=rises, exit_long=~rises, strength=np.abs(last / before - 1.0))


@pytest.mark.parametrize("backwards", [False, True])
def test_rows_decide_what_signals_decide(backwards):
    run = random_run(4, n_bars=80)
    names = run.bars.symbols[::-1] if backwards else run.bars.symbols
    prices = {name: run.bars[name] for name in ("open", "high", "low", "close")}
    bars = BarPanel.from_arrays(run.bars.ts, names, run.bars.bar_length, **prices)
    found = [
        backtest(Rises(make=make), bars, frictionless(bars)) for make in (Signals, Signals.row)
    ]
    assert len(found[0].fills) > 10
    assert found[0].hash() == found[1].hash()


def test_a_row_is_the_object_that_signals_are():
    flags, price = np.array([True, False]), np.array([1.0, np.nan])
    made = Signals.row(entry_long=flags, limit=price)
    assert isinstance(made, Signals)
    assert vars(made) == vars(Signals(entry_long=flags, limit=price))
    assert made.shape == (2,)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"entry_long": np.zeros(3, dtype=np.bool_)}, "entry_long .* shape"),
        ({"entry_long": np.zeros(2, dtype=np.int8)}, "int8 .* bool"),
        ({"entry_long": [True, False]}, "list .* bool"),
        ({"target": np.array([0.5, np.inf])}, "infinite"),
        ({"target": np.zeros(2, dtype=np.float32)}, "float32 .* float64"),
        ({"entry_long": np.zeros(2, dtype=np.bool_), "limit": np.zeros((1, 2))}, "limit"),
        ({"entry_long": np.zeros(2, dtype=np.bool_), "target": np.zeros(2)}, "one kind"),
    ],
)
def test_what_a_row_does_not_check_the_run_does(given, words):
    bars = flat_bars(3, symbols=2)

    class Gives(BarStrategy):
        name = "gives"

        def on_bar(self, window, account):
            return Signals.row(**given)

    with pytest.raises(DataError, match=words):
        backtest(Gives(), bars, frictionless(bars))
