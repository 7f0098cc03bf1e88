import numpy as np
import pytest

from quant_assets.core.telemetry import NullTelemetry
from quant_assets.quant.features.stage import feature_directions
from quant_assets.quant.synthesis.signals.rank import Rank
from quant_assets_tests.quant.synthesis.synthetic import signal_inputs

NAN = np.nan

DIRECTIONS = {name: sign for name, sign in feature_directions().items() if sign}


def _score(features):
    return Rank().score(signal_inputs(features), NullTelemetry())


@pytest.mark.parametrize("name", sorted(DIRECTIONS))
def test_rank_of_one_feature_is_its_centred_rank_times_its_sign(name):
    expected = np.array([-2 / 3, 2 / 3, 0.0]) * DIRECTIONS[name]
    np.testing.assert_allclose(_score({name: [1.0, 3.0, 2.0]}), expected, atol=1e-15)


def test_rank_by_hand_averages_sign_adjusted_ranks():
    features = {"trend": [1.0, 2.0], "momentum_12_1": [1.0, 2.0], "volatility": [0.1, 0.2]}
    # trend and momentum: -.5 .5 each; volatility: .5 -.5
    np.testing.assert_allclose(_score(features), [-1 / 6, 1 / 6])


def test_rank_prefers_the_shallower_drawdown():
    low, high = _score({"drawdown": [-0.5, -0.1]})
    assert low < high


def test_rank_with_missing_features_uses_the_others():
    features = {"trend": [1.0, 2.0, NAN], "beta": [NAN, 2.0, NAN]}
    np.testing.assert_allclose(_score(features), [-0.5, 0.25, NAN])


def test_rank_leaves_out_features_of_unknown_sign():
    features = {"trend": [1.0, 2.0], "brand_new": [9.0, 1.0]}
    np.testing.assert_allclose(_score(features), [-0.5, 0.5])
    assert np.isnan(_score({"brand_new": [9.0, 1.0]})).all()
