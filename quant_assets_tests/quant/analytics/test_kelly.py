import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from quant_assets.core.errors import DataError
from quant_assets.quant.analytics.kelly import (
    binary_kelly,
    continuous_kelly,
    kelly_weights,
    long_only_bet,
)


def test_binary_kelly_by_hand():
    assert binary_kelly(0.6, 1.0) == pytest.approx(0.2)
    assert binary_kelly([0.6, 0.5, 0.4], [2.0, 1.0, 1.0]).tolist() == pytest.approx([0.4, 0, -0.2])
    assert np.isnan(binary_kelly(0.5, 0.0))


@settings(max_examples=8, deadline=None)
@given(st.floats(0.35, 0.9), st.floats(0.5, 4.0))
def test_binary_kelly_maximises_expected_log_growth(p, b):
    def loss(f):
        return -(p * np.log1p(b * f) + (1 - p) * np.log1p(-f))

    best = optimize.minimize_scalar(loss, bounds=(-0.99 / b, 0.99), method="bounded").x
    if -0.9 / b < best < 0.9:
        assert float(binary_kelly(p, b)) == pytest.approx(best, abs=2e-4)


def test_binary_kelly_refuses_what_is_no_probability():
    with pytest.raises(DataError, match=r"win_rate must be in \[0, 1\]"):
        binary_kelly(1.2, 1.0)


def test_continuous_kelly_is_edge_over_variance():
    assert continuous_kelly(0.08, 0.04, 0.02) == pytest.approx(1.5)
    assert np.isnan(continuous_kelly(0.08, 0.0))


def test_kelly_weights_solve_the_covariance_at_any_scale():
    rng = np.random.default_rng(0)
    factors = rng.normal(size=(6, 4))
    sigma, mu = factors.T @ factors, rng.normal(size=4)
    np.testing.assert_allclose(kelly_weights(mu, sigma), np.linalg.inv(sigma) @ mu, rtol=1e-9)
    np.testing.assert_allclose(sigma * 1e-8 @ kelly_weights(mu, sigma * 1e-8), mu, rtol=1e-9)


def test_kelly_weights_of_one_asset_is_the_continuous_bet():
    assert kelly_weights([0.06], [[0.04]])[0] == pytest.approx(float(continuous_kelly(0.06, 0.04)))


@pytest.mark.parametrize(
    ("sigma", "message"),
    [
        ([[1.0, 1.0], [1.0, 1.0]], "eigenvalue"),
        ([[1.0, 0.0], [0.0, 0.0]], "asset 1 has no variance"),
        ([[1.0, 0.0]], "expected mu"),
    ],
)
def test_kelly_weights_of_a_singular_covariance_are_refused(sigma, message):
    with pytest.raises(DataError, match=message):
        kelly_weights([0.1, 0.1], sigma)


def test_long_only_bet_is_zero_for_a_negative_edge_and_capped():
    bets = long_only_bet([-0.3, 0.0, 0.4, 3.0, np.nan], share=0.5, cap=1.0)
    assert bets[:4].tolist() == [0.0, 0.0, 0.2, 1.0]
    assert np.isnan(bets[4])
