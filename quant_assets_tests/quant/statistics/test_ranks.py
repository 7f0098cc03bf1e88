import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import stats

from quant_assets.quant.statistics.ranks import (
    average_ranks,
    cross_sectional_ic,
    rank_percentiles,
    spearman,
)

pytestmark = pytest.mark.slow

NAN = np.nan
VALUES = st.one_of(st.integers(-3, 3).map(float), st.floats(-1e6, 1e6), st.just(NAN))


def test_rank_percentiles_of_distinct_values_are_centred_in_their_cells():
    assert rank_percentiles([30.0, 10.0, 20.0, 40.0]).tolist() == [0.625, 0.125, 0.375, 0.875]


def test_rank_percentiles_of_ties_share_the_average():
    assert rank_percentiles([1.0, 2.0, 2.0, 3.0]).tolist() == [0.125, 0.5, 0.5, 0.875]


def test_rank_percentiles_with_nan_keep_it_and_count_the_rest():
    result = rank_percentiles([5.0, NAN, 1.0])
    np.testing.assert_array_equal(result, [0.75, NAN, 0.25])


@pytest.mark.parametrize("values", [[7.0], [7.0, 7.0, 7.0], [NAN, 7.0]])
def test_rank_percentiles_without_differences_are_one_half(values):
    result = rank_percentiles(values)
    assert np.all(np.isnan(result) | (result == 0.5))


def test_rank_percentiles_of_all_nan_and_of_nothing_stay_so():
    assert np.isnan(rank_percentiles([NAN, NAN])).all()
    assert rank_percentiles(np.empty((0, 3))).shape == (0, 3)
    assert rank_percentiles(np.empty((3, 0))).shape == (3, 0)


def test_rank_percentiles_along_axis_0_rank_the_columns():
    values = np.array([[1.0, 9.0], [2.0, 5.0], [3.0, NAN]])
    result = rank_percentiles(values, axis=0)
    np.testing.assert_allclose(result[:, 0], [1 / 6, 0.5, 5 / 6])
    np.testing.assert_array_equal(result[:, 1], [0.75, 0.25, NAN])


def test_rank_percentiles_leave_their_input_alone():
    values = np.array([3.0, NAN, 1.0])
    rank_percentiles(values)
    np.testing.assert_array_equal(values, [3.0, NAN, 1.0])


@pytest.mark.slow
@settings(deadline=None, max_examples=60)
@given(arrays(np.float64, array_shapes(min_dims=1, max_dims=3, max_side=7), elements=VALUES))
def test_average_ranks_equal_scipy_on_every_axis(values):
    for axis in range(values.ndim):
        expected = stats.rankdata(values, axis=axis, nan_policy="omit")
        np.testing.assert_array_equal(average_ranks(values, axis=axis), expected)


@pytest.mark.slow
@settings(deadline=None, max_examples=60)
@given(arrays(np.float64, 9, elements=VALUES), st.permutations(range(9)))
def test_rank_percentiles_of_permuted_values_are_permuted(values, order):
    expected = rank_percentiles(values)[list(order)]
    np.testing.assert_array_equal(rank_percentiles(values[list(order)]), expected)


@pytest.mark.parametrize("scale", [1e6, 1e-8])
def test_spearman_at_any_scale_equals_scipy(scale):
    rng = np.random.default_rng(3)
    x = np.round(rng.normal(size=40), 1)
    y = x + rng.normal(size=40)
    expected = stats.spearmanr(x, y).statistic
    assert spearman(x * scale, y) == pytest.approx(expected, abs=1e-12)


def test_spearman_by_hand_is_one_minus_six_d_squared():
    # ranks 1 2 3 4 against 2 1 4 3: sum d^2 = 4, rho = 1 - 6 * 4 / (4 * 15)
    assert spearman([1.0, 2.0, 3.0, 4.0], [20.0, 10.0, 40.0, 30.0]) == pytest.approx(0.6)


def test_spearman_drops_pairs_with_nan_before_ranking():
    x = [1.0, NAN, 2.0, 3.0, 4.0]
    y = [1.0, 99.0, NAN, 3.0, 2.0]
    assert spearman(x, y) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ([1.0, 2.0], [1.0, 2.0]),
        ([1.0, 2.0, NAN], [1.0, 2.0, 3.0]),
        ([0.1, 0.1, 0.1, 0.1], [1.0, 2.0, 3.0, 4.0]),
        ([], []),
    ],
)
def test_spearman_without_evidence_is_nan(x, y):
    assert np.isnan(spearman(x, y))


def test_spearman_of_equal_orders_is_exactly_one():
    x = np.random.default_rng(0).normal(size=333)
    assert spearman(x, np.exp(x)) == 1.0
    assert spearman(x, -x) == -1.0


def test_cross_sectional_ic_row_by_row_equals_spearman():
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(2, 6, 11)), rng.normal(size=(6, 11))
    x[0, 2, 3] = NAN
    y[4, 5:] = NAN
    y[5, 2:] = NAN
    result = cross_sectional_ic(x, y)
    assert result.shape == (2, 6)
    for k in range(2):
        for t in range(6):
            np.testing.assert_array_equal(result[k, t], spearman(x[k, t], y[t]))
    assert np.isnan(result[:, 5]).all()
    assert not np.isnan(result[:, :5]).any()
