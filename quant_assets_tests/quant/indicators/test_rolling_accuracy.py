"""Moments against exact fractions, on series that defeat running sums."""

import numpy as np
import pytest

from quant_assets.quant import indicators
from quant_assets_tests.quant.indicators.oracle import exact_moments, exact_pair

pytestmark = pytest.mark.slow

ROWS = np.arange(120)
NORMAL = np.random.default_rng(0).normal(size=120)
SERIES = {
    "1e-8 moves at 1e6": 1e6 + 1e-8 * NORMAL,
    "1e-8": 1e-8 * NORMAL,
    "1e6": 1e6 * NORMAL,
    "random walk": 100.0 * np.exp(np.cumsum(NORMAL) * 0.02),
    "outliers of 1e9": np.where(ROWS % 45 == 7, 1e9, 1.0) * NORMAL,
    "a jump to 1e6": np.where(ROWS > 55, 1e6, 1.0) + 1e-6 * NORMAL,
    "steep trend": ROWS * 1e3 + NORMAL * 1e-3,
}


@pytest.mark.parametrize("n", [5, 20])
@pytest.mark.parametrize("name", SERIES)
def test_moments_of_hard_series_equal_exact_ones(name, n):
    x = SERIES[name]
    found = {
        "variance": indicators.rolling_variance(x, n, ddof=0),
        "skew": indicators.rolling_skew(x, n),
        "kurtosis": indicators.rolling_kurtosis(x, n),
        "z": indicators.z_score(x, n, ddof=0),
    }
    for t in range(n - 1, len(x)):
        distance, squares, cubes, fourths = exact_moments(x[t - n + 1 : t + 1])
        variance = squares / n
        expected = {
            "variance": float(variance),
            "skew": float(cubes / n) / float(variance) ** 1.5,
            "kurtosis": float(fourths / n / variance**2 - 3),
            "z": float(distance) / float(variance) ** 0.5,
        }
        for key, value in expected.items():
            least = 0.0 if key == "variance" else 1e-3
            assert found[key][t] == pytest.approx(value, rel=1e-9, abs=1e-9 * least), (key, t)


@pytest.mark.parametrize("n", [5, 20])
@pytest.mark.parametrize("names", [("1e-8 moves at 1e6", "a jump to 1e6"), ("1e6", "steep trend")])
def test_slopes_of_hard_series_equal_exact_ones(names, n):
    x, y = (SERIES[name] for name in names)
    slope, correlation = indicators.rolling_beta(x, y, n), indicators.rolling_correlation(x, y, n)
    for t in range(n - 1, len(x)):
        squares_x, squares_y, products = exact_pair(x[t - n + 1 : t + 1], y[t - n + 1 : t + 1])
        scale = float(squares_x / squares_y) ** 0.5
        assert slope[t] == pytest.approx(float(products / squares_y), rel=1e-9, abs=1e-12 * scale)
        expected = float(products) / float(squares_x * squares_y) ** 0.5
        assert correlation[t] == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_a_far_outlier_leaves_nothing_behind():
    x = np.random.default_rng(2).normal(size=300)
    spiked = x.copy()
    spiked[100] = 1e15
    for name in ("rolling_std", "rolling_skew", "rolling_kurtosis", "z_score", "rolling_sum"):
        clean, hit = (getattr(indicators, name)(values, 20) for values in (x, spiked))
        np.testing.assert_allclose(hit[120:], clean[120:], rtol=1e-12, err_msg=name)
