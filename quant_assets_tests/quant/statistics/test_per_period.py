import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from quant_assets.quant.statistics.per_period import kurtosis, sharpe, skewness

NAN = np.nan
KERNELS = [sharpe, skewness, kurtosis]


def test_sharpe_by_hand_divides_by_ddof_1():
    # mean 0.02, deviations -0.01 0 0.01, variance 0.0002 / 2
    assert sharpe([0.01, 0.02, 0.03]) == pytest.approx(2.0)


def test_skewness_by_hand():
    # 0 0 3: mean 1, m2 = 6 / 3, m3 = (-1 - 1 + 8) / 3
    assert skewness([0.0, 0.0, 3.0]) == pytest.approx(2.0 / 2.0**1.5)


def test_kurtosis_by_hand_is_excess():
    # -1 1 -1 1: m2 = m4 = 1
    assert kurtosis([-1.0, 1.0, -1.0, 1.0]) == pytest.approx(-2.0)


@pytest.mark.parametrize("scale", [1.0, 1e6, 1e-8, 1e-120])
def test_moments_at_any_scale_equal_scipy(scale):
    base = np.random.default_rng(1).standard_t(4, size=(500, 3)) * 0.01
    returns = base * scale
    np.testing.assert_allclose(skewness(returns), stats.skew(base), rtol=1e-9)
    np.testing.assert_allclose(kurtosis(returns), stats.kurtosis(base), rtol=1e-9)
    np.testing.assert_allclose(sharpe(returns), base.mean(0) / base.std(0, ddof=1), rtol=1e-9)


@pytest.mark.parametrize("kernel", KERNELS)
def test_kernel_of_a_table_is_the_kernel_of_its_columns(kernel):
    table = np.random.default_rng(2).normal(size=(30, 4))
    assert kernel(table).shape == (4,)
    assert kernel(table[:, 0]).shape == ()
    np.testing.assert_array_equal(kernel(table), [kernel(table[:, j]) for j in range(4)])
    np.testing.assert_array_equal(kernel(table[:, [2, 0, 3, 1]]), kernel(table)[[2, 0, 3, 1]])
    np.testing.assert_array_equal(kernel(np.asfortranarray(table)), kernel(table))


@pytest.mark.parametrize("kernel", KERNELS)
def test_kernel_with_nan_leaves_these_rows_out_of_that_column(kernel):
    table = np.random.default_rng(2).normal(size=(30, 2))
    holed = table.copy()
    holed[[0, 7, 29], 1] = NAN
    result = kernel(holed)
    assert result[0] == pytest.approx(float(kernel(table[:, 0])), rel=1e-12)
    expected = kernel(np.delete(table[:, 1], [0, 7, 29]))
    assert result[1] == pytest.approx(float(expected), rel=1e-12)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("returns", [[], [0.1], [NAN, NAN], [0.1] * 10, [0.0, 0.0], [NAN, 0.3]])
def test_kernel_of_a_constant_or_missing_series_is_nan(kernel, returns):
    assert np.isnan(kernel(returns))


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(-50, 50), min_size=3, max_size=30), st.sampled_from([0.5, 3.0]))
def test_kernels_scale_and_mirror(values, factor):
    x = np.array(values, dtype=np.float64)
    if np.ptp(x) == 0:
        return
    np.testing.assert_allclose(kurtosis(-factor * x), kurtosis(x), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(skewness(-factor * x), -skewness(x), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(sharpe(-factor * x), -sharpe(x), rtol=1e-9, atol=1e-12)


def test_statistics_of_a_constant_whose_mean_is_rounded_are_nan():
    constant = np.full(50, 0.1)
    assert np.isnan([sharpe(constant), skewness(constant), kurtosis(constant)]).all()
