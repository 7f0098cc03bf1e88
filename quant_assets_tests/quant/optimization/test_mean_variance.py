"""Mean-variance utility: closed forms and limits."""

import numpy as np
import pytest

from quant_assets.core.errors import ConfigError
from quant_assets.quant.optimization.base import Constraints
from quant_assets.quant.optimization.mean_variance import MeanVariance
from quant_assets.quant.optimization.minimum_variance import MinimumVariance
from quant_assets_tests.quant.optimization.samples import market, with_covariance

FREE = Constraints(lower=-10.0, upper=10.0)


def test_mean_variance_two_uncorrelated_assets_by_hand():
    # variances 4 % and 4 % a year, mu 10 % and 6 %, lambda 5: the difference d = w1 - w2 solves
    # (0.10 - 0.06) = 5 * 0.04 * d, so d = 0.2 and w = (0.6, 0.4)
    returns = with_covariance(np.diag([0.04, 0.04]) / 252)
    fitted = MeanVariance(covariance="sample").fit(returns, expected_returns=[0.10, 0.06])
    np.testing.assert_allclose(fitted.weights_, [0.6, 0.4], rtol=1e-9)
    # a year: 0.084 expected, less 2.5 times the variance 0.04 * (0.36 + 0.16)
    assert fitted.solver_report_.objective == pytest.approx(0.032 / 252, rel=1e-12)


def test_mean_variance_unbounded_matches_the_budget_formula():
    # w = inv(S)(mu - v 1) / lambda, with v so that the weights sum to 1
    returns = market(200, 5)
    mean, covariance = returns.mean(axis=0), np.cov(returns.T)
    inverse = np.linalg.inv(covariance)
    price = (inverse.sum(axis=1) @ mean - 3.0) / inverse.sum()
    expected = inverse @ (mean - price) / 3.0
    fitted = MeanVariance(constraints=FREE, risk_aversion=3.0, covariance="sample").fit(returns)
    np.testing.assert_allclose(fitted.weights_, expected, rtol=1e-7)


def test_mean_variance_unit_of_time_does_not_matter():
    returns, alpha = market(200, 6), np.linspace(-0.1, 0.2, 6)
    daily = MeanVariance(periods_per_year=252.0).fit(returns, expected_returns=alpha)
    monthly = MeanVariance(periods_per_year=12.0)
    scaled = monthly.fit(returns * np.sqrt(21.0), expected_returns=alpha)
    np.testing.assert_allclose(daily.weights_, scaled.weights_, atol=1e-8)


def test_mean_variance_great_aversion_is_minimum_variance():
    returns = market(200, 6)
    cautious = MeanVariance(risk_aversion=1e9).fit(returns).weights_
    np.testing.assert_allclose(cautious, MinimumVariance().fit(returns).weights_, atol=1e-6)


def test_mean_variance_small_aversion_takes_the_best_asset():
    returns, alpha = market(200, 6), [0.0, 0.1, 0.3, 0.2, -0.1, 0.0]
    optimizer = MeanVariance(constraints=Constraints(upper=0.7), risk_aversion=1e-6)
    weights = optimizer.fit(returns, expected_returns=alpha).weights_
    np.testing.assert_allclose(weights, [0, 0, 0.7, 0.3, 0, 0], atol=1e-12)


def test_mean_variance_without_aversion_is_refused():
    with pytest.raises(ConfigError, match="risk_aversion is 0"):
        MeanVariance(risk_aversion=0.0).fit(market(10, 2))
