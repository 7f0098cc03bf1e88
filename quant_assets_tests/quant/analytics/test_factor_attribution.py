import numpy as np
import pandas as pd
import pytest

from quant_assets.core.errors import DataError
from quant_assets.quant.analytics.factor_attribution import factor_regression

RNG = np.random.default_rng(0)
FACTORS = RNG.normal(2e-4, 0.01, (300, 2))
NOISE = RNG.normal(0, 0.005, 301)
RETURNS = 1e-4 + FACTORS @ [0.8, -0.3] + NOISE[1:] + 0.5 * NOISE[:-1]


@pytest.mark.slow
@pytest.mark.parametrize("lags", [None, 0, 7])
def test_coefficients_and_errors_equal_statsmodels(lags):
    import statsmodels.api as sm  # a second of import

    found = factor_regression(RETURNS, FACTORS, periods_per_year=252, lags=lags)
    design = sm.add_constant(FACTORS)
    peer = sm.OLS(RETURNS, design).fit(
        cov_type="HAC", cov_kwds={"maxlags": found.lags, "use_correction": False}, use_t=True
    )
    table = found.table
    np.testing.assert_allclose(table["coefficient"], peer.params, rtol=1e-9)
    np.testing.assert_allclose(table["standard_error"], peer.bse, rtol=1e-9)
    np.testing.assert_allclose(table["t_value"], peer.tvalues, rtol=1e-9)
    np.testing.assert_allclose(table["p_value"], peer.pvalues, rtol=1e-9)
    assert found.r_squared == pytest.approx(peer.rsquared, rel=1e-9)


def test_coefficients_equal_least_squares_and_default_lag_is_the_plug_in():
    found = factor_regression(RETURNS, FACTORS, periods_per_year=252)
    design = np.column_stack([np.ones(300), FACTORS])
    expected, *_ = np.linalg.lstsq(design, RETURNS, rcond=None)
    np.testing.assert_allclose(found.table["coefficient"], expected, rtol=1e-9)
    assert found.lags == int(4 * 3 ** (2 / 9))
    assert found.n_rows == 300


def test_contributions_sum_to_the_annual_mean():
    found = factor_regression(RETURNS, FACTORS, periods_per_year=252)
    assert found.annual_mean == pytest.approx(RETURNS.mean() * 252, rel=1e-12)
    assert found.table["contribution"].sum() == pytest.approx(found.annual_mean, abs=1e-12)


def test_rows_with_a_nan_are_left_out():
    returns, factors = RETURNS.copy(), FACTORS.copy()
    returns[3], factors[7, 1] = np.nan, np.nan
    kept = np.delete(np.arange(300), [3, 7])
    found = factor_regression(returns, factors, periods_per_year=252, lags=0)
    expected = factor_regression(RETURNS[kept], FACTORS[kept], periods_per_year=252, lags=0)
    assert found.n_rows == 298
    np.testing.assert_allclose(found.table, expected.table, rtol=1e-12)
    assert found.r_squared == pytest.approx(expected.r_squared)


def test_names_come_from_the_frame_the_argument_or_the_position():
    frame = pd.DataFrame(FACTORS, columns=["market", "size"])
    named = factor_regression(RETURNS, frame, periods_per_year=1)
    assert named.table.index.tolist() == ["alpha", "market", "size"]
    given = factor_regression(RETURNS, FACTORS, periods_per_year=1, names=["x", "y"])
    assert given.table.index.tolist() == ["alpha", "x", "y"]
    one = factor_regression(RETURNS, FACTORS[:, 0], periods_per_year=1)
    assert one.table.index.tolist() == ["alpha", "factor_0"]


def test_inputs_that_do_not_fit_are_refused():
    with pytest.raises(DataError, match="must name 2 factors"):
        factor_regression(RETURNS, FACTORS, periods_per_year=1, names=["one"])
    with pytest.raises(DataError, match="none of them 'alpha'"):
        factor_regression(RETURNS, FACTORS, periods_per_year=1, names=["alpha", "b"])
    with pytest.raises(DataError, match="expected one series of 300 returns"):
        factor_regression(RETURNS[1:], FACTORS, periods_per_year=1)
    with pytest.raises(DataError, match="collinear"):
        factor_regression(RETURNS, FACTORS[:, [0, 0]], periods_per_year=1)


def test_a_constant_series_has_no_r_squared():
    found = factor_regression(np.full(300, 0.1), FACTORS, periods_per_year=1)
    assert np.isnan(found.r_squared)
    assert found.table.loc["alpha", "coefficient"] == pytest.approx(0.1)
    assert np.isnan(found.table["t_value"]).all()
