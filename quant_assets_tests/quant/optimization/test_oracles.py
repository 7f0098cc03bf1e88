"""The fast paths against cvxpy (Clarabel, HiGHS), and all optimizers against skfolio."""

import numpy as np
import pytest

from quant_assets.core.registry import get
from quant_assets.quant.moments.covariance import ledoit_wolf
from quant_assets.quant.optimization.base import Constraints, Optimizer
from quant_assets.quant.optimization.solvers import convex
from quant_assets.quant.optimization.solvers.active_set import scaled
from quant_assets.quant.optimization.solvers.tail import tail_mean_loss
from quant_assets_tests.quant.optimization.samples import market

pytestmark = pytest.mark.slow

SHAPES = [
    (2, Constraints(upper=0.9)),
    (5, Constraints(upper=0.3)),
    (20, Constraints(upper=0.2)),
    (20, Constraints(upper=0.05)),
    (20, Constraints(lower=0.02, upper=0.1)),
    (12, Constraints(lower=-0.3, upper=0.4)),
    (12, Constraints(budget=0.6, lower=-0.1, upper=0.4)),
]
PACKAGE = "quant_assets.quant.optimization"


def make(name: str, **parameters: object) -> Optimizer:
    return get(PACKAGE, Optimizer, name)(**parameters)


