import numpy as np
import pytest

from quant_assets.core.errors import ConfigError
from quant_assets.core.telemetry import NullTelemetry
from quant_assets.quant.synthesis.signals.mps import MultiplicativeProbabilityScore, log_score
from quant_assets_tests.quant.synthesis.synthetic import signal_inputs

NAN = np.nan


def _score(features, weights):
    inputs = signal_inputs(features, mps_weights=weights)
    return MultiplicativeProbabilityScore().score(inputs, NullTelemetry())


def test_log_score_on_three_symbols_by_hand():
    percentiles = np.array([[1 / 6, 1 / 2, 5 / 6], [5 / 6, 1 / 6, 1 / 2]])
    result = np.exp(log_score(percentiles, np.array([1.0, -0.5])))
    # score: first percentile times the root of one minus the second, root 1.5 of it
    expected = [
        (1 / 6 * (1 / 6) ** 0.5) ** (1 / 1.5),
        (1 / 2 * (5 / 6) ** 0.5) ** (1 / 1.5),
        (5 / 6 * (1 / 2) ** 0.5) ** (1 / 1.5),
    ]
    np.testing.assert_allclose(result, expected, rtol=1e-12)


def test_mps_on_three_symbols_by_hand():
    features = {"trend": [1.0, 2.0, 3.0], "volatility": [0.3, 0.1, 0.2]}
    # the scores above: 1/6, 0.593, 0.703 -> ranks 1 2 3
    result = _score(features, {"trend": 1.0, "volatility": -0.5})
    np.testing.assert_allclose(result, [-2 / 3, 0.0, 2 / 3], atol=1e-15)


def test_mps_punishes_one_bad_feature_more_than_the_mean_does():
    # products of percentiles: 1/10 * 9/10 < 3/10 * 5/10, although the first sum is larger
    features = {"a": [1.0, 2.0, 3.0, 4.0, 5.0], "b": [5.0, 3.0, 1.0, 2.0, 4.0]}
    result = _score(features, {"a": 1.0, "b": 1.0})
    assert result[0] < result[1]


def test_mps_negative_weight_mirrors_the_feature():
    values = np.array([0.3, 0.1, 0.2, 0.9])
    mirrored = _score({"v": -values}, {"v": 0.7})
    np.testing.assert_array_equal(_score({"v": values}, {"v": -0.7}), mirrored)


def test_mps_of_symmetric_symbols_ties_them_whatever_the_order_of_the_sum():
    features = {"a": [1.0, 2.0, 3.0], "b": [2.0, 3.0, 1.0], "c": [3.0, 1.0, 2.0]}
    result = _score(features, {"a": 1.0, "b": 1.0, "c": 1.0})
    np.testing.assert_array_equal(result, np.zeros(3))


def test_mps_normalises_by_the_weights_that_a_symbol_has():
    features = {"a": [1.0, 2.0, 3.0], "b": [NAN, 1.0, 2.0]}
    percentiles = np.array([[1 / 6, 1 / 2, 5 / 6], [NAN, 0.25, 0.75]])
    logs = log_score(percentiles, np.array([2.0, 1.0]))
    np.testing.assert_allclose(np.exp(logs[0]), 1 / 6)
    np.testing.assert_allclose(np.exp(logs[1]), (0.5**2 * 0.25) ** (1 / 3))
    assert np.argmax(_score(features, {"a": 2.0, "b": 1.0})) == 2
    lone = _score({"a": [NAN, 1.0, 2.0]}, {"a": 1.0})
    np.testing.assert_allclose(lone, [NAN, -0.5, 0.5])


def test_mps_with_an_unknown_feature_names_it_and_the_known_ones():
    with pytest.raises(ConfigError, match=r"\['trand'\]; known: \['trend'\]"):
        _score({"trend": [1.0, 2.0]}, {"trand": 1.0})


@pytest.mark.parametrize("weights", [{}, {"trend": 0.0}, {"absent": 0.0}])
def test_mps_without_weights_has_no_opinion(weights):
    assert np.isnan(_score({"trend": [1.0, 2.0]}, weights)).all()
