"""Worst fall of the trailing year."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quant_assets.quant.features.drawdown import Drawdown, worst_ratios
from quant_assets_tests.quant.features.arrays import make_inputs, random_closes


def brute_force(window):
    ratios = [window[j] / window[i] for i in range(len(window)) for j in range(i, len(window))]
    return np.nanmin(ratios)


def test_drawdown_remembers_a_fall_that_was_recovered():
    close = np.array([100.0, 120.0, 90.0, 130.0] + [130.0] * 12)
    values = Drawdown().compute(make_inputs(close))[:, 0]
    assert np.isnan(values[:12]).all()
    # the fall 120 -> 90 stays until the 120 leaves the window of 13 closes
    np.testing.assert_allclose(values[12:14], -0.25, rtol=1e-15)
    np.testing.assert_array_equal(values[14:], 0.0)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 30), st.integers(1, 9), st.floats(0.0, 0.4))
def test_worst_ratio_equals_brute_force(n_times, n_rows, missing):
    n_rows = min(n_rows, n_times)
    close = random_closes(n_times, 2, seed=n_times, missing=missing)
    found = worst_ratios(close, n_rows)
    for row in range(n_rows - 1, n_times):
        for column in range(2):
            window = close[row - n_rows + 1 : row + 1, column]
            if np.isnan(window).all():
                assert np.isnan(found[row, column])
            else:
                assert found[row, column] == brute_force(window)


@pytest.mark.parametrize("scale", [1e-8, 1e6])
def test_drawdown_does_not_depend_on_the_price_scale(scale):
    base = Drawdown().compute(make_inputs(random_closes(60, 3)))
    other = Drawdown().compute(make_inputs(random_closes(60, 3, scale=100.0 * scale)))
    np.testing.assert_allclose(other, base, rtol=1e-9)


def test_drawdown_leaves_a_missing_bar_out_but_not_its_own():
    close = random_closes(80, 1, seed=3)
    close[40] = np.nan
    values = Drawdown().compute(make_inputs(close, month_bars=2))[:, 0]
    assert np.flatnonzero(np.isnan(values)).tolist() == [*range(24), 40]
    assert values[50] == brute_force(close[26:51, 0]) - 1.0


def test_drawdown_is_never_positive_and_zero_for_a_rising_price():
    values = Drawdown().compute(make_inputs(random_closes(100, 4)))[12:]
    assert (values <= 0.0).all()
    assert (Drawdown().compute(make_inputs(np.arange(1.0, 31.0)))[12:] == 0.0).all()


def test_drawdown_of_too_short_a_history_is_missing():
    assert np.isnan(Drawdown().compute(make_inputs(random_closes(12, 2)))).all()
