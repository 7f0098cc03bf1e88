"""Minimum variance: closed forms."""

import numpy as np
import pytest

from quant_assets.quant.optimization.base import Constraints
from quant_assets.quant.optimization.minimum_variance import MinimumVariance
from quant_assets_tests.quant.optimization.samples import market, with_covariance


def test_minimum_variance_two_assets_closed_form():
    # w1 = (s2^2 - s12) / (s1^2 + s2^2 - 2 s12) = (9 - 1) / (4 + 9 - 2) = 8/11
    returns = with_covariance(np.array([[4e-4, 1e-4], [1e-4, 9e-4]]))
    fitted = MinimumVariance(covariance="sample").fit(returns)
    np.testing.assert_allclose(fitted.weights_, [8 / 11, 3 / 11], rtol=1e-9)
    # variance (s1^2 s2^2 - s12^2) / (s1^2 + s2^2 - 2 s12) = 35/11
    assert fitted.solver_report_.objective == pytest.approx(35 / 11 * 1e-4, rel=1e-12)


def test_minimum_variance_cap_binds_by_hand():
    returns = with_covariance(np.array([[4e-4, 1e-4], [1e-4, 9e-4]]))
    constraints = Constraints(upper=0.6)
    fitted = MinimumVariance(constraints=constraints, covariance="sample").fit(returns)
    np.testing.assert_allclose(fitted.weights_, [0.6, 0.4], atol=1e-15)


def test_minimum_variance_long_only_leaves_out_the_levered_asset():
    # s12 = 6 > s1^2 = 4: unconstrained, asset 2 would be short
    returns = with_covariance(np.array([[4e-4, 6e-4], [6e-4, 16e-4]]))
    weights = MinimumVariance(covariance="sample").fit(returns).weights_
    np.testing.assert_allclose(weights, [1.0, 0.0], atol=1e-15)


def test_minimum_variance_shorts_allowed_by_hand():
    # w1 = (16 - 6) / (4 + 16 - 12) = 1.25
    returns = with_covariance(np.array([[4e-4, 6e-4], [6e-4, 16e-4]]))
    constraints = Constraints(lower=-1.0, upper=2.0)
    fitted = MinimumVariance(constraints=constraints, covariance="sample").fit(returns)
    np.testing.assert_allclose(fitted.weights_, [1.25, -0.25], rtol=1e-9)


def test_minimum_variance_gross_limit_that_binds_is_met_exactly():
    # as above, but gross 1.2 allows only 1.1 and -0.1
    returns = with_covariance(np.array([[4e-4, 6e-4], [6e-4, 16e-4]]))
    constraints = Constraints(lower=-1.0, upper=2.0, max_gross=1.2)
    fitted = MinimumVariance(constraints=constraints, covariance="sample").fit(returns)
    np.testing.assert_allclose(fitted.weights_, [1.1, -0.1], atol=1e-13)
    assert fitted.solver_report_.fallback == ""
    assert fitted.solver_report_.solver == "active set"
    assert fitted.solver_report_.residual <= 1e-12


def test_minimum_variance_duplicated_asset_reaches_the_same_variance():
    returns = market(100, 3)
    twice = np.column_stack([returns, returns[:, 0]])
    optimizer = MinimumVariance(covariance="sample")
    alone = optimizer.fit(returns).solver_report_.objective
    assert optimizer.fit(twice).solver_report_.objective == pytest.approx(alone, rel=1e-8)


def test_minimum_variance_fewer_rows_than_assets_is_survived():
    returns = market(8, 20)
    fitted = MinimumVariance(covariance="sample").fit(returns)
    assert fitted.solver_report_.status == "optimal"
    assert fitted.solver_report_.residual <= 1e-12


def test_minimum_variance_without_any_variance_is_survived():
    fitted = MinimumVariance().fit(np.zeros((10, 4)))
    assert fitted.solver_report_.objective == 0.0
    assert fitted.weights_.sum() == pytest.approx(1.0)
