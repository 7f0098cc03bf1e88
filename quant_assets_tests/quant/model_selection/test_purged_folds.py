from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.model_selection.combinatorial_purged_kfold import (
    CombinatorialPurgedKFold,
    cross_val_paths,
)
from quant_assets.quant.model_selection.purged_kfold import PurgedKFold


def _splits(splitter, rows=None):
    x = None if rows is None else np.empty(rows)
    return [(train.tolist(), test.tolist()) for train, test in splitter.split(x)]


def test_purged_kfold_by_hand_drops_rows_on_both_sides_and_the_embargo_after():
    # rows 0-3, 4-6, 7-9; labels span 1 further row; 1 more row is kept free after a test
    assert _splits(PurgedKFold(3, purge=1, embargo=1), 10) == [
        ([6, 7, 8, 9], [0, 1, 2, 3]),
        ([0, 1, 2, 9], [4, 5, 6]),
        ([0, 1, 2, 3, 4, 5], [7, 8, 9]),
    ]


def test_purged_kfold_with_label_times_counts_a_touching_label_as_overlap():
    start = np.array([0, 0, 10, 10, 20, 20, 30, 30])
    end = np.array([5, 10, 20, 12, 24, 25, 35, 31])
    # test folds {0, 10} (ends by 20) and {20, 30} (from 20)
    assert _splits(PurgedKFold(2, label_start=start, label_end=end)) == [
        ([6, 7], [0, 1, 2, 3]),
        ([0, 1, 3], [4, 5, 6, 7]),
    ]


def test_purge_with_label_times_makes_every_label_longer():
    start = np.arange(12)
    longer = PurgedKFold(3, embargo=1, label_start=start, label_end=start + 3)
    purged = PurgedKFold(3, embargo=1, purge=2, label_start=start, label_end=start + 1)
    assert _splits(longer) == _splits(purged)
    assert _splits(longer) == _splits(PurgedKFold(3, purge=3, embargo=1), 12)


def test_combinatorial_by_hand():
    assert _splits(CombinatorialPurgedKFold(3, 2), 6) == [
        ([4, 5], [0, 1, 2, 3]),
        ([2, 3], [0, 1, 4, 5]),
        ([0, 1], [2, 3, 4, 5]),
    ]


def test_folds_of_unsorted_rows_find_the_same_rows():
    start = np.array([3, 0, 2, 1, 5, 4])
    splits = _splits(PurgedKFold(3, label_start=start, label_end=start))
    assert [sorted(start[test].tolist()) for _, test in splits] == [[0, 1], [2, 3], [4, 5]]


spans = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 6)), min_size=8, max_size=40)


@settings(deadline=None, max_examples=20)
@given(spans, st.integers(2, 5), st.integers(1, 3), st.integers(0, 3), st.integers(0, 4))
def test_no_label_of_train_touches_a_test_fold_and_no_other_row_is_lost(
    rows, n_folds, k, purge, embargo
):
    start = np.array([row[0] for row in rows])
    end = start + np.array([row[1] for row in rows])
    if len(np.unique(start)) < n_folds or k >= n_folds:
        return
    splitter = CombinatorialPurgedKFold(
        n_folds, k, purge=purge, embargo=embargo, label_start=start, label_end=end
    )
    fold = splitter.folds()
    assert splitter.get_n_splits() == comb(n_folds, k)
    for (train, test), chosen in zip(
        splitter.split(), combinations(range(n_folds), k), strict=True
    ):
        kept = []
        for row in range(len(rows)):
            blocks = [(start[fold == f].min(), end[fold == f].max() + purge) for f in chosen]
            clear = all(
                end[row] + purge < first or start[row] > last + embargo for first, last in blocks
            )
            if clear and fold[row] not in chosen:
                kept.append(row)
        assert train.tolist() == kept
        assert test.tolist() == np.flatnonzero(np.isin(fold, chosen)).tolist()


def test_folds_keep_the_rows_of_one_moment_together_and_differ_by_one_in_length():
    start = np.repeat(np.arange(11), 3)
    fold = PurgedKFold(4, label_start=start, label_end=start).folds()
    assert np.bincount(fold).tolist() == [9, 9, 9, 6]
    assert np.all(np.diff(fold) >= 0)


