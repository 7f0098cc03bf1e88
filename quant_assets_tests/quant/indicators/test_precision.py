"""Digits are not lost to the level of a series, to its length, or to an outlier."""

from fractions import Fraction

import numpy as np
import pytest

from quant_assets.quant import indicators
from quant_assets_tests.quant.indicators.bars import random_bars

pytestmark = pytest.mark.slow

LEVEL, MOVE = 1e6, 1e-8


def tiny_moves(n_times: int) -> np.ndarray:
    """A walk of 1e-8 steps at 1e6: about a hundred of the smallest differences there are."""
    steps = np.random.default_rng(11).normal(0.0, MOVE, n_times)
    return LEVEL + np.cumsum(steps)


def exact_line(window: np.ndarray) -> tuple[Fraction, Fraction]:
    """Value on the last row and slope of the least-squares line, in exact arithmetic."""
    x = [Fraction(float(value)) for value in window]
    n = len(x)
    mean, centre = sum(x) / n, Fraction(n - 1, 2)
    spread = sum((i - centre) ** 2 for i in range(n))
    slope = sum((i - centre) * (value - mean) for i, value in enumerate(x)) / spread
    return mean + slope * centre, slope


@pytest.mark.parametrize("n", [3, 14, 50])
def test_slopes_of_tiny_moves_at_a_high_level_keep_nine_digits(n):
    x = tiny_moves(300)
    ours = indicators.linear_regression(x, n)
    for t in range(n - 1, 300, 7):
        value, slope = exact_line(x[t - n + 1 : t + 1])
        assert ours.slope[t] == pytest.approx(float(slope), rel=1e-9, abs=1e-9 * MOVE)
        assert ours.value[t] == pytest.approx(float(value), rel=1e-15)


@pytest.mark.parametrize("n", [2, 20, 63])
def test_averages_are_the_exact_ones_to_the_last_digits(n):
    x = tiny_moves(200)
    mean, weighted = indicators.sma(x, n), indicators.wma(x, n)
    weights = range(1, n + 1)
    for t in range(n - 1, 200, 5):
        window = [Fraction(float(value)) for value in x[t - n + 1 : t + 1]]
        assert mean[t] == pytest.approx(float(sum(window) / n), rel=1e-15)
        exact = sum(w * value for w, value in zip(weights, window, strict=True)) / sum(weights)
        assert weighted[t] == pytest.approx(float(exact), rel=1e-15)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: indicators.sma(x, 20),
        lambda x: indicators.wma(x, 20),
        lambda x: indicators.trima(x, 20),
        lambda x: indicators.linear_regression(x, 20).slope,
        lambda x: indicators.cci(x, x, x, 20),
        lambda x: indicators.dpo(x, 20),
    ],
)
def test_an_outlier_is_forgotten_with_its_window(function):
    """Trillions pass through; 40 rows later the numbers are those of a series without them."""
    x = random_bars(300)["close"]
    struck = x.copy()
    struck[100] = 1e15
    np.testing.assert_allclose(function(struck)[140:], function(x)[140:], rtol=1e-12, atol=1e-12)


@pytest.mark.slow
def test_a_long_series_does_not_drift():
    x = 100.0 + np.cumsum(np.random.default_rng(0).normal(0.0, 1.0, 200_000)) * 0.1
    tail = x[-1_000:]
    for function in (
        lambda y: indicators.sma(y, 50),
        lambda y: indicators.wma(y, 50),
        lambda y: indicators.linear_regression(y, 50).slope,
    ):
        np.testing.assert_allclose(function(x)[-900:], function(tail)[-900:], rtol=1e-10)
