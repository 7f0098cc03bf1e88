"""Hierarchical risk parity: hand arithmetic and the paper's own listing."""

import numpy as np
import pandas as pd
import pytest
from scipy.cluster.hierarchy import linkage

from quant_assets.core.errors import SolverError
from quant_assets.quant.optimization.hierarchical_risk_parity import (
    HierarchicalRiskParity,
    leaf_order,
)
from quant_assets.quant.optimization.inverse_volatility import InverseVolatility
from quant_assets.quant.optimization.solvers.tree_kernel import bisect
from quant_assets_tests.quant.optimization.samples import market, with_covariance


def paper_weights(covariance: pd.DataFrame) -> pd.Series:
    """Snippets 16.1 to 16.3 of Lopez de Prado, Advances in Financial Machine Learning (2018)."""
    volatility = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(volatility, volatility)
    distance = ((1 - correlation) / 2.0).clip(lower=0) ** 0.5
    link = linkage(distance.to_numpy(), "single").astype(int)
    order = pd.Series([link[-1, 0], link[-1, 1]])
    n_items = link[-1, 3]
    while order.max() >= n_items:
        order.index = pd.Index(range(0, order.shape[0] * 2, 2))
        clusters = order[order >= n_items]
        rows = clusters.to_numpy() - n_items
        order[clusters.index] = link[rows, 0]
        right = pd.Series(link[rows, 1], index=clusters.index + 1)
        order = pd.concat([order, right]).sort_index()
        order.index = pd.Index(range(order.shape[0]))
    weights = pd.Series(1.0, index=covariance.columns[order.tolist()])
    pending = [weights.index.tolist()]
    while pending:
        pending = [
            part[start:stop]
            for part in pending
            for start, stop in ((0, len(part) // 2), (len(part) // 2, len(part)))
            if len(part) > 1
        ]
        for left, right in zip(pending[::2], pending[1::2], strict=True):
            risks = []
            for part in (left, right):
                block = covariance.loc[part, part]
                inverse = 1.0 / np.diag(block)
                inverse /= inverse.sum()
                risks.append(inverse @ block.to_numpy() @ inverse)
            share = 1 - risks[0] / (risks[0] + risks[1])
            weights[left] *= share
            weights[right] *= 1 - share
    return weights.reindex(covariance.columns)


def test_bisect_three_uncorrelated_assets_by_hand():
    # halves {1} and {2, 3}: variances 1 and (4 * 4)/(4 + 4) = 2, so 2/3 to the left;
    # the right third is split evenly
    weights = bisect(np.diag([1.0, 4.0, 4.0]), np.arange(3))
    np.testing.assert_allclose(weights, [2 / 3, 1 / 6, 1 / 6])


def test_hierarchical_two_assets_is_inverse_variance():
    returns = with_covariance(np.array([[1e-4, 0.5e-4], [0.5e-4, 4e-4]]))
    weights = HierarchicalRiskParity(covariance="sample").fit(returns).weights_
    np.testing.assert_allclose(weights, [0.8, 0.2], rtol=1e-9)


def test_leaf_order_two_blocks_stay_together():
    close, far = 0.9, 0.1
    correlation = np.full((4, 4), far)
    for first, second in ((0, 2), (1, 3)):
        correlation[first, second] = correlation[second, first] = close
    np.fill_diagonal(correlation, 1.0)
    order = leaf_order(correlation).tolist()
    assert {frozenset(order[:2]), frozenset(order[2:])} == {frozenset({0, 2}), frozenset({1, 3})}


@pytest.mark.filterwarnings("ignore::scipy.cluster.hierarchy.ClusterWarning")
@pytest.mark.parametrize("n_assets", [2, 3, 7, 20])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_hierarchical_sorted_columns_equal_the_papers_listing(n_assets, seed):
    returns = market(120, n_assets, seed=seed)
    returns = returns[:, np.argsort(-returns.var(axis=0))]
    expected = paper_weights(pd.DataFrame(np.cov(returns.T)))
    weights = HierarchicalRiskParity(covariance="sample").fit(returns).weights_
    np.testing.assert_allclose(weights, expected.to_numpy(), rtol=1e-10)


def test_hierarchical_permuted_assets_permute_the_weights():
    returns = market(100, 11)
    order = np.random.default_rng(3).permutation(11)
    weights = HierarchicalRiskParity().fit(returns).weights_
    shuffled = HierarchicalRiskParity().fit(returns[:, order]).weights_
    np.testing.assert_allclose(shuffled, weights[order], rtol=1e-9)


def test_hierarchical_one_asset_is_the_budget():
    np.testing.assert_array_equal(HierarchicalRiskParity().fit(market(30, 1)).weights_, [1.0])


def test_hierarchical_is_less_risky_than_inverse_volatility_on_two_blocks():
    rng = np.random.default_rng(0)
    crowd = rng.standard_normal((500, 1)) + 0.1 * rng.standard_normal((500, 5))
    loner = rng.standard_normal((500, 1))
    returns = 0.01 * np.column_stack([crowd, loner])
    tree = HierarchicalRiskParity().fit(returns)
    flat = InverseVolatility().fit(returns)
    assert tree.weights_[-1] > flat.weights_[-1]
    assert tree.solver_report_.objective < flat.solver_report_.objective


def test_hierarchical_constant_asset_is_refused():
    returns = market(20, 3)
    returns[:, 0] = 0.0
    with pytest.raises(SolverError, match="asset 0 has variance 0"):
        HierarchicalRiskParity(covariance="sample").fit(returns)
