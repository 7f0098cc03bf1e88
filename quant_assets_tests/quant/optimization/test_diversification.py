"""Maximum diversification and maximum decorrelation."""

import numpy as np
import pytest

from quant_assets.quant.moments.covariance import ledoit_wolf
from quant_assets.quant.optimization.base import Constraints
from quant_assets.quant.optimization.maximum_decorrelation import MaximumDecorrelation
from quant_assets.quant.optimization.maximum_diversification import MaximumDiversification
from quant_assets_tests.quant.optimization.samples import market, with_covariance


def ratio(weights: np.ndarray, covariance: np.ndarray) -> float:
    return weights @ np.sqrt(np.diag(covariance)) / np.sqrt(weights @ covariance @ weights)


@pytest.mark.parametrize("correlation", [-0.5, 0.0, 0.9])
def test_maximum_diversification_two_assets_is_inverse_volatility(correlation):
    cross = correlation * 2e-4
    returns = with_covariance(np.array([[1e-4, cross], [cross, 4e-4]]))
    fitted = MaximumDiversification(covariance="sample").fit(returns)
    np.testing.assert_allclose(fitted.weights_, [2 / 3, 1 / 3], rtol=1e-8)
    expected = np.sqrt(2 / (1 + correlation))  # both sides weigh the same in risk
    assert fitted.solver_report_.objective == pytest.approx(expected)


def test_maximum_diversification_uncorrelated_assets_by_hand():
    # inverse volatilities; the ratio is the square root of the number of independent bets
    returns = with_covariance(np.diag([1e-4, 4e-4, 16e-4]))
    fitted = MaximumDiversification(covariance="sample").fit(returns)
    np.testing.assert_allclose(fitted.weights_, np.array([4, 2, 1]) / 7, rtol=1e-8)
    assert fitted.solver_report_.objective == pytest.approx(np.sqrt(3))


@pytest.mark.parametrize("upper", [0.15, 1.0])
def test_maximum_diversification_no_neighbour_is_better(upper):
    returns, rng = market(150, 10), np.random.default_rng(0)
    fitted = MaximumDiversification(constraints=Constraints(upper=upper)).fit(returns)
    covariance = ledoit_wolf(returns)
    best = ratio(fitted.weights_, covariance)
    for _ in range(300):
        other = rng.dirichlet(np.ones(10))
        mixed = 0.98 * fitted.weights_ + 0.02 * np.where(other > upper, 0.1, other)
        mixed /= mixed.sum()
        if mixed.max() <= upper:
            assert ratio(mixed, covariance) <= best + 1e-12


@pytest.mark.slow
def test_maximum_diversification_equals_skfolio():
    from skfolio.moments import LedoitWolf
    from skfolio.optimization import MaximumDiversification as Theirs
    from skfolio.prior import EmpiricalPrior

    returns = market(250, 8)
    prior = EmpiricalPrior(covariance_estimator=LedoitWolf())
    theirs = Theirs(prior_estimator=prior, max_weights=0.3).fit(returns).weights_
    ours = MaximumDiversification(constraints=Constraints(upper=0.3)).fit(returns).weights_
    covariance = ledoit_wolf(returns)
    assert ratio(ours, covariance) >= ratio(theirs, covariance) * (1 - 1e-10)
    np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_maximum_decorrelation_ignores_volatilities():
    returns = market(200, 6)
    plain = MaximumDecorrelation(covariance="sample").fit(returns)
    scaled = MaximumDecorrelation(covariance="sample").fit(returns * [1, 2, 3, 4, 5, 6])
    np.testing.assert_allclose(plain.weights_, scaled.weights_, atol=1e-10)


def test_maximum_decorrelation_of_inner_assets_is_the_closed_form():
    returns = market(300, 5)
    fitted = MaximumDecorrelation(covariance="sample").fit(returns)
    correlation = np.corrcoef(returns.T)
    solved = np.linalg.solve(correlation, np.ones(5))
    assert (solved > 0).all()
    np.testing.assert_allclose(fitted.weights_, solved / solved.sum(), rtol=1e-8)
    objective = fitted.weights_ @ correlation @ fitted.weights_
    assert fitted.solver_report_.objective == pytest.approx(objective)


def test_maximum_diversification_is_decorrelation_per_volatility():
    # Christoffersen et al.: without bounds in the way, one is the other divided by volatility
    returns = market(300, 5)
    even = MaximumDecorrelation(covariance="sample").fit(returns).weights_
    spread = even / returns.std(axis=0)
    weights = MaximumDiversification(covariance="sample").fit(returns).weights_
    np.testing.assert_allclose(weights, spread / spread.sum(), rtol=1e-6)