def problem(n_assets: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Returns, their covariance with mean diagonal 1, their mean, and the scaling factor."""
    returns = market(252, n_assets, seed=seed)
    hessian, factor = scaled(ledoit_wolf(returns))
    return returns, hessian, returns.mean(axis=0), factor


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(("n_assets", "constraints"), SHAPES)
def test_variance_problems_agree_with_clarabel(n_assets, constraints, seed):
    returns, hessian, mean, factor = problem(n_assets, seed)
    region = constraints.region(n_assets)
    covariance = ledoit_wolf(returns)
    fast = make("minimum_variance", constraints=constraints).fit(returns)
    slow = convex.quadratic(hessian, np.zeros(n_assets), region).weights
    assert fast.solver_report_.solver == "active set"
    assert fast.solver_report_.objective <= slow @ covariance @ slow * (1 + 1e-8)
    np.testing.assert_allclose(fast.weights_, slow, atol=1e-6)

    fast = make("mean_variance", constraints=constraints, risk_aversion=8.0).fit(returns)
    slow = convex.quadratic(hessian, mean * factor / 8.0, region).weights
    utility = mean @ slow - 4.0 * slow @ covariance @ slow
    assert fast.solver_report_.objective >= utility - 1e-8 * abs(utility)
    assert fast.solver_report_.objective == pytest.approx(utility, rel=1e-7)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(("n_assets", "constraints"), SHAPES)
def test_maximum_sharpe_agrees_with_the_homogenised_program(n_assets, constraints, seed):
    returns, hessian, mean, _ = problem(n_assets, seed)
    covariance = ledoit_wolf(returns)
    fast = make("maximum_sharpe", constraints=constraints).fit(returns)
    slow = convex.maximum_ratio(hessian, mean / mean.max(), constraints.region(n_assets)).weights
    ratio = mean @ slow / np.sqrt(slow @ covariance @ slow)
    assert fast.solver_report_.solver == "dinkelbach active set"
    assert fast.solver_report_.objective >= ratio * (1 - 1e-9)
    assert fast.solver_report_.objective == pytest.approx(ratio, rel=1e-8)


@pytest.mark.parametrize("level", [0.5, 0.95, 0.99])
@pytest.mark.parametrize(("n_assets", "constraints"), SHAPES)
def test_minimum_cvar_agrees_with_the_primal_program(n_assets, constraints, level):
    returns = market(252, n_assets)
    tail = 252 * (1 - level)
    fast = make("minimum_cvar", constraints=constraints, level=level).fit(returns)
    slow = convex.minimum_cvar(returns / 0.01, tail, constraints.region(n_assets))
    loss = tail_mean_loss(returns @ slow.weights, tail)
    assert slow.solver == "cvxpy/highs"
    assert fast.solver_report_.solver == "tail pivots"
    assert fast.solver_report_.objective == pytest.approx(loss, rel=1e-8)


@pytest.mark.parametrize("n_assets", [2, 8, 20])
def test_equal_risk_agrees_with_the_log_barrier_program(n_assets):
    returns, hessian, _, _ = problem(n_assets, 3)
    weights = make("equal_risk_contribution").fit(returns).weights_
    np.testing.assert_allclose(
        weights, convex.risk_budget(hessian, np.full(n_assets, 1 / n_assets)).weights, atol=1e-5
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "n_assets", "upper", "accuracy"),
    [
        ("equal_weight", 6, 1.0, 1e-15),
        ("inverse_volatility", 6, 1.0, 1e-12),
        ("minimum_variance", 10, 0.3, 1e-8),
        ("mean_variance", 10, 0.3, 1e-8),
        ("maximum_sharpe", 10, 0.3, 1e-6),
        ("minimum_cvar", 10, 0.3, 1e-6),
        ("equal_risk_contribution", 8, 1.0, 1e-6),
    ],
)
def test_optimizer_objective_is_no_worse_than_skfolio(name, n_assets, upper, accuracy):
    from skfolio import RiskMeasure
    from skfolio.moments import LedoitWolf
    from skfolio.optimization import (
        EqualWeighted,
        InverseVolatility,
        MeanRisk,
        ObjectiveFunction,
        RiskBudgeting,
    )
    from skfolio.prior import EmpiricalPrior

    prior = EmpiricalPrior(covariance_estimator=LedoitWolf())
    box = {"prior_estimator": prior, "max_weights": upper}
    peers = {
        "equal_weight": EqualWeighted(),
        "inverse_volatility": InverseVolatility(prior_estimator=prior),
        "minimum_variance": MeanRisk(**box),
        "mean_variance": MeanRisk(
            objective_function=ObjectiveFunction.MAXIMIZE_UTILITY, risk_aversion=2.5, **box
        ),
        "maximum_sharpe": MeanRisk(objective_function=ObjectiveFunction.MAXIMIZE_RATIO, **box),
        "minimum_cvar": MeanRisk(risk_measure=RiskMeasure.CVAR, max_weights=upper),
        "equal_risk_contribution": RiskBudgeting(prior_estimator=prior),
    }
    returns = market(252, n_assets)
    mean, covariance = returns.mean(axis=0), ledoit_wolf(returns)

    def value(weights: np.ndarray) -> float:
        """The larger the better."""
        variance = weights @ covariance @ weights
        shares = weights * (covariance @ weights) / variance
        return {
            "equal_weight": -np.abs(weights - 1 / n_assets).max(),
            "inverse_volatility": -np.ptp(weights * np.sqrt(np.diag(covariance))),
            "minimum_variance": -variance,
            "mean_variance": mean @ weights - 2.5 * variance,
            "maximum_sharpe": mean @ weights / np.sqrt(variance),
            "minimum_cvar": -tail_mean_loss(returns @ weights, 252 * 0.05),
            "equal_risk_contribution": -np.abs(shares - 1 / n_assets).max(),
        }[name]

    ours = make(name, constraints=Constraints(upper=upper)).fit(returns).weights_
    theirs = peers[name].fit(returns).weights_
    assert value(ours) >= value(theirs) - 1e-9 * abs(value(theirs))
    np.testing.assert_allclose(ours, theirs, atol=max(1e-3, accuracy))


@pytest.mark.slow
@pytest.mark.parametrize("n_assets", [4, 9])
def test_hierarchical_equals_skfolio_with_the_papers_distance(n_assets):
    from scipy.spatial.distance import pdist, squareform
    from skfolio.cluster import HierarchicalClustering, LinkageMethod
    from skfolio.distance import PearsonDistance
    from skfolio.optimization import HierarchicalRiskParity
    from skfolio.seriation import HierarchicalSeriation

    class DistanceOfDistances(PearsonDistance):
        """Euclidean distance between the columns of sqrt((1 - rho) / 2)."""

        def fit(self, X, y=None):  # noqa: N803 - skfolio passes it by this name
            super().fit(X, y)
            self.distance_ = squareform(pdist(self.distance_))
            return self

    returns = market(252, n_assets)
    returns = returns[:, np.argsort(-returns.var(axis=0))]
    theirs = HierarchicalRiskParity(
        distance_estimator=DistanceOfDistances(),
        seriation_estimator=HierarchicalSeriation(
            optimal_ordering=False,
            hierarchical_clustering_estimator=HierarchicalClustering(
                linkage_method=LinkageMethod.SINGLE
            ),
        ),
    ).fit(returns)
    ours = make("hierarchical_risk_parity", covariance="sample").fit(returns)
    np.testing.assert_allclose(ours.weights_, theirs.weights_, rtol=1e-9)
