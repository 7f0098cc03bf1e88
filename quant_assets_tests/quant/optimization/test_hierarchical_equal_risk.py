"""Hierarchical equal risk contribution and nested clusters."""

import numpy as np
import pytest

from quant_assets.core.errors import ConfigError, PluginError, SolverError
from quant_assets.quant.moments.clustering import hierarchical_labels
from quant_assets.quant.moments.covariance import ledoit_wolf
from quant_assets.quant.moments.covariances.base import to_correlation
from quant_assets.quant.optimization.base import Constraints
from quant_assets.quant.optimization.hierarchical_equal_risk import (
    HierarchicalEqualRisk,
    cluster_shares,
)
from quant_assets.quant.optimization.maximum_sharpe import MaximumSharpe
from quant_assets.quant.optimization.minimum_variance import MinimumVariance
from quant_assets.quant.optimization.nested_clusters import NestedClusters
from quant_assets_tests.quant.optimization.samples import market, with_covariance


def crowds(n_rows: int = 250) -> np.ndarray:
    """Two crowds of three and two assets, of unequal volatility."""
    rng = np.random.default_rng(0)
    first, second = rng.standard_normal((2, n_rows, 1))
    noise = 0.4 * rng.standard_normal((n_rows, 5))
    return 0.01 * (np.hstack([first, first, first, second, second]) + noise) * [1, 2, 1, 3, 1]


def test_cluster_shares_by_hand():
    # four leaves; 0 and 1 merge to 4, 4 and 2 to 5, 5 and 3 to 6; clusters {0, 1}, {2}, {3} of
    # variances 1, 3, 4: at the top 4 against 1 + 3 gives a half each, below 3 : 1 for {0, 1}
    tree = np.array([[0, 1, 0.1, 2], [2, 4, 0.2, 3], [3, 5, 0.3, 4]], dtype=float)
    shares = cluster_shares(tree, np.array([1, 1, 2, 3]), np.array([0.0, 1.0, 3.0, 4.0]))
    np.testing.assert_allclose(shares, [0.0, 0.375, 0.125, 0.5])


def test_equal_risk_of_two_crowds_by_hand():
    returns = crowds()
    fitted = HierarchicalEqualRisk(covariance="sample", n_clusters=2).fit(returns)
    sigma = np.cov(returns.T)
    parts, risks = [], []
    for members in ([0, 1, 2], [3, 4]):
        inverse = 1 / np.diag(sigma)[members]
        inverse /= inverse.sum()
        parts.append(inverse)
        risks.append(inverse @ sigma[np.ix_(members, members)] @ inverse)
    share = risks[1] / sum(risks)
    expected = np.concatenate([share * parts[0], (1 - share) * parts[1]])
    np.testing.assert_allclose(fitted.weights_, expected, rtol=1e-10)


def test_equal_risk_finds_the_crowds_by_their_silhouette():
    free = HierarchicalEqualRisk().fit(crowds()).weights_
    told = HierarchicalEqualRisk(n_clusters=2).fit(crowds()).weights_
    np.testing.assert_array_equal(free, told)


