from itertools import combinations
from math import comb

import numpy as np
import pytest

from quant_assets.core.errors import DataError
from quant_assets.quant.model_selection.combinatorial_purged_kfold import CombinatorialPurgedKFold
from quant_assets.quant.research.combinatorial_robustness import (
    best_sharpe,
    robustness_over_paths,
)


def _returns(variants=5, rows=240, seed=0, drift=0.0):
    returns = np.random.default_rng(seed).normal(size=(rows, variants))
    returns[:, 0] += drift
    return returns


@pytest.mark.parametrize(("n", "k"), [(6, 2), (6, 1), (5, 3), (8, 4)])
def test_path_count_is_c_n_k_times_k_over_n(n, k):
    found = robustness_over_paths(_returns(rows=80), CombinatorialPurgedKFold(n, k))
    assert found.n_paths == comb(n, k) * k // n == len(found.path_returns)
    assert found.weights.shape == (comb(n, k), 5)
    assert found.path_returns.shape == (found.n_paths, 80)


def test_paths_are_earned_by_choices_made_without_them():
    # by hand: every block of a path belongs to a split that did not train on it
    returns, n, k, purge = _returns(), 6, 2, 3
    cv = CombinatorialPurgedKFold(n, k, purge=purge, embargo=1)
    found = robustness_over_paths(returns, cv)
    blocks = np.array_split(np.arange(240), n)
    seen = np.zeros(n, dtype=int)
    for split, folds in enumerate(combinations(range(n), k)):
        train = np.ones(240, dtype=bool)
        for fold in folds:
            first, last = blocks[fold][0], blocks[fold][-1]
            train[max(0, first - purge) : last + 1 + purge + 1] = False
        ratios = returns[train].mean(axis=0) / returns[train].std(axis=0, ddof=1)
        assert found.weights[split].tolist() == np.eye(5)[ratios.argmax()].tolist()
        for fold in folds:
            path = found.path_returns[seen[fold], blocks[fold]]
            np.testing.assert_array_equal(path, returns[blocks[fold], ratios.argmax()])
            seen[fold] += 1
    assert (seen == found.n_paths).all()


def test_metrics_are_the_sharpe_ratios_of_paths_or_what_is_asked_for():
    cv = CombinatorialPurgedKFold(6, 2)
    found = robustness_over_paths(_returns(), cv)
    paths = found.path_returns
    expected = paths.mean(axis=1) / paths.std(axis=1, ddof=1)
    np.testing.assert_allclose(found.path_metrics, expected, rtol=1e-12)
    assert found.share_positive == np.mean(expected > 0)
    assert found.quantile(0.25) == pytest.approx(np.quantile(expected, 0.25))
    total = robustness_over_paths(_returns(), cv, metric=lambda path: float(path.sum()))
    np.testing.assert_allclose(total.path_metrics, paths.sum(axis=1))


def test_one_variant_has_one_history_however_many_paths():
    returns = _returns(variants=1)
    found = robustness_over_paths(returns, CombinatorialPurgedKFold(6, 2))
    assert found.n_paths == 5
    np.testing.assert_array_equal(found.path_returns, np.tile(returns[:, 0], (5, 1)))


def test_a_policy_may_hold_several_variants():
    returns = _returns()
    found = robustness_over_paths(
        returns, CombinatorialPurgedKFold(6, 2), policy=lambda train: np.full(train.shape[1], 0.2)
    )
    np.testing.assert_allclose(found.path_returns, np.tile(returns.mean(axis=1), (5, 1)))


@pytest.mark.slow
def test_a_true_edge_is_robust_and_luck_is_not():
    cv = CombinatorialPurgedKFold(6, 2, purge=2)
    edges = [robustness_over_paths(_returns(seed=s, drift=0.3), cv) for s in range(40)]
    luck = [robustness_over_paths(_returns(seed=s), cv) for s in range(40)]
    assert np.mean([found.share_positive for found in edges]) > 0.95
    # the best of five in sample is nothing out of sample
    assert np.mean([found.path_metrics.mean() for found in luck]) < 0.02
    assert np.mean([found.share_positive for found in luck]) < 0.6


def test_best_sharpe_of_flat_variants_holds_nothing():
    train = np.random.default_rng(0).normal(size=(20, 3)) + np.array([0.0, 1.0, 0.0])
    assert best_sharpe(train).tolist() == [0.0, 1.0, 0.0]
    assert best_sharpe(np.zeros((20, 3))).tolist() == [0.0, 0.0, 0.0]
    train[:, 1] = 0.3
    assert best_sharpe(train)[1] == 0.0
    flat = robustness_over_paths(np.zeros((60, 2)), CombinatorialPurgedKFold(6, 2))
    assert np.isnan(flat.path_metrics).all()
    assert flat.share_positive == 0.0
    assert np.isnan(flat.quantile(0.5))


def test_wrong_input_says_what():
    cv = CombinatorialPurgedKFold(6, 2)
    for bad in (np.zeros(60), np.zeros((60, 0)), np.full((60, 2), np.nan)):
        with pytest.raises(DataError, match="time, variant"):
            robustness_over_paths(bad, cv)
    with pytest.raises(DataError, match="split 0: the policy gave"):
        robustness_over_paths(np.zeros((60, 2)), cv, policy=lambda train: train[0, :1])
    with pytest.raises(DataError, match="no training rows"):
        robustness_over_paths(np.zeros((12, 2)), CombinatorialPurgedKFold(6, 2, purge=12))
