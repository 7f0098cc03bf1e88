import numpy as np
import pandas as pd
import pytest
from scipy import stats

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant import indicators

pytestmark = pytest.mark.slow

NAN = np.nan
GROUPS = np.array(["tech", "", "bank", "tech", "bank", "tech", "oil"])


@pytest.fixture(scope="module")
def values():
    """Ties, holes, an empty row, a lone value and a constant row."""
    table = np.random.default_rng(6).normal(size=(40, 7))
    table[:, 2] = np.round(table[:, 2])
    table[5, 3] = table[6, :4] = table[7] = NAN
    table[8, 1:] = NAN
    table[9] = 0.1
    return table


FUNCTIONS = {
    "rank": indicators.cross_sectional_rank,
    "z_score": indicators.cross_sectional_z_score,
    "winsorise": lambda values: indicators.winsorise(values, lower=0.2, upper=0.7),
    "neutralise": lambda values: indicators.neutralise(values, np.arange(values.shape[-1]) % 2),
}
every_function = pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)


def test_cross_sectional_rank_equals_pandas(values):
    expected = pd.DataFrame(values).rank(axis=1, pct=True)
    np.testing.assert_allclose(indicators.cross_sectional_rank(values), expected, rtol=1e-15)


@pytest.mark.parametrize("ddof", [0, 1])
def test_cross_sectional_z_score_equals_scipy(values, ddof):
    found = indicators.cross_sectional_z_score(values, ddof=ddof)
    for row, result in zip(values, found, strict=True):
        known = row[~np.isnan(row)]
        flat = len(known) < 2 or np.ptp(known) == 0
        expected = np.full(len(known), NAN) if flat else stats.zscore(known, ddof=ddof)
        np.testing.assert_allclose(result[~np.isnan(row)], expected, rtol=1e-9, atol=1e-12)
        assert np.isnan(result[np.isnan(row)]).all()


def test_cross_sectional_z_score_of_close_values_keeps_their_digits():
    steps = np.array([3.0, 1.0, 2.0, 9.0])
    values = 1e6 + steps * 2.0**-30
    expected = (steps - steps.mean()) / steps.std(ddof=1)
    np.testing.assert_allclose(indicators.cross_sectional_z_score(values), expected, rtol=1e-12)


@pytest.mark.parametrize(("lower", "upper"), [(0.0, 1.0), (0.1, 0.8), (0.25, 0.75)])
def test_winsorised_rows_lie_between_the_quantiles_of_numpy(values, lower, upper):
    found = indicators.winsorise(values, lower=lower, upper=upper)
    for row, result in zip(values, found, strict=True):
        known = row[~np.isnan(row)]
        limits = np.quantile(known, [lower, upper]) if known.size else (NAN, NAN)
        np.testing.assert_allclose(result, np.clip(row, *limits), rtol=1e-12, atol=1e-15)


def test_neutralised_rows_have_no_group_mean(values):
    found = indicators.neutralise(values, GROUPS)
    expected = np.full(values.shape, NAN)
    for name in ("tech", "bank", "oil"):
        members = name == GROUPS
        group = pd.DataFrame(values[:, members])
        expected[:, members] = group.sub(group.mean(axis=1), axis=0)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-14)


def test_neutralise_follows_groups_that_change():
    values = np.array([[1.0, 3.0, 8.0], [1.0, 3.0, 8.0]])
    groups = np.array([[1, 1, 2], [1, 2, 2]])
    np.testing.assert_array_equal(
        indicators.neutralise(values, groups), [[-1.0, 1.0, 0.0], [0.0, -2.5, 2.5]]
    )


def test_symbols_in_no_group_have_no_value():
    found = indicators.neutralise([1.0, 2.0, 4.0], np.array(["a", None, "a"], dtype=object))
    np.testing.assert_array_equal(found, [-1.5, NAN, 1.5])
    found = indicators.neutralise([1.0, 2.0, 4.0], [1.0, NAN, 1.0])
    np.testing.assert_array_equal(found, [-1.5, NAN, 1.5])


@every_function
def test_infinite_values_are_left_out_of_their_row(function, values):
    infinite, missing = values.copy(), values.copy()
    infinite[3, 2], infinite[4, 5] = np.inf, -np.inf
    missing[3, 2], missing[4, 5] = NAN, NAN
    np.testing.assert_array_equal(function(infinite), function(missing))


@every_function
def test_rows_do_not_know_of_each_other(function, values):
    whole = function(values)
    np.testing.assert_array_equal(function(values[10:20]), whole[10:20])
    for row, result in zip(values, whole, strict=True):
        np.testing.assert_array_equal(function(row), result)


@every_function
def test_symbols_in_another_order_give_results_in_that_order(function, values):
    order = np.array([2, 1, 0, 3, 6, 5, 4])  # keeps the groups of `neutralise`
    found, expected = function(values[:, order]), function(values)[:, order]
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


@every_function
def test_scale_and_empty_rows_are_survived(function, values):
    for scale in (1e6, 1e-8):
        found, as_one = function(values * scale), function(values)
        np.testing.assert_array_equal(np.isnan(found), np.isnan(as_one))
    assert function(np.empty((0, 4))).shape == (0, 4)
    assert function(np.empty((4, 0))).shape == (4, 0)
    assert np.isnan(function(np.full((2, 3), NAN))).all()


@every_function
def test_frozen_and_integer_arrays_are_taken_and_left_alone(function, values):
    whole = np.round(np.nan_to_num(values) * 10)
    frozen = np.asfortranarray(whole)
    frozen.setflags(write=False)
    np.testing.assert_array_equal(function(frozen), function(whole.astype(np.int64)))


def test_wrong_limits_and_groups_are_refused(values):
    with pytest.raises(ConfigError, match=r"lower 0\.9"):
        indicators.winsorise(values, lower=0.9, upper=0.1)
    with pytest.raises(ConfigError, match="ddof = 2"):
        indicators.cross_sectional_z_score(values, ddof=2)
    with pytest.raises(DataError, match=r"groups of shape \(6,\)"):
        indicators.neutralise(values, GROUPS[:6])
    with pytest.raises(DataError, match=r"\(2, 3, 4\)"):
        indicators.cross_sectional_z_score(np.ones((2, 3, 4)))