def test_equal_risk_of_one_cluster_is_inverse_variance():
    returns = with_covariance(np.diag([1e-4, 4e-4, 16e-4]))
    weights = HierarchicalEqualRisk(covariance="sample", n_clusters=1).fit(returns).weights_
    np.testing.assert_allclose(weights, np.array([16, 4, 1]) / 21, rtol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("linkage", ["ward", "single", "average", "complete"])
@pytest.mark.parametrize(("n_assets", "n_clusters"), [(8, 3), (20, 5), (12, 12), (2, 2)])
def test_equal_risk_equals_skfolio(n_assets, n_clusters, linkage):
    from skfolio import RiskMeasure
    from skfolio.cluster import HierarchicalClustering, LinkageMethod
    from skfolio.optimization import HierarchicalEqualRiskContribution

    returns = market(250, n_assets)
    theirs = HierarchicalEqualRiskContribution(
        risk_measure=RiskMeasure.VARIANCE,
        hierarchical_clustering_estimator=HierarchicalClustering(
            max_clusters=n_clusters, linkage_method=LinkageMethod[linkage.upper()]
        ),
    ).fit(returns)
    ours = HierarchicalEqualRisk(covariance="sample", linkage=linkage, n_clusters=n_clusters)
    np.testing.assert_allclose(ours.fit(returns).weights_, theirs.weights_, rtol=1e-8)


@pytest.mark.parametrize("n_clusters", [0, 4])
def test_equal_risk_number_of_clusters_outside_its_range_is_refused(n_clusters):
    with pytest.raises(ConfigError, match=f"n_clusters is {n_clusters}; give 1 to 3"):
        HierarchicalEqualRisk(n_clusters=n_clusters).fit(market(20, 3))


def test_equal_risk_constant_asset_is_refused_and_one_asset_is_the_budget():
    returns = market(20, 3)
    returns[:, 0] = 0.0
    with pytest.raises(SolverError, match="asset 0 has variance 0"):
        HierarchicalEqualRisk(covariance="sample").fit(returns)
    one = HierarchicalEqualRisk(constraints=Constraints(budget=0.7)).fit(market(20, 1))
    np.testing.assert_allclose(one.weights_, [0.7])


def test_nested_clusters_equal_the_two_steps_by_hand():
    returns = crowds()
    fitted = NestedClusters(constraints=Constraints(budget=0.9)).fit(returns)
    sigma = ledoit_wolf(returns)
    assert hierarchical_labels(to_correlation(sigma)[0], 10).tolist() == [1, 1, 1, 2, 2]

    def least_variance(matrix: np.ndarray) -> np.ndarray:
        """The better of the vertices and the inner solutions of all subsets."""
        best, value = None, np.inf
        for mask in range(1, 2 ** len(matrix)):
            places = [i for i in range(len(matrix)) if mask >> i & 1]
            solved = np.linalg.solve(matrix[np.ix_(places, places)], np.ones(len(places)))
            weights = np.zeros(len(matrix))
            weights[places] = solved / solved.sum()
            if weights.min() >= 0 and weights @ matrix @ weights < value:
                best, value = weights, weights @ matrix @ weights
        return best

    inside = np.zeros((5, 2))
    inside[:3, 0] = least_variance(sigma[:3, :3])
    inside[3:, 1] = least_variance(sigma[3:, 3:])
    outer = least_variance(inside.T @ sigma @ inside)
    np.testing.assert_allclose(fitted.weights_, 0.9 * inside @ outer, atol=1e-9)
    assert fitted.solver_report_.solver == "minimum_variance in minimum_variance"


def test_nested_clusters_of_one_cluster_is_the_inner_optimizer():
    returns = market(250, 4)
    nested = NestedClusters(max_clusters=1).fit(returns).weights_
    np.testing.assert_allclose(nested, MinimumVariance().fit(returns).weights_, atol=1e-10)


def test_nested_clusters_expected_returns_reach_both_steps():
    returns, alpha = crowds(), np.array([0.1, 0.3, 0.1, 0.05, 0.2])
    nested = NestedClusters(inner="maximum_sharpe", outer="maximum_sharpe", max_clusters=1)
    weights = nested.fit(returns, expected_returns=alpha).weights_
    expected = MaximumSharpe().fit(returns, expected_returns=alpha).weights_
    np.testing.assert_allclose(weights, expected, atol=1e-7)


def test_nested_clusters_of_an_unknown_or_needy_optimizer_is_refused():
    with pytest.raises(PluginError, match="no Optimizer named 'luck'"):
        NestedClusters(inner="luck").fit(market(30, 3))
    with pytest.raises(ConfigError, match="benchmark_tracking needs benchmark"):
        NestedClusters(outer="benchmark_tracking").fit(market(30, 3))
