"""Statistics of the last n rows: moments, extremes and order.

Every one is NaN while its window holds a NaN, and exact afterwards. Oracle: pandas, scipy.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError
from quant_assets.quant.indicators.base import Floats, Indicator, Program, factor, rows
from quant_assets.quant.indicators.nodes import Block, Nodes, Unary

__all__ = [
    "PercentileRank",
    "RollingArgmax",
    "RollingArgmin",
    "RollingKurtosis",
    "RollingMax",
    "RollingMedian",
    "RollingMin",
    "RollingQuantile",
    "RollingSkew",
    "RollingStd",
    "RollingSum",
    "RollingVariance",
    "ZScore",
    "percentile_rank",
    "rolling_argmax",
    "rolling_argmin",
    "rolling_kurtosis",
    "rolling_max",
    "rolling_median",
    "rolling_min",
    "rolling_quantile",
    "rolling_skew",
    "rolling_std",
    "rolling_sum",
    "rolling_variance",
    "z_score",
]

Three = tuple[Block, Block, Block]


def spread(nodes: Nodes, n: int) -> Callable[[Block], tuple[Block, Block]]:
    """Mean of n rows and their standard deviation with divisor n."""
    from quant_assets.quant.indicators.rolling_kernel import window_spread

    state = nodes.empty(2 * n + 4)
    return nodes.add(window_spread, state, n, float(n), n_outputs=2, window=n, period=n)


def variance(nodes: Nodes, n: int, ddof: int) -> Unary:
    """Variance of n rows, divisor n - ddof."""
    from quant_assets.quant.indicators.rolling_kernel import VARIANCE

    return _second(nodes, n, ddof, VARIANCE)


def deviation(nodes: Nodes, n: int, ddof: int) -> Unary:
    """Standard deviation of n rows, divisor n - ddof."""
    from quant_assets.quant.indicators.rolling_kernel import DEVIATION

    return _second(nodes, n, ddof, DEVIATION)


def score(nodes: Nodes, n: int, ddof: int) -> Unary:
    """Distance of the row from the mean of n in their standard deviations, divisor n - ddof."""
    from quant_assets.quant.indicators.rolling_kernel import SCORE

    return _second(nodes, n, ddof, SCORE)


def _second(nodes: Nodes, n: int, ddof: int, kind: int) -> Unary:
    from quant_assets.quant.indicators.rolling_kernel import window_second

    state = nodes.empty(2 * n + 4)
    return nodes.add(window_second, state, n, float(n - ddof), kind, window=n, period=n)


def shape(nodes: Nodes, n: int) -> Callable[[Block], Three]:
    """Sums over n rows of the second, third and fourth power of the distance from their mean."""
    from quant_assets.quant.indicators.rolling_kernel import window_shape

    return nodes.add(window_shape, nodes.empty(4 * n + 6), n, n_outputs=3, window=n, period=n)


def _ordered(nodes: Nodes, n: int) -> Block:
    """The state of `order_kernel`: an empty window for each symbol."""
    state = np.full((nodes.n_symbols, 2 * n + 1), np.nan)
    state[:, 2 * n] = 0.0
    return state


@dataclass(frozen=True)
class Windowed(Indicator[Floats]):
    """A statistic of the last n rows of one series."""

    n: int = rows(20)

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n - 1


@dataclass(frozen=True)
class Corrected(Windowed):
    """A moment of n rows, biased (`ddof` 0) or corrected for the size of the sample (1)."""

    ddof: int = rows(1, least=0)
    fewest: ClassVar[int] = 1  # rows that a corrected moment needs

    def __post_init__(self) -> None:
        """Refuse corrections without a meaning, and windows that are too short for them."""
        super().__post_init__()
        if self.ddof > 1 or (self.ddof and self.n < self.fewest):
            raise ConfigError(
                f"{self.name}: ddof = {self.ddof} with n = {self.n}; ddof is 0, or 1 with at least "
                f"{self.fewest} rows"
            )


@dataclass(frozen=True)
class RollingSum(Windowed):
    """Sum of the last n rows."""

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        return nodes.sum(self.n)


def rolling_sum(x: npt.ArrayLike, n: int = 20) -> Floats:
    """Sum of the last n rows; see `RollingSum`."""
    return RollingSum(n).compute(x)


@dataclass(frozen=True)
class RollingVariance(Corrected):
    """Variance of the last n rows: squared distances from their mean over `n - ddof`."""

    fewest: ClassVar[int] = 2

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        return variance(nodes, self.n, self.ddof)


def rolling_variance(x: npt.ArrayLike, n: int = 20, *, ddof: int = 1) -> Floats:
    """Variance of the last n rows; see `RollingVariance`."""
    return RollingVariance(n, ddof).compute(x)


@dataclass(frozen=True)
class RollingStd(Corrected):
    """Standard deviation of the last n rows, the root of `RollingVariance`."""

    fewest: ClassVar[int] = 2

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        return deviation(nodes, self.n, self.ddof)


def rolling_std(x: npt.ArrayLike, n: int = 20, *, ddof: int = 1) -> Floats:
    """Standard deviation of the last n rows; see `RollingStd`."""
    return RollingStd(n, ddof).compute(x)


@dataclass(frozen=True)
class RollingSkew(Corrected):
    """Skewness of the last n rows: `m3 / m2^1.5` of the central moments (`ddof` 0, the default).

    `ddof` 1 multiplies by `sqrt(n (n - 1)) / (n - 2)` (Joanes & Gill 1998, G1), as pandas does.
    NaN where the window does not vary.
    """

    n: int = rows(60)
    ddof: int = rows(0, least=0)
    fewest: ClassVar[int] = 3
    undefined: ClassVar[str] = "the window does not vary"

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        from quant_assets.quant.indicators.rolling_kernel import skewness

        window, n = shape(nodes, self.n), self.n
        corrected = np.sqrt(n * (n - 1.0)) / (n - 2.0) if self.ddof else 1.0
        ratio = nodes.add(skewness, nodes.empty(0), float(np.sqrt(n) * corrected), window=0)
        return lambda x: ratio(*window(x)[:2])


def rolling_skew(x: npt.ArrayLike, n: int = 60, *, ddof: int = 0) -> Floats:
    """Skewness of the last n rows; see `RollingSkew`."""
    return RollingSkew(n, ddof).compute(x)


@dataclass(frozen=True)
class RollingKurtosis(Corrected):
    """Excess kurtosis of the last n rows: `m4 / m2^2 - 3` of the central moments (`ddof` 0).

    `ddof` 1 gives `(n - 1) / ((n - 2) (n - 3)) ((n + 1) g2 + 6)` (Joanes & Gill 1998, G2), as
    pandas does. NaN where the window does not vary.
    """

    n: int = rows(60)
    ddof: int = rows(0, least=0)
    fewest: ClassVar[int] = 4
    undefined: ClassVar[str] = "the window does not vary"

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        from quant_assets.quant.indicators.rolling_kernel import kurtosis

        window, n = shape(nodes, self.n), self.n
        scale, shift = float(n), -3.0
        if self.ddof:
            outer = (n - 1.0) / ((n - 2.0) * (n - 3.0))
            scale, shift = outer * (n + 1.0) * n, outer * (6.0 - 3.0 * (n + 1.0))
        ratio = nodes.add(kurtosis, nodes.empty(0), scale, shift, window=0)
        return lambda x: ratio(*window(x)[::2])


def rolling_kurtosis(x: npt.ArrayLike, n: int = 60, *, ddof: int = 0) -> Floats:
    """Excess kurtosis of the last n rows; see `RollingKurtosis`."""
    return RollingKurtosis(n, ddof).compute(x)


@dataclass(frozen=True)
class ZScore(Corrected):
    """`(x - mean) / standard deviation` of the last n rows; NaN where they do not vary."""

    fewest: ClassVar[int] = 2
    undefined: ClassVar[str] = "the window does not vary"

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        return score(nodes, self.n, self.ddof)


def z_score(x: npt.ArrayLike, n: int = 20, *, ddof: int = 1) -> Floats:
    """Distance from the mean of the last n rows in standard deviations; see `ZScore`."""
    return ZScore(n, ddof).compute(x)


@dataclass(frozen=True)
class RollingMax(Windowed):
    """Largest of the last n rows."""

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        return nodes.highest(self.n)


def rolling_max(x: npt.ArrayLike, n: int = 20) -> Floats:
    """Largest of the last n rows; see `RollingMax`."""
    return RollingMax(n).compute(x)


@dataclass(frozen=True)
class RollingMin(Windowed):
    """Smallest of the last n rows."""

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        return nodes.lowest(self.n)


def rolling_min(x: npt.ArrayLike, n: int = 20) -> Floats:
    """Smallest of the last n rows; see `RollingMin`."""
    return RollingMin(n).compute(x)


@dataclass(frozen=True)
class RollingArgmax(Windowed):
    """Rows since the largest of the last n: 0 on the row that is it; the latest of equal ones."""

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        from quant_assets.quant.indicators.directional_kernel import window_age

        return nodes.add(
            window_age, nodes.empty(2 * self.n + 2), self.n, 1.0, window=self.n, period=self.n
        )


def rolling_argmax(x: npt.ArrayLike, n: int = 20) -> Floats:
    """Rows since the largest of the last n; see `RollingArgmax`."""
    return RollingArgmax(n).compute(x)


@dataclass(frozen=True)
class RollingArgmin(Windowed):
    """Rows since the smallest of the last n: 0 on the row that is it; the latest of equal ones."""

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        from quant_assets.quant.indicators.directional_kernel import window_age

        return nodes.add(
            window_age, nodes.empty(2 * self.n + 2), self.n, -1.0, window=self.n, period=self.n
        )


def rolling_argmin(x: npt.ArrayLike, n: int = 20) -> Floats:
    """Rows since the smallest of the last n; see `RollingArgmin`."""
    return RollingArgmin(n).compute(x)


@dataclass(frozen=True)
class RollingQuantile(Windowed):
    """Quantile of the last n rows at `share` in (0, 1), linear between neighbours (type 7)."""

    share: float = factor(0.5)

    def __post_init__(self) -> None:
        """Refuse shares outside (0, 1)."""
        super().__post_init__()
        if self.share >= 1.0:
            raise ConfigError(f"{self.name}: share = {self.share}; it must lie between 0 and 1")

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        from quant_assets.quant.indicators.order_kernel import window_quantile

        return nodes.add(window_quantile, _ordered(nodes, self.n), self.n, self.share)


def rolling_quantile(x: npt.ArrayLike, n: int = 20, *, share: float = 0.5) -> Floats:
    """Quantile of the last n rows; see `RollingQuantile`."""
    return RollingQuantile(n, share).compute(x)


@dataclass(frozen=True)
class RollingMedian(Windowed):
    """Median of the last n rows."""

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        return RollingQuantile(self.n).program(nodes)


def rolling_median(x: npt.ArrayLike, n: int = 20) -> Floats:
    """Median of the last n rows; see `RollingMedian`."""
    return RollingMedian(n).compute(x)


@dataclass(frozen=True)
class PercentileRank(Windowed):
    """Average rank of the row among the last n, itself included, over n: in (0, 1]."""

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        from quant_assets.quant.indicators.order_kernel import window_rank

        rank, n = nodes.add(window_rank, _ordered(nodes, self.n), self.n), self.n
        return lambda x: rank(x) / n


def percentile_rank(x: npt.ArrayLike, n: int = 20) -> Floats:
    """Rank of the row among the last n as a share; see `PercentileRank`."""
    return PercentileRank(n).compute(x)
