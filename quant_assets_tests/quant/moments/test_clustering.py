import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.covariance import ledoit_wolf_shrinkage
from sklearn.metrics import silhouette_score

from quant_assets.core.errors import DataError
from quant_assets.quant.moments.clustering import (
    correlation_distance,
    hierarchical_labels,
    pairwise_correlation,
    shrinkage_intensity,
    shrunk_correlation,
    silhouette,
)

pytestmark = pytest.mark.slow

NAN = np.nan


def _blocks(sizes, inside=0.8, outside=0.1):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    corr = np.where(labels[:, None] == labels, inside, outside)
    np.fill_diagonal(corr, 1.0)
    return corr, labels + 1


def test_correlation_distance_by_hand():
    corr = np.array([[1.0, 0.5, -1.0], [0.5, 1.0, 0.0], [-1.0, 0.0, 1.0]])
    expected = [[0.0, 0.5, 1.0], [0.5, 0.0, np.sqrt(0.5)], [1.0, np.sqrt(0.5), 0.0]]
    np.testing.assert_allclose(correlation_distance(corr), expected)


def test_pairwise_correlation_without_gaps_equals_numpy():
    returns = np.random.default_rng(0).normal(size=(60, 5)) @ np.diag([1e-8, 1, 1e6, 1, 0.01])
    np.testing.assert_allclose(pairwise_correlation(returns), np.corrcoef(returns.T), atol=1e-12)


def test_pairwise_correlation_with_gaps_equals_pandas():
    rng = np.random.default_rng(1)
    returns = rng.normal(size=(80, 6)) * 0.01 + 0.002
    returns[rng.random(returns.shape) < 0.3] = NAN
    returns[:50, 2] = NAN
    expected = pd.DataFrame(returns).corr().to_numpy()
    np.testing.assert_allclose(pairwise_correlation(returns), expected, atol=1e-10)


def test_pairwise_correlation_without_knowledge_is_zero():
    returns = np.random.default_rng(1).normal(size=(20, 4))
    returns[:, 1] = 0.1  # constant
    returns[:, 2] = NAN
    returns[:18, 3] = NAN  # two common rows
    np.testing.assert_array_equal(pairwise_correlation(returns), np.eye(4))
    np.testing.assert_array_equal(pairwise_correlation(np.empty((0, 2))), np.eye(2))


@pytest.mark.parametrize(("rows", "symbols"), [(30, 5), (20, 40), (500, 10)])
def test_shrinkage_intensity_equals_scikit_learn(rows, symbols):
    rng = np.random.default_rng(2)
    returns = rng.normal(size=(rows, symbols)) + rng.normal(size=(rows, 1))
    z = (returns - returns.mean(0)) / returns.std(0)
    expected = ledoit_wolf_shrinkage(z, assume_centered=True)
    assert shrinkage_intensity(z) == pytest.approx(expected, rel=1e-9)


def test_shrunk_correlation_pulls_off_diagonals_towards_zero_by_the_intensity():
    rng = np.random.default_rng(3)
    returns = rng.normal(size=(40, 6)) + rng.normal(size=(40, 1))
    corr, intensity = shrunk_correlation(returns)
    assert 0 < intensity < 1
    raw = np.corrcoef(returns.T)
    off = ~np.eye(6, dtype=bool)
    np.testing.assert_allclose(corr[off], (1 - intensity) * raw[off], atol=1e-12)
    np.testing.assert_array_equal(np.diag(corr), 1.0)


@pytest.mark.parametrize(
    "returns", [np.empty((0, 3)), np.zeros((5, 3)), np.full((5, 3), NAN), np.ones((5, 1))]
)
def test_shrunk_correlation_without_information_is_the_identity(returns):
    corr, intensity = shrunk_correlation(returns)
    np.testing.assert_array_equal(corr, np.eye(returns.shape[1]))
    assert intensity == 0.0


def test_silhouette_by_hand():
    distance = np.array([[0.0, 1.0, 4.0], [1.0, 0.0, 2.0], [4.0, 2.0, 0.0]])
    # rows: (4-1)/4, (2-1)/2, alone: 0
    assert silhouette(distance, np.array([1, 1, 2])) == pytest.approx((0.75 + 0.5) / 3)


