import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from quant_assets.quant.moments.past import bar_returns, before, past_moments

pytestmark = pytest.mark.slow


def samples(n_rows=300, *, missing=0.25, seed=0):
    rng = np.random.default_rng(seed)
    values = rng.normal(0.001, 0.02, (n_rows, 3)) * [1.0, 5.0, 0.2]
    values[rng.random(values.shape) < missing] = np.nan
    return values


@pytest.mark.parametrize("n", [1, 2, 7, 60, 500])
def test_past_moments_are_those_of_pandas_with_gaps(n):
    values = samples()
    found, window = past_moments(values, n), pd.DataFrame(values).rolling(n, min_periods=1)
    assert_array_equal(found.known, window.count())
    assert_allclose(found.mean, window.mean(), rtol=1e-9, atol=1e-15)
    assert_allclose(found.variance, window.var(), rtol=1e-9)


@pytest.mark.parametrize("n", [1, 2, 7, 60, 500])
def test_one_column_alone_has_the_bits_that_it_has_beside_others(n):
    values = samples()
    together = past_moments(values, n)
    for column in range(values.shape[1]):
        alone = past_moments(values[:, [column]], n)
        for one, of_all in zip(alone, together, strict=True):
            assert_array_equal(one[:, 0], of_all[:, column])


def test_past_moments_do_not_drift_after_an_outlier():
    values = samples(2_000, missing=0.0)
    values[120] = 10.0
    found = past_moments(values, 50)
    for row in (169, 170, 199, 1_000, 1_999):  # it leaves at 170, the sums are taken anew at 200
        window = values[row - 49 : row + 1]
        assert_allclose(found.mean[row], window.mean(axis=0), rtol=1e-9)
        assert_allclose(found.variance[row], window.var(axis=0, ddof=1), rtol=1e-9)


def test_past_variance_of_a_price_that_stands_still_is_exactly_zero():
    close = 100.0 * np.cumprod(1.0 + np.r_[np.zeros(31), 0.02, np.zeros(30)])[:, None]
    found = past_moments(bar_returns(close), 10).variance[:, 0]
    assert (found[2:31] == 0.0).all()
    assert (found[31:41] > 0.0).all()
    assert (found[41:] == 0.0).all()


def test_returns_are_simple_and_unknown_beside_a_gap():
    close = np.array([[100.0], [110.0], [np.nan], [99.0], [66.0]])
    assert_allclose(bar_returns(close)[:, 0], [np.nan, 0.1, np.nan, np.nan, -1.0 / 3.0])
    assert_array_equal(before(close)[:, 0], [np.nan, 100.0, 110.0, np.nan, 99.0])
    assert bar_returns(np.empty((0, 2))).shape == (0, 2)
    assert past_moments(np.empty((0, 2)), 5).mean.shape == (0, 2)
