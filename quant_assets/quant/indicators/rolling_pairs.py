"""How two series move together over the last n rows; NaN while the window holds a NaN.

Oracle: numpy, exact fractions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from quant_assets.quant.indicators.base import Floats, Program, rows
from quant_assets.quant.indicators.nodes import Block, Nodes
from quant_assets.quant.indicators.rolling import Corrected, Three, Windowed

__all__ = [
    "RollingBeta",
    "RollingCorrelation",
    "RollingCovariance",
    "rolling_beta",
    "rolling_correlation",
    "rolling_covariance",
]

PAIR = ("x", "y")


def pair(nodes: Nodes, n: int) -> Callable[[Block, Block], Three]:
    """Sums over n rows of x x, y y and x y, as distances from their means."""
    from quant_assets.quant.indicators.rolling_kernel import window_pair

    return nodes.add(window_pair, nodes.empty(5 * n + 9), n, n_outputs=3, window=n, period=n)


@dataclass(frozen=True)
class RollingCovariance(Corrected):
    """Covariance of x and y over the last n rows, divided by `n - ddof`."""

    n: int = rows(60)
    inputs: ClassVar[tuple[str, ...]] = PAIR
    fewest: ClassVar[int] = 2

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        window, divisor = pair(nodes, self.n), self.n - self.ddof
        return lambda x, y: window(x, y)[2] / divisor


def rolling_covariance(x: npt.ArrayLike, y: npt.ArrayLike, n: int = 60, *, ddof: int = 1) -> Floats:
    """Covariance over the last n rows; see `RollingCovariance`. A y of (time,) serves all x."""
    return RollingCovariance(n, ddof).compute(x, _alongside(x, y))


@dataclass(frozen=True)
class RollingCorrelation(Windowed):
    """Pearson correlation of x and y over the last n rows; NaN where one is constant."""

    n: int = rows(60, least=2)
    inputs: ClassVar[tuple[str, ...]] = PAIR
    undefined: ClassVar[str] = "the window does not vary"

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        from quant_assets.quant.indicators.rolling_kernel import correlation

        window, ratio = pair(nodes, self.n), nodes.add(correlation, nodes.empty(0), window=0)
        return lambda x, y: ratio(*window(x, y))


def rolling_correlation(x: npt.ArrayLike, y: npt.ArrayLike, n: int = 60) -> Floats:
    """Correlation over the last n rows; see `RollingCorrelation`. A y of (time,) serves all x."""
    return RollingCorrelation(n).compute(x, _alongside(x, y))


@dataclass(frozen=True)
class RollingBeta(Windowed):
    """Slope of x on y over the last n rows, `cov(x, y) / var(y)`; NaN where y is constant.

    With returns of an instrument as x and those of the market as y, its market beta.
    """

    n: int = rows(60, least=2)
    inputs: ClassVar[tuple[str, ...]] = PAIR
    undefined: ClassVar[str] = "the window does not vary"

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        from quant_assets.quant.indicators.rolling_kernel import slope

        window, ratio = pair(nodes, self.n), nodes.add(slope, nodes.empty(0), window=0)
        return lambda x, y: ratio(*window(x, y)[1:])


def rolling_beta(x: npt.ArrayLike, y: npt.ArrayLike, n: int = 60) -> Floats:
    """Slope of x on y over the last n rows; see `RollingBeta`. A y of (time,) serves all x."""
    return RollingBeta(n).compute(x, _alongside(x, y))


def _alongside(x: npt.ArrayLike, y: npt.ArrayLike) -> npt.NDArray[np.generic]:
    """A y of (time,) beside every symbol of an x of (time, symbol); any other as it is."""
    left, right = np.asarray(x), np.asarray(y)
    if left.ndim == 2 and right.ndim == 1 and len(left) == len(right):
        return np.broadcast_to(right[:, None], left.shape)
    return right
