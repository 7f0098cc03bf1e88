"""Checks that every signal plug-in passes, found by discovery."""

import copy
import dataclasses

import numpy as np
import pytest

from quant_assets.core.registry import discover
from quant_assets.core.telemetry import NullTelemetry
from quant_assets.quant.synthesis.signals.base import Signal
from quant_assets_tests.quant.synthesis.synthetic import signal_inputs

pytestmark = pytest.mark.slow

PACKAGE = "quant_assets.quant.synthesis.signals"
SIGNALS = discover(PACKAGE, Signal)
FEATURES = [
    "beta",
    "distance_52w_high",
    "drawdown",
    "momentum_12_1",
    "reversal_1m",
    "trend",
    "volatility",
]
WEIGHTS = {"momentum_12_1": 1.0, "trend": 0.5, "volatility": -0.5}


SLOW = {"gradient_boosting", "ranking"}


@pytest.fixture(
    params=[pytest.param(n, marks=[pytest.mark.slow] * (n in SLOW)) for n in sorted(SIGNALS)]
)
def signal(request):
    return SIGNALS[request.param]()


def _inputs(rows=160, count=12, holes=True):
    rng = np.random.default_rng(11)
    history = {name: rng.normal(size=(rows, count)) for name in FEATURES}
    returns = rng.normal(size=(rows, count)) * 0.02
    if holes:
        for values in [*history.values(), returns]:
            values[rng.random(values.shape) < 0.02] = np.nan
    latest = {name: values[-1].copy() for name, values in history.items()}
    options = {"model_min_rows": 100, "label_horizon_bars": 8, "mps_weights": WEIGHTS}
    return signal_inputs(latest, history=history, returns=returns, **options)


def _permuted(inputs, order):
    return dataclasses.replace(
        inputs,
        symbols=tuple(inputs.symbols[i] for i in order),
        features={name: values[order] for name, values in inputs.features.items()},
        history={name: values[:, order] for name, values in inputs.history.items()},
        returns=inputs.returns[:, order],
    )


def _score(signal, inputs):
    return signal.score(inputs, NullTelemetry())


def test_signals_are_found():
    assert {"model", "mps", "rank"} <= set(SIGNALS)


def test_signal_name_can_be_a_column(signal):
    assert signal.name.isidentifier()
    assert signal.name == signal.name.lower()
    assert signal.name != "alpha"


def test_signal_scores_each_symbol_between_minus_one_and_one(signal):
    score = _score(signal, _inputs())
    assert score.shape == (12,)
    assert score.dtype == np.float64
    known = score[~np.isnan(score)]
    assert len(known) >= 6
    assert np.abs(known).max() <= 1
    assert np.ptp(known) > 0


def test_signal_twice_gives_the_same_bytes_and_leaves_its_input_alone(signal):
    inputs = _inputs()
    before = copy.deepcopy(inputs)
    assert _score(signal, inputs).tobytes() == _score(signal, inputs).tobytes()
    np.testing.assert_array_equal(inputs.returns, before.returns)
    for name in FEATURES:
        np.testing.assert_array_equal(inputs.features[name], before.features[name])
        np.testing.assert_array_equal(inputs.history[name], before.history[name])


def test_signal_of_permuted_symbols_is_permuted(signal):
    order = np.random.default_rng(2).permutation(12)
    inputs = _inputs()
    expected = _score(signal, inputs)[order]
    np.testing.assert_allclose(_score(signal, _permuted(inputs, order)), expected, atol=1e-12)


def test_signal_gives_equal_symbols_equal_scores(signal):
    inputs = _inputs(holes=False)
    twins = _permuted(inputs, np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]))
    score = _score(signal, twins)
    np.testing.assert_array_equal(score[:2], score[10:])


@pytest.mark.parametrize("count", [1, 2])
def test_signal_of_few_symbols_stays_in_range(signal, count):
    score = _score(signal, _inputs(count=count))
    assert score.shape == (count,)
    assert np.all(np.isnan(score) | (np.abs(score) <= 1))


def test_signal_without_values_has_no_opinion(signal):
    inputs = _inputs()
    nothing = {name: np.full(12, np.nan) for name in FEATURES}
    assert np.isnan(_score(signal, dataclasses.replace(inputs, features=nothing))).all()


def test_signal_of_constant_features_prefers_nobody(signal):
    inputs = _inputs(holes=False)
    flat = {name: np.full(12, 0.1) for name in FEATURES}
    score = _score(signal, dataclasses.replace(inputs, features=flat))
    assert np.all(np.isnan(score) | (np.abs(score) < 1e-15))


def test_signal_ignores_monotone_changes_of_scale(signal):
    inputs = _inputs()
    scaled = dataclasses.replace(
        inputs,
        features={name: values * 1e-8 for name, values in inputs.features.items()},
        history={name: values * 1e-8 for name, values in inputs.history.items()},
    )
    np.testing.assert_allclose(_score(signal, scaled), _score(signal, inputs), atol=1e-12)


def test_signal_with_one_row_of_history_does_not_fail(signal):
    score = _score(signal, _inputs(rows=1, holes=False))
    assert score.shape == (12,)
