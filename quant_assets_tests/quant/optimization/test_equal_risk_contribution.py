"""Equal risk contributions: closed forms and shares."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quant_assets.core.errors import SolverError
from quant_assets.quant.moments.covariance import ledoit_wolf
from quant_assets.quant.optimization.base import Constraints
from quant_assets.quant.optimization.equal_risk_contribution import (
    EqualRiskContribution,
    share_error,
)
from quant_assets.quant.optimization.inverse_volatility import InverseVolatility
from quant_assets_tests.quant.optimization.samples import market, with_covariance


@pytest.mark.parametrize("correlation", [-0.9, 0.0, 0.5, 0.99])
def test_equal_risk_two_assets_is_inverse_volatility(correlation):
    cross = correlation * 2e-4
    returns = with_covariance(np.array([[1e-4, cross], [cross, 4e-4]]))
    weights = EqualRiskContribution(covariance="sample").fit(returns).weights_
    np.testing.assert_allclose(weights, [2 / 3, 1 / 3], rtol=1e-9)


def test_equal_risk_equal_correlations_is_inverse_volatility():
    returns = with_covariance(np.diag([1e-4, 4e-4, 9e-4]))
    weights = EqualRiskContribution(covariance="sample").fit(returns).weights_
    expected = InverseVolatility(covariance="sample").fit(returns).weights_
    np.testing.assert_allclose(weights, expected, rtol=1e-9)


def test_share_error_by_hand():
    # variance of (0.5, 0.5) on diag(1, 3): shares 1/4 and 3/4
    assert share_error(np.diag([1.0, 3.0]), np.array([0.5, 0.5])) == pytest.approx(0.25)


@settings(max_examples=60, deadline=None)
@given(n_assets=st.integers(1, 30), seed=st.integers(0, 5000), exponent=st.integers(-6, 4))
def test_equal_risk_any_market_has_equal_shares(n_assets, seed, exponent):
    returns = market(60, n_assets, scale=10.0**exponent, seed=seed)
    fitted = EqualRiskContribution(constraints=Constraints(budget=0.8)).fit(returns)
    assert share_error(ledoit_wolf(returns), fitted.weights_) <= 1e-9
    assert (fitted.weights_ > 0).all()
    assert fitted.weights_.sum() == pytest.approx(0.8, abs=1e-12)
    assert fitted.solver_report_.fallback == ""


def test_equal_risk_perfect_hedge_is_refused():
    # correlation -1: the hedged pair has no variance, so that shares of it mean nothing
    returns = np.column_stack([np.tile([0.01, -0.01], 20), np.tile([-0.02, 0.02], 20)])
    with pytest.raises(SolverError):
        EqualRiskContribution(covariance="sample").fit(returns)


def test_equal_risk_constant_asset_is_refused():
    returns = market(20, 3)
    returns[:, 2] = 0.0
    with pytest.raises(SolverError, match="asset 2 has variance 0"):
        EqualRiskContribution(covariance="sample").fit(returns)


def test_equal_risk_box_is_left_to_hardening():
    returns = with_covariance(np.diag([1e-4, 100e-4]))
    optimizer = EqualRiskContribution(constraints=Constraints(upper=0.6), covariance="sample")
    fitted = optimizer.fit(returns)
    np.testing.assert_allclose(fitted.weights_, [10 / 11, 1 / 11], rtol=1e-9)
    assert fitted.solver_report_.residual == pytest.approx(10 / 11 - 0.6)
