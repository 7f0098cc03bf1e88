"""Nearness to the high of the year."""

import numpy as np
import pandas as pd
import pytest

from quant_assets.quant.features.distance_52w_high import Distance52WeekHigh
from quant_assets_tests.quant.features.arrays import make_inputs, random_closes


def test_distance_is_the_close_over_the_highest_close():
    close = np.array([200.0] + [100.0] * 12 + [80.0])
    values = Distance52WeekHigh().compute(make_inputs(close))[:, 0]
    assert np.isnan(values[:12]).all()
    assert values[12:].tolist() == [0.5, 0.8]


def test_distance_uses_highs_where_the_venue_has_them():
    close = np.full(13, 100.0)
    high = np.full(13, 101.0)
    high[3] = 125.0
    assert Distance52WeekHigh().compute(make_inputs(close, high=high))[12, 0] == 0.8


@pytest.mark.parametrize("month_bars", [1, 6, 21])
def test_distance_equals_pandas_rolling_max(month_bars):
    close = random_closes(300, 3)
    expected = pd.DataFrame(close) / pd.DataFrame(close).rolling(12 * month_bars + 1).max()
    values = Distance52WeekHigh().compute(make_inputs(close, month_bars=month_bars))
    np.testing.assert_array_equal(values, expected)


def test_distance_of_a_new_high_is_one():
    values = Distance52WeekHigh().compute(make_inputs(np.arange(1.0, 40.0)))
    assert (values[12:] == 1.0).all()


def test_distance_leaves_a_missing_bar_out_but_not_its_own():
    close = random_closes(80, 1, seed=3)
    close[40] = np.nan
    values = Distance52WeekHigh().compute(make_inputs(close, month_bars=2))[:, 0]
    assert np.flatnonzero(np.isnan(values)).tolist() == [*range(24), 40]
    assert values[50] == close[50, 0] / np.nanmax(close[26:51, 0])
