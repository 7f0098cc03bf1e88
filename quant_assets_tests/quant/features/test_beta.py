"""Twelve-month beta to the equal-weight market."""

import numpy as np
import pytest

from quant_assets.quant.features.beta import Beta
from quant_assets_tests.quant.features.arrays import make_inputs, random_closes


def test_beta_of_a_doubled_market_is_relative_to_the_mean():
    steps = np.random.default_rng(0).normal(0.0, 0.01, 20)
    returns = np.column_stack([steps, 3.0 * steps])
    close = np.cumprod(1.0 + np.vstack([[0.0, 0.0], returns]), axis=0)
    values = Beta().compute(make_inputs(close))
    assert np.isnan(values[:12]).all()
    np.testing.assert_allclose(values[12:], np.tile([0.5, 1.5], (9, 1)), rtol=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize(("month_bars", "scale"), [(1, 1.0), (4, 1e-8), (4, 1e6)])
def test_beta_equals_the_statsmodels_slope(month_bars, scale):
    import statsmodels.api as sm  # a second, which the fast suite does not spend

    inputs = make_inputs(random_closes(120, 3, scale=scale, seed=4), month_bars=month_bars)
    values, n_rows = Beta().compute(inputs), 12 * month_bars
    for row in range(n_rows, 120, 5):
        window = slice(row - n_rows + 1, row + 1)
        design = sm.add_constant(inputs.market[window])
        for column in range(3):
            slope = sm.OLS(inputs.returns[window, column], design).fit().params[1]
            assert values[row, column] == pytest.approx(slope, rel=1e-9)


def test_mean_beta_of_equal_histories_is_one():
    values = Beta().compute(make_inputs(random_closes(60, 5)))
    np.testing.assert_allclose(values[12:].mean(axis=1), 1.0, rtol=1e-10)


def test_beta_of_a_symbol_with_a_gap_is_missing_and_others_are_not():
    close = random_closes(40, 3)
    close[14, 0] = np.nan
    missing = np.isnan(Beta().compute(make_inputs(close)))
    assert np.flatnonzero(missing[:, 0]).tolist() == [*range(12), *range(14, 27)]
    assert np.flatnonzero(missing[:, 1]).tolist() == list(range(12))


def test_beta_to_a_market_that_does_not_move_is_missing():
    assert np.isnan(Beta().compute(make_inputs(np.full((30, 2), 5.0)))).all()


def test_beta_of_too_short_a_history_is_missing():
    assert np.isnan(Beta().compute(make_inputs(random_closes(12, 2)))).all()
