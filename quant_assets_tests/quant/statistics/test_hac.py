import numpy as np
import pytest
from scipy import stats

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.statistics.hac import automatic_lag, newey_west

pytestmark = pytest.mark.slow

NAN = np.nan


def _data(rows=120, seed=0):
    rng = np.random.default_rng(seed)
    noise = np.convolve(rng.normal(size=rows + 4), [1, 0.7, 0.5, 0.3, 0.1], "valid")
    x = np.column_stack(
        [np.ones(rows), rng.normal(size=rows).cumsum() * 0.1, rng.normal(size=rows)]
    )
    return x @ [0.3, -0.5, 0.2] + noise, x


@pytest.mark.parametrize(
    ("rows", "lag"), [(1, 1), (25, 2), (50, 3), (100, 4), (500, 5), (2_520, 8), (100_000, 18)]
)
def test_automatic_lag_by_hand(rows, lag):
    assert automatic_lag(rows) == lag


def test_newey_west_of_a_mean_by_hand():
    # 1 3 2 6: mean 3, e = -2 0 -1 3; squares 14, products at lag 1: 0 + 0 - 3; weight 1/2
    fit = newey_west([1.0, 3.0, 2.0, 6.0], lags=1)
    assert fit.coefficients[0] == pytest.approx(3.0)
    assert fit.covariance[0, 0] == pytest.approx((14 + 2 * 0.5 * -3) / 16)
    assert fit.t_values[0] == pytest.approx(3 / np.sqrt(11 / 16))
    assert fit.p_values[0] == pytest.approx(2 * stats.t.sf(3 / np.sqrt(11 / 16), 3))
    assert (fit.lags, fit.n_rows, fit.n_excluded) == (1, 4, 0)


def test_newey_west_with_a_gap_keeps_the_rows_places_in_time():
    # rows 0 and 2 remain, two apart: with lag 1 they are not neighbours
    fit = newey_west([1.0, NAN, 3.0], lags=1)
    assert fit.covariance[0, 0] == pytest.approx((1 + 1) / 4)
    assert fit.n_excluded == 1
    assert newey_west([1.0, 3.0], lags=1).covariance[0, 0] == pytest.approx((2 - 1) / 4)


@pytest.mark.slow
@pytest.mark.parametrize("small_sample", [False, True])
@pytest.mark.parametrize("tail", ["t", "normal"])
@pytest.mark.parametrize("lags", [0, 1, 7])
def test_newey_west_equals_statsmodels(lags, tail, small_sample):
    import statsmodels.api as sm

    y, x = _data()
    options = {"maxlags": lags, "use_correction": small_sample}
    theirs = sm.OLS(y, x).fit(cov_type="HAC", cov_kwds=options, use_t=tail == "t")
    ours = newey_west(y, x, lags, tail=tail, small_sample=small_sample)
    np.testing.assert_allclose(ours.coefficients, theirs.params, rtol=1e-9)
    np.testing.assert_allclose(ours.covariance, theirs.cov_params(), rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(ours.t_values, theirs.tvalues, rtol=1e-9)
    np.testing.assert_allclose(ours.p_values, theirs.pvalues, rtol=1e-9)


@pytest.mark.parametrize("scale", [1e6, 1e-8, 1e-120])
def test_newey_west_scales_with_y_and_against_x(scale):
    y, x = _data()
    one, other = newey_west(y, x, 4), newey_west(y * scale, x * [1, scale, 1], 4)
    np.testing.assert_allclose(other.t_values, one.t_values, rtol=1e-9)
    np.testing.assert_allclose(other.coefficients, one.coefficients * [scale, 1, scale], rtol=1e-9)


def test_newey_west_of_many_series_is_that_of_each():
    y, x = _data()
    many = np.column_stack([y, y[::-1], np.where(np.arange(len(y)) == 7, NAN, y)])
    together = newey_west(many, x)
    assert together.covariance.shape == (3, 3, 3)
    for column in range(3):
        alone = newey_west(many[:, column], x)
        for name, value in vars(alone).items():
            np.testing.assert_array_equal(vars(together)[name][..., column], value)


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e6, -1e-8])
def test_newey_west_of_a_constant_has_no_t_value(constant):
    fit = newey_west(np.full(50, constant))
    assert fit.coefficients[0] == pytest.approx(constant)
    assert fit.standard_errors[0] == 0.0
    assert np.isnan([fit.t_values[0], fit.p_values[0]]).all()


@pytest.mark.parametrize("y", [[], [NAN], [NAN] * 5])
def test_newey_west_without_rows_is_nan(y):
    fit = newey_west(y)
    assert np.isnan(fit.coefficients).all()
    assert (fit.n_rows, fit.n_excluded) == (0, len(y))


def test_newey_west_of_one_row_knows_the_mean_only():
    fit = newey_west([0.5])
    assert fit.coefficients[0] == 0.5
    assert np.isnan(fit.p_values[0])


@pytest.mark.parametrize(
    ("y", "x", "lags", "error", "words"),
    [
        ([1.0, np.inf], None, None, DataError, "infinite"),
        ([1.0, 2.0], [1.0, -np.inf], None, DataError, "infinite"),
        ([1.0, 2.0], None, -1, ConfigError, "lags -1"),
        ([1.0, 2.0], [1.0], None, DataError, "expected 2 rows"),
        ([[[1.0]]], None, None, DataError, "shape"),
        ([1.0, 2.0, 4.0], [[1.0, 2.0]] * 3, None, DataError, "collinear"),
        ([1.0, 2.0, 4.0], [0.0, 0.0, 0.0], None, DataError, "collinear"),
    ],
)
def test_newey_west_with_bad_input_says_what(y, x, lags, error, words):
    with pytest.raises(error, match=words):
        newey_west(y, x, lags)
