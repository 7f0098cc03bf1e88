"""Realised volatility of n rows from closes, ranges, or both. Oracle: the papers' sums.

All are per row times `sqrt(periods_per_year)`: leave that at 1 for the volatility of one row.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import log, sqrt
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError
from quant_assets.quant.indicators.base import Floats, Indicator, Program, factor, rows
from quant_assets.quant.indicators.nodes import Block, Nodes
from quant_assets.quant.indicators.rolling import deviation, variance

__all__ = [
    "CloseToCloseVolatility",
    "GarmanKlassVolatility",
    "ParkinsonVolatility",
    "RogersSatchellVolatility",
    "YangZhangVolatility",
    "realized_volatility",
]

OHLC = ("open", "high", "low", "close")


def log_ratio(nodes: Nodes) -> Callable[[Block, Block], Block]:
    """ln(x / y), NaN unless both are positive."""
    from quant_assets.quant.indicators.volatility_kernel import log_ratio as kernel

    return nodes.add(kernel, nodes.empty(0), window=0)


def _rogers_satchell(nodes: Nodes) -> Callable[[Block, Block, Block, Block], Block]:
    """Variance of a row whatever its drift: ln(h/c) ln(h/o) + ln(l/c) ln(l/o).

    Of open, high, low, and ln(c/o).
    """
    up, down = log_ratio(nodes), log_ratio(nodes)

    def step(first: Block, high: Block, low: Block, move: Block) -> Block:
        above, below = up(high, first), down(low, first)
        return (above - move) * above + (below - move) * below

    return step


@dataclass(frozen=True)
class _Realized(Indicator[Floats]):
    """A volatility of n rows, scaled by the root of `periods_per_year`."""

    n: int = rows(20)
    periods_per_year: float = factor(1.0)
    inputs: ClassVar[tuple[str, ...]] = OHLC

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n - 1

    @property
    def _scale(self) -> float:
        return sqrt(self.periods_per_year)


@dataclass(frozen=True)
class CloseToCloseVolatility(_Realized):
    """Standard deviation (divisor n - 1) of n log returns of the close."""

    n: int = rows(20, least=2)
    inputs: ClassVar[tuple[str, ...]] = ("close",)
    function: ClassVar[str] = "realized_volatility"

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        before, change = nodes.lag(1), log_ratio(nodes)
        window, scale = deviation(nodes, self.n, 1), self._scale
        return lambda close: scale * window(change(close, before(close)))


@dataclass(frozen=True)
class ParkinsonVolatility(_Realized):
    """Root of the mean of `ln(high / low)^2 / (4 ln 2)` (Parkinson 1980, eq. 9)."""

    inputs: ClassVar[tuple[str, ...]] = ("high", "low")
    function: ClassVar[str] = "realized_volatility"

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        ratio, mean = log_ratio(nodes), nodes.mean(self.n)
        scale = self._scale / sqrt(4.0 * log(2.0))

        def step(high: Block, low: Block) -> Block:
            size = ratio(high, low)
            return scale * np.sqrt(mean(size * size))

        return step


@dataclass(frozen=True)
class GarmanKlassVolatility(_Realized):
    """Root of the mean of `ln(h/l)^2 / 2 - (2 ln 2 - 1) ln(c/o)^2` (Garman & Klass 1980).

    The estimator that takes the open for the close before it.
    """

    undefined: ClassVar[str] = "the mean is negative"
    function: ClassVar[str] = "realized_volatility"

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        reach, body, mean = log_ratio(nodes), log_ratio(nodes), nodes.mean(self.n)
        share, scale = 2.0 * log(2.0) - 1.0, self._scale

        def step(first: Block, high: Block, low: Block, close: Block) -> Block:
            size, move = reach(high, low), body(close, first)
            return scale * np.sqrt(mean(0.5 * size * size - share * (move * move)))

        return step


@dataclass(frozen=True)
class RogersSatchellVolatility(_Realized):
    """Root of the mean of `ln(h/c) ln(h/o) + ln(l/c) ln(l/o)` (Rogers & Satchell 1991)."""

    function: ClassVar[str] = "realized_volatility"

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        path, body, mean = _rogers_satchell(nodes), log_ratio(nodes), nodes.mean(self.n)
        scale = self._scale

        def step(first: Block, high: Block, low: Block, close: Block) -> Block:
            return scale * np.sqrt(mean(path(first, high, low, body(close, first))))

        return step


@dataclass(frozen=True)
class YangZhangVolatility(_Realized):
    """Root of `V_overnight + k V_open_to_close + (1 - k) V_RS` (Yang & Zhang 2000, eq. 10).

    V_overnight, V_open_to_close: variances (divisor n - 1) of ln(open / close before) and
    ln(close / open); V_RS: mean of Rogers & Satchell's; k = 0.34 / (1.34 + (n + 1) / (n - 1)).
    """

    n: int = rows(20, least=2)
    function: ClassVar[str] = "realized_volatility"

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        before, gap, body = nodes.lag(1), log_ratio(nodes), log_ratio(nodes)
        overnight, inside = variance(nodes, self.n, 1), variance(nodes, self.n, 1)
        path, mean = _rogers_satchell(nodes), nodes.mean(self.n)
        scale = self._scale
        k = 0.34 / (1.34 + (self.n + 1.0) / (self.n - 1.0))

        def step(first: Block, high: Block, low: Block, close: Block) -> Block:
            move, jump = body(close, first), overnight(gap(first, before(close)))
            steady = mean(path(first, high, low, move))
            return scale * np.sqrt(jump + k * inside(move) + (1.0 - k) * steady)

        return step


ESTIMATORS: dict[str, type[_Realized]] = {
    "close_to_close": CloseToCloseVolatility,
    "parkinson": ParkinsonVolatility,
    "garman_klass": GarmanKlassVolatility,
    "rogers_satchell": RogersSatchellVolatility,
    "yang_zhang": YangZhangVolatility,
}


def realized_volatility(
    *prices: npt.ArrayLike,
    estimator: str = "close_to_close",
    n: int = 20,
    periods_per_year: float = 1.0,
) -> Floats:
    """Volatility of the last n rows; times `sqrt(periods_per_year)`.

    prices : what the estimator reads, in this order: "close_to_close" close; "parkinson" high, low;
        "garman_klass", "rogers_satchell", "yang_zhang" open, high, low, close.
    """
    if estimator not in ESTIMATORS:
        raise ConfigError(f"no volatility estimator {estimator!r}; known: {sorted(ESTIMATORS)}")
    return ESTIMATORS[estimator](n, periods_per_year).compute(*prices)
