import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import TimeSeriesSplit, cross_val_score

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.model_selection.purged_walk_forward import PurgedWalkForward


def _splits(splitter):
    return [(train.tolist(), test.tolist()) for train, test in splitter.split()]


def test_purged_walk_forward_with_instant_labels_expands():
    bars = np.arange(6)
    assert _splits(PurgedWalkForward(bars, bars, n_splits=2)) == [
        ([0, 1], [2, 3]),
        ([0, 1, 2, 3], [4, 5]),
    ]


def test_purged_walk_forward_counts_a_touching_label_as_overlap():
    bars = np.arange(8)
    # test opens at bar 4: labels end at 2, 3, 4, 5, so rows 2 (touches) and 3 go
    assert _splits(PurgedWalkForward(bars, bars + 2, n_splits=1)) == [([0, 1], [4, 5, 6, 7])]


def test_purged_walk_forward_embargo_keeps_more_bars_free():
    bars = np.arange(8)
    splitter = PurgedWalkForward(bars, bars + 2, n_splits=1, embargo=1)
    assert _splits(splitter) == [([0], [4, 5, 6, 7])]


def test_purged_walk_forward_of_a_panel_keeps_dates_whole():
    start = np.array([0, 0, 10, 10, 10, 20, 30, 30])
    end = np.array([5, 25, 15, 19, 20, 22, 35, 36])
    # blocks of dates {0, 10} and {20, 30}; ends 5, 15, 19 lie before bar 20
    assert _splits(PurgedWalkForward(start, end, n_splits=1)) == [([0, 2, 3], [5, 6, 7])]


def test_purged_walk_forward_gives_excess_dates_to_the_first_training_block():
    bars = np.arange(11)
    splits = _splits(PurgedWalkForward(bars, bars, n_splits=3))
    assert [test for _, test in splits] == [[5, 6], [7, 8], [9, 10]]
    assert splits[0][0] == [0, 1, 2, 3, 4]


def test_purged_walk_forward_may_purge_all_of_train():
    bars = np.arange(4)
    assert _splits(PurgedWalkForward(bars, bars + 9, n_splits=1)) == [([], [2, 3])]


def test_purged_walk_forward_of_unsorted_rows_finds_the_same_rows():
    start = np.array([3, 0, 2, 1])
    assert _splits(PurgedWalkForward(start, start, n_splits=1)) == [([1, 3], [0, 2])]


@settings(deadline=None, max_examples=80)
@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 8)), min_size=5, max_size=60),
    st.integers(1, 4),
    st.integers(0, 5),
)
def test_purged_walk_forward_never_lets_a_label_reach_the_test(rows, n_splits, embargo):
    start = np.array([row[0] for row in rows])
    end = start + np.array([row[1] for row in rows])
    if len(np.unique(start)) <= n_splits:
        return
    splits = list(PurgedWalkForward(start, end, n_splits=n_splits, embargo=embargo).split())
    assert len(splits) == n_splits
    for train, test in splits:
        opening = start[test].min()
        kept = np.zeros(len(rows), dtype=bool)
        kept[train] = True
        np.testing.assert_array_equal(kept, end + embargo < opening)
    assert splits[-1][1].tolist() == np.flatnonzero(start >= start[splits[-1][1]].min()).tolist()


@pytest.mark.parametrize(
    ("start", "end", "options", "error", "words"),
    [
        ([0, 1], [0, 1], {"n_splits": 0}, ConfigError, "n_splits 0"),
        ([0, 1], [0, 1], {"n_splits": 1, "embargo": -1}, ConfigError, "embargo -1"),
        ([0, 1], [0], {"n_splits": 1}, DataError, "one row each"),
        ([0, 5], [0, 4], {"n_splits": 1}, DataError, "row 1: label ends at bar 4"),
        ([0, 0], [1, 1], {"n_splits": 1}, DataError, "1 distinct"),
    ],
)
def test_purged_walk_forward_with_bad_input_says_what(start, end, options, error, words):
    with pytest.raises(error, match=words):
        list(PurgedWalkForward(start, end, **options).split())


def test_purged_walk_forward_serves_scikit_learn_and_checks_the_rows():
    x = np.arange(20.0)[:, None]
    cv = PurgedWalkForward(np.arange(20), np.arange(20) + 1, n_splits=3)
    np.testing.assert_allclose(cross_val_score(LinearRegression(), x, x[:, 0], cv=cv), 1.0)
    assert cv.get_n_splits(x) == 3
    with pytest.raises(DataError, match="one row each"):
        list(cv.split(x[:5]))


@pytest.mark.parametrize(("rows", "n_splits"), [(10, 2), (23, 4), (50, 7)])
@pytest.mark.parametrize("horizon", [0, 2])
def test_purged_walk_forward_equals_scikit_learns_time_series_split(rows, n_splits, horizon):
    bars = np.arange(rows)
    theirs = TimeSeriesSplit(n_splits, gap=horizon).split(bars)
    expected = [(train.tolist(), test.tolist()) for train, test in theirs]
    assert _splits(PurgedWalkForward(bars, bars + horizon, n_splits=n_splits)) == expected
