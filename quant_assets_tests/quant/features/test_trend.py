"""t-value of the slope of log close."""

import numpy as np
import pytest

from quant_assets.quant.features.trend import Trend, slope_t_values
from quant_assets_tests.quant.features.arrays import make_inputs, random_closes


def oracle(values):
    import statsmodels.api as sm  # a second, which the fast suite does not spend

    time = np.arange(len(values), dtype=float)
    seen = ~np.isnan(values)
    return sm.OLS(values[seen], sm.add_constant(time[seen])).fit().tvalues[1]


def test_t_value_of_three_points_by_hand():
    # y = 0, 2, 1: slope 1/2, residuals -1/2, 1, -1/2, SSE 3/2, se = sqrt(3/2 / 1 / 2)
    values = slope_t_values(np.array([[0.0], [2.0], [1.0]]), 3)[:, 0]
    assert np.isnan(values[:2]).all()
    assert values[2] == pytest.approx(0.5 / np.sqrt(0.75), rel=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize(("month_bars", "scale"), [(1, 1.0), (21, 1.0), (5, 1e-8), (5, 1e6)])
def test_trend_equals_the_statsmodels_t_value(month_bars, scale):
    close = random_closes(300, 2, scale=scale, seed=8)
    values, n_rows = Trend().compute(make_inputs(close, month_bars=month_bars)), 6 * month_bars + 1
    assert np.isnan(values[: n_rows - 1]).all()
    for row in range(n_rows - 1, 300, 13):
        for column in range(2):
            expected = oracle(np.log(close[row - n_rows + 1 : row + 1, column]))
            assert values[row, column] == pytest.approx(expected, rel=1e-8)


@pytest.mark.slow
def test_trend_leaves_missing_bars_out_at_their_place_in_time():
    close = random_closes(200, 1, seed=5)
    close[[50, 90]] = np.nan
    values = Trend().compute(make_inputs(close, month_bars=10))[:, 0]
    assert np.flatnonzero(np.isnan(values[60:])).tolist() == [30]
    for row in (60, 80, 89, 91, 100, 110, 111, 150, 151):
        expected = oracle(np.log(close[row - 60 : row + 1, 0]))
        assert values[row] == pytest.approx(expected, rel=1e-9)


def test_trend_is_missing_when_more_than_five_per_cent_is():
    close = random_closes(200, 1, seed=5)
    close[50:54] = np.nan
    values = Trend().compute(make_inputs(close, month_bars=10))[:, 0]
    # 4 of 61 bars are 6.6 %; 3 of 61 are 4.9 %
    assert np.isnan(values[60:111]).all()
    assert not np.isnan(values[111:]).any()


def test_trend_of_a_flat_price_is_zero_even_after_a_jump():
    close = np.concatenate([np.full(17, 2.0), np.full(40, 55_000.0)])
    values = Trend().compute(make_inputs(close))[:, 0]
    assert (values[6:17] == 0.0).all()
    assert (values[17:23] > 0.0).all()
    assert (values[23:] == 0.0).all()


def test_trend_of_a_straight_line_is_finite_and_signed():
    close = np.exp(0.01 * np.arange(30.0))
    up = Trend().compute(make_inputs(close))[6:, 0]
    down = Trend().compute(make_inputs(1.0 / close))[6:, 0]
    np.testing.assert_allclose(up, 1e5 * np.sqrt(5.0), rtol=1e-4)
    np.testing.assert_allclose(down, -up, rtol=1e-4)


def test_trend_of_nothing_is_missing():
    assert np.isnan(Trend().compute(make_inputs(np.full((30, 2), np.nan)))).all()
    assert np.isnan(Trend().compute(make_inputs(random_closes(6, 2)))).all()
