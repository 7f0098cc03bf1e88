"""Least squares of a series on time, over a sliding window. Oracles: TA-Lib, statsmodels."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from quant_assets.quant.indicators.base import Floats, Indicator, Program, rows
from quant_assets.quant.indicators.nodes import Block, Nodes, share

__all__ = [
    "LinearRegression",
    "LinearRegressionLines",
    "LinearRegressionSlope",
    "linear_regression",
    "linear_regression_slope",
]

# Least unexplained share of the variation: keeps the t-value of a straight line finite.
MIN_RESIDUAL = 1e-12


class LinearRegressionLines(NamedTuple):
    """The line through the window: on its last row, one row ahead, on its first row; and its fit.

    `slope` is per row, `r2` in [0, 1], `t_value` is the slope over its standard error.
    """

    value: Floats
    forecast: Floats
    intercept: Floats
    slope: Floats
    r2: Floats
    t_value: Floats


def window_regression(nodes: Nodes, n: int) -> Callable[[Block], tuple[Block, Block, Block]]:
    """Mean, slope and sum of squares about the mean."""
    from quant_assets.quant.indicators.regression_kernel import window_regression as kernel

    return nodes.add(kernel, nodes.empty(3 * n + 4), n, n_outputs=3, window=n, period=n)


@dataclass(frozen=True)
class LinearRegression(Indicator[LinearRegressionLines]):
    """Ordinary least squares of the last n rows on time.

    `t = slope / se` with `se^2 = (1 - r2) Syy / (n - 2) / Sxx`, `Sxx = n (n^2 - 1) / 12`; the
    unexplained share is at least 1e-12, which bounds the t-value of a straight line. A flat
    window has slope, r2 and t-value 0.
    """

    n: int = rows(14, least=3)
    result: ClassVar[type | None] = LinearRegressionLines

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n - 1

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        fit, n = window_regression(nodes, self.n), self.n
        half, spread = (n - 1.0) / 2.0, n * (n * n - 1.0) / 12.0

        def step(x: Block) -> LinearRegressionLines:
            mean, slope, squares = fit(x)
            explained = slope * slope * spread
            r2 = np.minimum(share(explained, squares, scale=1.0), 1.0)
            rest = np.maximum(1.0 - r2, MIN_RESIDUAL)
            return LinearRegressionLines(
                value=mean + half * slope,
                forecast=mean + (half + 1.0) * slope,
                intercept=mean - half * slope,
                slope=slope,
                r2=r2,
                t_value=np.copysign(np.sqrt((n - 2.0) * r2 / rest), slope),
            )

        return step


def linear_regression(x: npt.ArrayLike, n: int = 14) -> LinearRegressionLines:
    """Least squares on time: values, slope and fit; see `LinearRegression`."""
    return LinearRegression(n).compute(x)


@dataclass(frozen=True)
class LinearRegressionSlope(Indicator[Floats]):
    """Slope per row of the least-squares line through the last n rows; 0 in a flat window."""

    n: int = rows(14, least=2)

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n - 1

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        fit = window_regression(nodes, self.n)
        return lambda x: fit(x)[1]


def linear_regression_slope(x: npt.ArrayLike, n: int = 14) -> Floats:
    """Slope of the least-squares line; see `LinearRegressionSlope`."""
    return LinearRegressionSlope(n).compute(x)
