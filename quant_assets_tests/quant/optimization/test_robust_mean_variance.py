"""Robust mean-variance against a cone program and by hand."""

import numpy as np
import pytest

from quant_assets.core.errors import ConfigError, SolverError
from quant_assets.quant.moments.covariance import ledoit_wolf
from quant_assets.quant.optimization.base import Constraints
from quant_assets.quant.optimization.mean_variance import MeanVariance
from quant_assets.quant.optimization.minimum_variance import MinimumVariance
from quant_assets.quant.optimization.robust_mean_variance import RobustMeanVariance, radius
from quant_assets_tests.quant.optimization.samples import market

MU = np.array([0.5, 0.3, 0.2, 0.1, 0.0, -0.1])


def test_radius_is_the_root_of_the_chi_square_quantile():
    from scipy.stats import chi2

    for confidence, n in ((0.5, 1), (0.95, 7), (0.0, 3)):
        assert radius(confidence, n) == pytest.approx(np.sqrt(chi2.ppf(confidence, n)))


def test_robust_without_doubt_is_mean_variance():
    returns = market(200, 6)
    sure = RobustMeanVariance(confidence=0.0).fit(returns, expected_returns=MU)
    plain = MeanVariance().fit(returns, expected_returns=MU)
    np.testing.assert_allclose(sure.weights_, plain.weights_, atol=1e-10)
    assert sure.solver_report_.objective == pytest.approx(plain.solver_report_.objective)


def test_robust_with_all_doubt_is_minimum_variance():
    returns = market(60, 6)
    doubtful = RobustMeanVariance(confidence=1 - 1e-15, risk_aversion=1e-6)
    weights = doubtful.fit(returns, expected_returns=MU / 100).weights_
    np.testing.assert_allclose(weights, MinimumVariance().fit(returns).weights_, atol=5e-3)


@pytest.mark.slow
@pytest.mark.parametrize("confidence", [0.1, 0.5, 0.95])
@pytest.mark.parametrize(
    "constraints",
    [Constraints(upper=0.4), Constraints(), Constraints(lower=-0.5, upper=1.0, max_gross=1.6)],
)
def test_robust_equals_the_cone_program(confidence, constraints):
    import cvxpy as cp

    returns = market(120, 6)
    sigma, mean = ledoit_wolf(returns), MU / 252
    root = np.linalg.cholesky(sigma).T
    kappa = radius(confidence, 6) / np.sqrt(120)
    w = cp.Variable(6)
    rules = [cp.sum(w) == 1, w >= constraints.lower, w <= constraints.upper]
    if constraints.max_gross is not None:
        rules.append(cp.norm1(w) <= constraints.max_gross)
    utility = mean @ w - kappa * cp.norm(root @ w) - 2.5 * cp.sum_squares(root @ w)
    problem = cp.Problem(cp.Maximize(1e3 * utility), rules)
    problem.solve(solver="CLARABEL")
    fitted = RobustMeanVariance(confidence=confidence, constraints=constraints)
    fitted.fit(returns, expected_returns=MU)
    np.testing.assert_allclose(fitted.weights_, w.value, atol=1e-4)
    assert fitted.solver_report_.objective == pytest.approx(problem.value / 1e3, rel=1e-7)


def test_robust_more_doubt_is_less_volatile():
    returns = market(120, 6)
    risks = [
        (
            returns @ RobustMeanVariance(confidence=c).fit(returns, expected_returns=MU).weights_
        ).std()
        for c in (0.0, 0.5, 0.99)
    ]
    assert risks[0] > risks[1] > risks[2]


@pytest.mark.parametrize("parameters", [{"confidence": 1.0}, {"risk_aversion": 0.0}])
def test_robust_parameters_outside_their_range_are_refused(parameters):
    with pytest.raises(ConfigError, match="must be positive, and confidence"):
        RobustMeanVariance(**parameters).fit(market(20, 2))


def test_robust_returns_without_variance_are_refused():
    with pytest.raises(SolverError, match="without variance"):
        RobustMeanVariance().fit(np.zeros((20, 3)))
