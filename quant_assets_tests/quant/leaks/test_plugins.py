"""The leak check of indicators, signals and screens; other plug-ins: `test_every_plug_in`."""

from dataclasses import replace

import numpy as np
import pytest

from quant_assets.core.registry import discover
from quant_assets.quant import indicators
from quant_assets.quant.discovery.base import Screen
from quant_assets.quant.discovery.candidates import SCREENS_PACKAGE
from quant_assets.quant.leaks.functions import check_function
from quant_assets.quant.leaks.memory import Memory, functions_of
from quant_assets.quant.leaks.settings import Settings
from quant_assets.quant.leaks.sources import clock_reads
from quant_assets.quant.synthesis.signals.base import Signal
from quant_assets_tests.plugin_checks.test_indicators import columns_for, results_of
from quant_assets_tests.plugin_checks.test_screens import messy_inputs
from quant_assets_tests.plugin_checks.test_signals import _inputs, _score

pytestmark = pytest.mark.slow

INDICATORS = indicators.catalogue()
SCREENS = discover(SCREENS_PACKAGE, Screen)
SIGNALS = discover("quant_assets.quant.synthesis.signals", Signal)


@pytest.mark.parametrize("name", sorted(INDICATORS))
def test_indicator_is_trusted(name):
    indicator = INDICATORS[name]()
    n_times = max(160, 3 * indicator.lookback)
    columns = {f"{i}": c for i, c in enumerate(columns_for(indicator, n_times, 2, seed=3))}
    report = check_function(
        lambda d: np.hstack(np.moveaxis(results_of(indicator, list(d.values())), -1, 0)),
        columns,
        settings=Settings(warm_up=indicator.lookback, start_up=False),
    )
    assert report.trusted, str(report)
    assert not report.failed


def test_average_that_forgets_exponentially_needs_what_its_weight_says():
    tolerance, n = 1e-6, 10
    values = np.full(800, 100.0)
    values[: 800 - 200] = 101.0  # the data before the later start were 1 % higher
    report = check_function(
        lambda v: indicators.ema(v, n), values, settings=Settings(tolerance=tolerance)
    )
    (part,) = report.start_up
    decay = 1.0 - 2.0 / (n + 1.0)
    seeded = n - 1  # the first value, an average of n rows, which the other run has followed
    gap = 0.01 * 100.0 * decay**n / 100.0
    expected = seeded + int(np.ceil(np.log(tolerance / gap) / np.log(decay)))
    assert abs(part.needed - expected) <= 1


@pytest.mark.parametrize("name", sorted(SIGNALS))
def test_score_of_a_decision_forgets_later_decisions(name):
    signal = SIGNALS[name]()
    later, earlier = _inputs(rows=160), _inputs(rows=130)
    memory = Memory(signal)
    alone = _score(signal, earlier).tobytes()
    memory.restore()
    _score(signal, later)
    assert _score(signal, earlier).tobytes() == alone
    assert clock_reads(functions_of(signal)) == ()


@pytest.mark.parametrize("name", sorted(SCREENS))
def test_verdict_of_a_screen_forgets_later_decisions(name):
    screen, later = SCREENS[name](), messy_inputs()
    earlier = replace(
        later,
        **{part: getattr(later, part).tail(60) for part in ("close", "returns", "volume")},
    )
    memory = Memory(screen)
    alone = screen.measure(earlier).tobytes()
    memory.restore()
    screen.measure(later)
    assert screen.measure(earlier).tobytes() == alone
    assert clock_reads(functions_of(screen)) == ()
