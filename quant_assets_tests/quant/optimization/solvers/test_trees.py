"""Trees and bisection in compiled code against scipy and a plain twin."""

import numpy as np
import pytest
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import pdist, squareform

from quant_assets.core.errors import ConfigError
from quant_assets.quant.moments.clustering import correlation_distance
from quant_assets.quant.moments.covariance import ledoit_wolf
from quant_assets.quant.moments.covariances.base import to_correlation
from quant_assets.quant.optimization.hierarchical_risk_parity import leaf_order
from quant_assets.quant.optimization.solvers.tree_kernel import (
    bisect,
    single_linkage_leaves,
    spanning_tree,
)
from quant_assets_tests.quant.optimization.samples import market

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("n_items", [2, 3, 10, 60])
def test_leaves_equal_scipy(n_items):
    points = np.random.default_rng(n_items).standard_normal((n_items, 3))
    condensed = pdist(points)
    edges = spanning_tree(squareform(condensed), np.arange(n_items))
    expected = leaves_list(linkage(condensed, "single"))
    np.testing.assert_array_equal(single_linkage_leaves(*edges), expected)
    assert edges[2].sum() == pytest.approx(linkage(condensed, "single")[:, 2].sum())


@pytest.mark.parametrize("n_assets", [2, 15, 80])
@pytest.mark.parametrize("distance", ["of_distances", "of_correlations"])
def test_leaf_order_of_either_distance_equals_scipy(n_assets, distance):
    covariance = ledoit_wolf(market(60, n_assets))
    apart = correlation_distance(to_correlation(covariance)[0])
    condensed = pdist(apart) if distance == "of_distances" else squareform(apart)
    expected = leaves_list(linkage(condensed, "single"))
    np.testing.assert_array_equal(leaf_order(covariance, distance=distance), expected)


def test_leaf_order_of_another_distance_is_refused():
    with pytest.raises(ConfigError, match="distance is 'cosine'"):
        leaf_order(np.eye(3), distance="cosine")


def plain_bisect(covariance: np.ndarray, leaves: list[int], weights: np.ndarray) -> None:
    """Halve, weigh the halves by the other one's variance, and go on in each."""
    if len(leaves) < 2:
        return
    halves = leaves[: len(leaves) // 2], leaves[len(leaves) // 2 :]
    risks = []
    for half in halves:
        block = covariance[np.ix_(half, half)]
        inverse = 1 / np.diag(block)
        inverse /= inverse.sum()
        risks.append(inverse @ block @ inverse)
    weights[halves[0]] *= 1 - risks[0] / sum(risks)
    weights[halves[1]] *= risks[0] / sum(risks)
    for half in halves:
        plain_bisect(covariance, half, weights)


@pytest.mark.parametrize("n_assets", [1, 2, 7, 33])
def test_bisect_equals_the_plain_recursion(n_assets):
    covariance = ledoit_wolf(market(60, n_assets))
    leaves = np.random.default_rng(0).permutation(n_assets)
    expected = np.ones(n_assets)
    plain_bisect(covariance, leaves.tolist(), expected)
    np.testing.assert_allclose(bisect(covariance, leaves), expected, rtol=1e-12)
