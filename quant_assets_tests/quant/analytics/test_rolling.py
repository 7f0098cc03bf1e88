"""Rolling figures: each window on its own is the oracle."""

import numpy as np
import pandas as pd
import pytest

from quant_assets.core.errors import DataError
from quant_assets.quant.analytics import metrics, rolling

pytestmark = pytest.mark.slow

PPY, WINDOW = 252, 21
RNG = np.random.default_rng(0)
MARKET = RNG.normal(3e-4, 0.01, 95)
MATRIX = 0.5 * MARKET[:, None] + RNG.standard_t(4, (95, 3)) * 0.01
MATRIX[RNG.random((95, 3)) < 0.1] = 0.0

# name -> (rolling figure of returns and benchmark, the same of one window)
FIGURES = {
    "total_return": (
        lambda r, m, w: rolling.rolling_total_return(r, w),
        lambda r, m: metrics.total_return(r),
    ),
    "max_drawdown": (
        lambda r, m, w: rolling.rolling_max_drawdown(r, w),
        lambda r, m: metrics.max_drawdown(r),
    ),
    "volatility": (
        lambda r, m, w: rolling.rolling_volatility(r, w, PPY),
        lambda r, m: metrics.annual_volatility(r, PPY),
    ),
    "sharpe": (
        lambda r, m, w: rolling.rolling_sharpe(r, w, PPY, 0.02),
        lambda r, m: metrics.sharpe_ratio(r, PPY, 0.02),
    ),
    "sortino": (
        lambda r, m, w: rolling.rolling_sortino(r, w, PPY, 1e-4),
        lambda r, m: metrics.sortino_ratio(r, PPY, 1e-4),
    ),
    "hit_rate": (
        lambda r, m, w: rolling.rolling_hit_rate(r, w),
        lambda r, m: metrics.hit_rate(r),
    ),
    "beta": (
        lambda r, m, w: rolling.rolling_beta(r, m, w, PPY, 0.02),
        lambda r, m: metrics.alpha_beta(r, m, PPY, 0.02).beta,
    ),
    "alpha": (
        lambda r, m, w: rolling.rolling_alpha(r, m, w, PPY, 0.02),
        lambda r, m: metrics.alpha_beta(r, m, PPY, 0.02).alpha,
    ),
    "correlation": (
        rolling.rolling_correlation,
        lambda r, m: np.array([np.corrcoef(column, m)[0, 1] for column in r.T]),
    ),
    "tracking_error": (
        lambda r, m, w: rolling.rolling_tracking_error(r, m, w, PPY),
        lambda r, m: metrics.annual_volatility(r - m[:, None], PPY),
    ),
    "information_ratio": (
        lambda r, m, w: rolling.rolling_information_ratio(r, m, w, PPY),
        lambda r, m: metrics.information_ratio(r, m, PPY),
    ),
}


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("window", [WINDOW, 95])
def test_rolling_figure_is_the_figure_of_each_window(name, window):
    rolled, alone = FIGURES[name]
    found = rolled(MATRIX, MARKET, window)
    assert np.isnan(found[: window - 1]).all()
    expected = [
        alone(MATRIX[t - window + 1 : t + 1], MARKET[t - window + 1 : t + 1])
        for t in range(window - 1, len(MATRIX))
    ]
    np.testing.assert_allclose(found[window - 1 :], expected, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("name", FIGURES)
def test_later_rows_change_no_earlier_value(name):
    rolled, _ = FIGURES[name]
    whole = rolled(MATRIX, MARKET, WINDOW)
    for cut in (WINDOW - 1, WINDOW, 42, 43, 70):
        part = rolled(MATRIX[:cut], MARKET[:cut], WINDOW)
        np.testing.assert_array_equal(part, whole[:cut])


@pytest.mark.parametrize("name", FIGURES)
def test_one_series_and_a_matrix_agree_to_the_bit(name, monkeypatch):
    rolled, _ = FIGURES[name]
    whole = rolled(MATRIX, MARKET, WINDOW)
    alone = rolled(MATRIX[:, 1], MARKET, WINDOW)
    assert alone.shape == (95,)
    np.testing.assert_array_equal(alone, whole[:, 1])
    monkeypatch.setattr(rolling, "BLOCK_BYTES", 1)
    np.testing.assert_array_equal(rolled(MATRIX[:, ::-1], MARKET, WINDOW), whole[:, ::-1])


@pytest.mark.parametrize("name", FIGURES)
def test_a_missing_row_makes_its_windows_nan_and_no_other(name):
    rolled, _ = FIGURES[name]
    holed = MATRIX.copy()
    holed[[30, 50], 0] = np.nan
    found, whole = rolled(holed, MARKET, 7), rolled(MATRIX, MARKET, 7)
    unknown = np.zeros(MATRIX.shape, dtype=bool)
    unknown[[*range(30, 37), *range(50, 57)], 0] = True
    unknown[:6] = True
    np.testing.assert_array_equal(np.isnan(found), unknown | np.isnan(whole))
    np.testing.assert_array_equal(found[~unknown], whole[~unknown])


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("rows", [0, 1, 20])
def test_a_series_shorter_than_the_window_is_all_nan(name, rows):
    rolled, _ = FIGURES[name]
    found = rolled(MATRIX[:rows], MARKET[:rows], WINDOW)
    assert found.shape == (rows, 3)
    assert np.isnan(found).all()


def test_an_outlier_that_left_the_window_leaves_no_trace():
    returns = MATRIX[:, 0].copy()
    returns[40] = 1e9
    spread = rolling.rolling_volatility(returns, 10, 1)[50:]
    expected = pd.Series(MATRIX[:, 0]).rolling(10).apply(lambda w: w.std(ddof=1), raw=True)
    np.testing.assert_allclose(spread, expected.to_numpy()[50:], rtol=1e-12)


@pytest.mark.parametrize("scale", [1e6, 1.0, 1e-8])
def test_volatility_scales(scale):
    base = rolling.rolling_volatility(MATRIX, 10, PPY)
    np.testing.assert_allclose(
        rolling.rolling_volatility(MATRIX * scale, 10, PPY), base * scale, rtol=1e-9
    )


def test_constant_windows_have_no_volatility_and_no_ratio():
    flat = np.full(30, 0.1)
    assert rolling.rolling_volatility(flat, 5, PPY)[4:].tolist() == [0.0] * 26
    for figure in (
        rolling.rolling_sharpe(flat, 5, PPY),
        rolling.rolling_beta(MARKET[:30], flat, 5, PPY),
        rolling.rolling_correlation(flat, MARKET[:30], 5),
        rolling.rolling_information_ratio(flat, flat, 5, PPY),
        rolling.rolling_sortino(flat, 5, PPY),
        rolling.rolling_hit_rate(np.zeros(30), 5),
    ):
        assert np.isnan(figure).all()


def test_total_loss_in_the_window_is_minus_one():
    returns = np.array([0.1, -1.0, 0.2, 0.3, 0.1, -0.2])
    assert rolling.rolling_total_return(returns, 3)[2:4].tolist() == [-1.0, -1.0]
    assert rolling.rolling_max_drawdown(returns, 3)[2:].tolist() == [
        -1.0,
        -1.0,
        0.0,
        pytest.approx(-0.2),
    ]


def test_window_that_is_too_short_is_a_data_error():
    with pytest.raises(DataError, match="needs 2 rows or more, found 1"):
        rolling.rolling_sharpe(MARKET, 1, PPY)
    with pytest.raises(DataError, match="needs 1 rows or more, found 0"):
        rolling.rolling_max_drawdown(MARKET, 0)


def test_rolling_sharpe_takes_a_risk_free_series():
    free = np.linspace(0.0, 1e-4, 95)
    expected = rolling.rolling_sharpe(MARKET - free, WINDOW, PPY)
    np.testing.assert_allclose(rolling.rolling_sharpe(MARKET, WINDOW, PPY, free), expected)