def test_silhouette_equals_scikit_learn():
    rng = np.random.default_rng(4)
    points = rng.normal(size=(25, 3))
    distance = np.linalg.norm(points[:, None] - points, axis=2)
    labels = rng.integers(1, 5, size=25)
    expected = silhouette_score(distance, labels, metric="precomputed")
    assert silhouette(distance, labels) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("sizes", [(3, 3), (2, 5, 3), (4, 4, 4, 4, 4), (1, 6, 2)])
def test_hierarchical_labels_of_block_correlations_are_the_blocks(sizes):
    corr, expected = _blocks(sizes)
    np.testing.assert_array_equal(hierarchical_labels(corr, 6), expected)


def test_hierarchical_labels_number_clusters_by_their_first_member():
    corr, blocks = _blocks((3, 3))
    order = np.array([3, 0, 4, 1, 2, 5])
    np.testing.assert_array_equal(
        hierarchical_labels(corr[np.ix_(order, order)], 6), [1, 2, 1, 2, 2, 1]
    )
    assert hierarchical_labels(corr, 6).tolist() == blocks.tolist()


@settings(deadline=None, max_examples=25)
@given(st.permutations(range(9)), st.integers(0, 2**32 - 1))
def test_hierarchical_labels_of_permuted_symbols_are_the_same_groups(order, seed):
    returns = np.random.default_rng(seed).normal(size=(30, 9))
    returns[:, :4] += returns[:, [8]]
    corr = pairwise_correlation(returns)
    labels = hierarchical_labels(corr, 5)
    moved = hierarchical_labels(corr[np.ix_(order, order)], 5)
    same = labels[:, None] == labels
    np.testing.assert_array_equal(moved[:, None] == moved, same[np.ix_(order, order)])
    first_seen = [label for i, label in enumerate(moved) if label not in moved[:i]]
    assert first_seen == list(range(1, len(first_seen) + 1))


def test_hierarchical_labels_never_exceed_max_clusters():
    corr, _ = _blocks((2, 2, 2, 2))
    for most in (1, 2, 3):
        assert hierarchical_labels(corr, most).max() <= most


@pytest.mark.parametrize(
    "corr", [np.eye(5), np.full((4, 4), 0.3) + 0.7 * np.eye(4), np.ones((4, 4)), np.eye(1)]
)
def test_hierarchical_labels_without_structure_are_one_cluster(corr):
    assert hierarchical_labels(corr, 6).tolist() == [1] * len(corr)


def test_hierarchical_labels_of_two_symbols_are_one_cluster():
    assert hierarchical_labels(np.array([[1.0, -0.9], [-0.9, 1.0]]), 6).tolist() == [1, 1]


def test_hierarchical_labels_keep_duplicated_symbols_together():
    returns = np.random.default_rng(7).normal(size=(200, 4))
    corr = pairwise_correlation(np.hstack([returns, returns]))
    labels = hierarchical_labels(corr, 6)
    np.testing.assert_array_equal(labels[:4], labels[4:])


def test_hierarchical_labels_by_hand_use_average_linkage():
    # points on a line; the means merge 0-1, 2.1-3.3, then 4.6 (1.9 away) before the pairs (2.2).
    # Single linkage would chain 0-1-2.1-3.3 and leave 4.6 alone.
    points = np.array([0.0, 1.0, 2.1, 3.3, 4.6])
    corr = 1.0 - 2.0 * (0.1 * (points[:, None] - points)) ** 2
    assert hierarchical_labels(corr, 2).tolist() == [1, 1, 2, 2, 2]


def test_hierarchical_labels_undo_merges_beyond_min_correlation():
    corr, _ = _blocks((2, 2, 2), inside=0.9, outside=-0.2)
    corr[0:2, 2:4] = corr[2:4, 0:2] = 0.8  # two near blocks, one far: silhouette prefers 2
    free = hierarchical_labels(corr, 3)
    bound = hierarchical_labels(corr, 3, min_correlation=0.85)
    assert free.tolist() == [1, 1, 1, 1, 2, 2]
    assert bound.tolist() == [1, 1, 2, 2, 3, 3]


@pytest.mark.parametrize("corr", [np.full((3, 3), NAN), np.ones((2, 3)), np.ones(3)])
def test_hierarchical_labels_of_no_correlation_matrix_are_refused(corr):
    with pytest.raises(DataError, match="square"):
        hierarchical_labels(corr, 3)
