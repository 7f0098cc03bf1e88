import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import TimeSeriesSplit, cross_val_score

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.model_selection.walk_forward import WalkForward


def _splits(splitter, n_rows):
    return [(train.tolist(), test.tolist()) for train, test in splitter.split(np.empty(n_rows))]


def test_walk_forward_rolls_by_the_test_size():
    assert _splits(WalkForward(3, 2), 7) == [([0, 1, 2], [3, 4]), ([2, 3, 4], [5, 6])]


def test_walk_forward_expanding_keeps_the_first_row():
    splitter = WalkForward(3, 2, expanding=True)
    assert _splits(splitter, 7) == [([0, 1, 2], [3, 4]), ([0, 1, 2, 3, 4], [5, 6])]


def test_walk_forward_purge_drops_the_end_of_train():
    assert _splits(WalkForward(4, 2, purge=1), 8) == [
        ([0, 1, 2], [4, 5]),
        ([2, 3, 4], [6, 7]),
    ]


def test_walk_forward_embargo_adds_to_the_purge():
    assert _splits(WalkForward(4, 2, purge=1, embargo=2), 6) == [([0], [4, 5])]


def test_walk_forward_leaves_a_short_last_test_out():
    assert _splits(WalkForward(3, 2), 6) == [([0, 1, 2], [3, 4])]


def test_walk_forward_tests_on_a_short_last_span_when_asked():
    splitter = WalkForward(3, 2, last="short")
    assert _splits(splitter, 6) == [([0, 1, 2], [3, 4]), ([2, 3, 4], [5])]
    assert _splits(splitter, 7) == _splits(WalkForward(3, 2), 7)  # no span is short
    assert _splits(splitter, 4) == [([0, 1, 2], [3])]
    assert splitter.get_n_splits(np.empty(6)) == 2
    with pytest.raises(DataError, match="3 rows"):
        splitter.get_n_splits(np.empty(3))
    with pytest.raises(ConfigError, match="last is 'long'"):
        WalkForward(3, 2, last="long").get_n_splits(np.empty(6))


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 60), st.integers(1, 12), st.integers(1, 9), st.booleans())
def test_walk_forward_with_a_short_last_span_tests_every_row_after_the_first_training(
    rows, train, test, grow
):
    if rows <= train:
        return
    splits = _splits(WalkForward(train, test, expanding=grow, last="short"), rows)
    assert [row for _, outside in splits for row in outside] == list(range(train, rows))
    whole = rows - train >= test
    assert splits[: len(splits) - bool((rows - train) % test)] == (
        _splits(WalkForward(train, test, expanding=grow), rows) if whole else []
    )


@pytest.mark.parametrize(
    "splitter",
    [
        WalkForward(3, 0),
        WalkForward(0, 1),
        WalkForward(3, 1, purge=-1),
        WalkForward(3, 1, embargo=-1),
        WalkForward(3, 1, purge=2, embargo=1),
    ],
)
def test_walk_forward_with_impossible_sizes_is_refused(splitter):
    with pytest.raises(ConfigError, match="purge"):
        list(splitter.split(np.empty(9)))


def test_walk_forward_with_too_few_rows_names_them():
    with pytest.raises(DataError, match="4 rows"):
        list(WalkForward(3, 2).split(np.empty(4)))
    with pytest.raises(ConfigError, match="pass X"):
        WalkForward(3, 2).get_n_splits()


def test_walk_forward_serves_scikit_learn():
    x = np.arange(20.0)[:, None]
    scores = cross_val_score(LinearRegression(), x, 2 * x[:, 0], cv=WalkForward(5, 5))
    np.testing.assert_allclose(scores, 1.0)
    assert len(scores) == WalkForward(5, 5).get_n_splits(x) == 3


@settings(deadline=None, max_examples=80)
@given(
    st.integers(1, 60),
    st.integers(1, 12),
    st.integers(1, 9),
    st.integers(0, 4),
    st.integers(0, 4),
    st.booleans(),
)
def test_walk_forward_never_trains_near_or_after_its_test(rows, train, test, purge, embargo, grow):
    splitter = WalkForward(train, test, purge=purge, embargo=embargo, expanding=grow)
    if train <= purge + embargo or rows < train + test:
        return
    splits = list(splitter.split(np.empty(rows)))
    assert len(splits) == splitter.get_n_splits(np.empty(rows))
    for inside, outside in splits:
        assert outside[0] - inside[-1] == purge + embargo + 1
        assert len(outside) == test
    tested = np.concatenate([outside for _, outside in splits])
    np.testing.assert_array_equal(tested, np.arange(train, train + len(tested)))
    assert rows - train - len(tested) < test


@pytest.mark.slow
@pytest.mark.parametrize("expanding", [False, True])
@pytest.mark.parametrize("purge", [0, 3])
def test_walk_forward_equals_skfolio_whose_train_size_excludes_the_purge(expanding, purge):
    skfolio = pytest.importorskip("skfolio.model_selection", reason="oracle; needs the demo extra")
    x = np.zeros((53, 2))
    theirs = skfolio.WalkForward(
        test_size=6, train_size=20 - purge, expand_train=expanding, purged_size=purge
    )
    ours = WalkForward(20, 6, purge=purge, expanding=expanding)
    expected = [(train.tolist(), test.tolist()) for train, test in theirs.split(x)]
    assert _splits(ours, 53) == expected
    assert ours.get_n_splits(x) == theirs.get_n_splits(x)


@pytest.mark.parametrize(("rows", "test", "gap"), [(20, 3, 0), (23, 4, 2), (50, 7, 3)])
@pytest.mark.parametrize("n_splits", [2, 4])
def test_walk_forward_equals_scikit_learns_time_series_split(rows, test, gap, n_splits):
    train = rows - n_splits * test
    x = np.empty(rows)
    growing = TimeSeriesSplit(n_splits, test_size=test, gap=gap)
    expected = [(a.tolist(), b.tolist()) for a, b in growing.split(x)]
    assert _splits(WalkForward(train, test, purge=gap, expanding=True), rows) == expected
    assert _splits(WalkForward(train, test, embargo=gap, expanding=True), rows) == expected
    rolling = TimeSeriesSplit(n_splits, test_size=test, gap=gap, max_train_size=train - gap)
    expected = [(a.tolist(), b.tolist()) for a, b in rolling.split(x)]
    assert _splits(WalkForward(train, test, purge=gap), rows) == expected