@pytest.mark.parametrize(("n", "k"), [(3, 1), (5, 2), (6, 3), (10, 8)])
def test_paths_use_each_split_of_a_fold_once(n, k):
    splitter = CombinatorialPurgedKFold(n, k)
    paths = splitter.path_splits()
    assert paths.shape == (splitter.n_paths, n) == (comb(n, k) * k // n, n)
    folds = splitter.test_folds()
    for fold in range(n):
        assert sorted(paths[:, fold]) == [s for s, chosen in enumerate(folds) if fold in chosen]


def test_paths_put_the_predictions_of_their_splits_together():
    splitter = CombinatorialPurgedKFold(4, 2, purge=1)
    x = np.empty(13)
    # each prediction names its split and its row
    given = [100.0 * s + test for s, (_, test) in enumerate(splitter.split(x))]
    paths = splitter.paths(given, x)
    fold = splitter.folds(x)
    expected = 100.0 * splitter.path_splits()[:, fold] + np.arange(13)
    np.testing.assert_array_equal(paths, expected)
    with pytest.raises(DataError, match="do not fit"):
        splitter.paths(given[:-1], x)


@pytest.mark.slow
@pytest.mark.parametrize(("purge", "embargo"), [(0, 0), (2, 0), (0, 3), (1, 2)])
@pytest.mark.parametrize(("n", "k"), [(3, 2), (5, 2), (6, 4)])
def test_combinatorial_equals_skfolio_where_folds_are_equally_long(n, k, purge, embargo):
    skfolio = pytest.importorskip("skfolio.model_selection", reason="oracle; needs the demo extra")
    x = np.zeros((60, 2))
    theirs = skfolio.CombinatorialPurgedCV(n, k, purged_size=purge, embargo_size=embargo)
    ours = CombinatorialPurgedKFold(n, k, purge=purge, embargo=embargo)
    for (train, test), (their_train, their_tests) in zip(
        ours.split(x), theirs.split(x), strict=True
    ):
        np.testing.assert_array_equal(train, their_train)
        np.testing.assert_array_equal(test, np.sort(np.concatenate(their_tests)))
    assert ours.n_paths == theirs.n_test_paths
    np.testing.assert_array_equal(ours.path_splits().T, theirs.recombined_paths)


@pytest.mark.slow
@pytest.mark.parametrize("rows", [10, 11, 23])
def test_purged_kfold_without_purging_equals_scikit_learn(rows):
    from sklearn.model_selection import KFold

    expected = [(a.tolist(), b.tolist()) for a, b in KFold(4).split(np.zeros(rows))]
    assert _splits(PurgedKFold(4), rows) == expected
    assert _splits(CombinatorialPurgedKFold(4, 1), rows) == expected


@pytest.mark.slow
def test_splitters_serve_scikit_learn():
    from sklearn.linear_model import LinearRegression, Ridge
    from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score

    from quant_assets.quant.model_selection.walk_forward import WalkForward

    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 3))
    y = x @ [1.0, -2.0, 0.5] + 3.0
    kfold = PurgedKFold(5, purge=2, embargo=1)
    np.testing.assert_allclose(cross_val_predict(LinearRegression(), x, y, cv=kfold), y)
    combinatorial = CombinatorialPurgedKFold(6, 2, purge=1)
    assert len(cross_val_score(LinearRegression(), x, y, cv=combinatorial)) == 15
    for cv in (kfold, combinatorial, WalkForward(20, 10, purge=2)):
        search = GridSearchCV(Ridge(), {"alpha": [1e-6, 1e3]}, cv=cv).fit(x, y)
        assert search.best_params_ == {"alpha": 1e-6}
        assert search.n_splits_ == cv.get_n_splits(x)
    paths = cross_val_paths(LinearRegression(), x, y, combinatorial)
    assert paths.shape == (5, 60)
    np.testing.assert_allclose(paths, np.broadcast_to(y, paths.shape))


@pytest.mark.parametrize(
    ("splitter", "rows", "error", "words"),
    [
        (PurgedKFold(1), 9, ConfigError, "n_folds 1"),
        (PurgedKFold(3, purge=-1), 9, ConfigError, "purge -1"),
        (PurgedKFold(3, embargo=-1), 9, ConfigError, "embargo -1"),
        (PurgedKFold(3), None, ConfigError, "pass X"),
        (PurgedKFold(3), 2, DataError, "2 distinct"),
        (PurgedKFold(3), 0, DataError, "0 distinct"),
        (PurgedKFold(2, label_start=[0, 1]), 2, ConfigError, "belong together"),
        (PurgedKFold(2, label_start=[0, 1], label_end=[0]), 2, DataError, "one row each"),
        (PurgedKFold(2, label_start=[0, 5], label_end=[0, 4]), 2, DataError, "row 1: label ends"),
        (PurgedKFold(2, label_start=[0, 5], label_end=[0, 6]), 3, DataError, r"X \(3 rows\)"),
        (CombinatorialPurgedKFold(4, 4), 9, ConfigError, "n_test_folds 4"),
        (CombinatorialPurgedKFold(4, 0), 9, ConfigError, "n_test_folds 0"),
    ],
)
def test_bad_settings_and_rows_say_what(splitter, rows, error, words):
    with pytest.raises(error, match=words):
        _splits(splitter, rows)
