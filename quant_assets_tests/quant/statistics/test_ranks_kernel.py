import numpy as np
import pytest
from scipy import stats

from quant_assets.quant.statistics.ranks import average_ranks, cross_sectional_ic, rank_percentiles

pytestmark = pytest.mark.slow

NAN = np.nan


def twin(values):
    """Average ranks by counting: one more than the smaller ones, plus half of the other equals."""
    smaller = (values[:, None, :] < values[:, :, None]).sum(axis=2)
    equal = (values[:, None, :] == values[:, :, None]).sum(axis=2)
    return np.where(np.isnan(values), NAN, smaller + (equal + 1) / 2)


def samples(width):
    rng = np.random.default_rng(width)
    normal = rng.normal(size=(6, width))
    holes = np.where(rng.random(normal.shape) < 0.3, NAN, normal)
    narrow = 1e6 + normal * 1e-8
    one_far = narrow.copy()
    one_far[:, 0] = -1e-300
    special = normal.copy()
    special[:, : min(width, 5)] = [np.inf, -np.inf, -0.0, 0.0, 5e-324][: min(width, 5)]
    return {
        "normal": normal,
        "tied": np.round(normal),
        "constant": np.full_like(normal, 0.1),
        "holes": holes,
        "missing": np.full_like(normal, NAN),
        "narrow": narrow,
        "narrow beside one far away": one_far,
        "special": special,
        "whole range": normal * 10.0 ** rng.integers(-300, 300, normal.shape),
    }


@pytest.mark.parametrize("width", [1, 2, 7, 64, 65, 257])
def test_ranks_of_every_kind_of_row_equal_those_by_counting(width):
    for name, values in samples(width).items():
        np.testing.assert_array_equal(average_ranks(values), twin(values), err_msg=name)


def test_ranks_of_many_values_that_share_their_leading_bits_are_exact():
    # 300 neighbours of 1e6 beside one value 600 powers of two away: their keys all lose low bits
    rng = np.random.default_rng(1)
    steps = rng.permutation(300)
    values = np.append(1e6 + steps * np.spacing(1e6), 1e-170)[None, :]
    np.testing.assert_array_equal(average_ranks(values)[0], np.append(steps + 2.0, 1.0))


def test_ranks_of_more_rows_than_a_block_holds_equal_scipy():
    values = np.round(np.random.default_rng(2).normal(size=(70, 601)), 2)
    expected = stats.rankdata(values, axis=1)
    np.testing.assert_array_equal(average_ranks(values), expected)
    np.testing.assert_array_equal(rank_percentiles(values), (expected - 0.5) / 601)


def test_ranks_accept_arrays_that_must_not_be_written():
    values = np.random.default_rng(3).normal(size=(3, 5))
    values.setflags(write=False)
    np.testing.assert_array_equal(average_ranks(values), twin(values))
    assert cross_sectional_ic(values, values).tolist() == [1.0, 1.0, 1.0]
