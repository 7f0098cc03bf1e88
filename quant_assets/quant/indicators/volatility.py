"""How far prices move: true range, bands around an average, and drawdown. Oracle: TA-Lib."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from quant_assets.quant.indicators.base import Floats, Indicator, Program, factor, rows
from quant_assets.quant.indicators.nodes import Block, Nodes, together
from quant_assets.quant.indicators.rolling import score, spread

__all__ = [
    "Atr",
    "BollingerBands",
    "BollingerBandwidth",
    "BollingerLines",
    "BollingerPercentB",
    "KeltnerChannels",
    "KeltnerLines",
    "Natr",
    "TrueRange",
    "UlcerIndex",
    "atr",
    "bollinger_bands",
    "bollinger_bandwidth",
    "bollinger_percent_b",
    "keltner_channels",
    "natr",
    "true_range",
    "ulcer_index",
]

HLC = ("high", "low", "close")


@dataclass(frozen=True)
class TrueRange(Indicator[Floats]):
    """`max(high, close before) - min(low, close before)`, from the second row on (Wilder 1978)."""

    inputs: ClassVar[tuple[str, ...]] = HLC

    @property
    def lookback(self) -> int:
        """See the base class."""
        return 1

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        return nodes.true_range()


def true_range(high: npt.ArrayLike, low: npt.ArrayLike, close: npt.ArrayLike) -> Floats:
    """True range; see `TrueRange`."""
    return TrueRange().compute(high, low, close)


def average_true_range(nodes: Nodes, n: int) -> Callable[[Block, Block, Block], Block]:
    """Wilder's average of the true range of (high, low, close), seeded with the mean of n."""
    ranges, average = nodes.true_range(), nodes.wilder(n)
    return lambda high, low, close: average(ranges(high, low, close))


@dataclass(frozen=True)
class Atr(Indicator[Floats]):
    """Average true range: Wilder's average, `a += (tr - a) / n`, seeded with the mean of n."""

    n: int = rows(14)
    inputs: ClassVar[tuple[str, ...]] = HLC

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        return average_true_range(nodes, self.n)


def atr(high: npt.ArrayLike, low: npt.ArrayLike, close: npt.ArrayLike, n: int = 14) -> Floats:
    """Average true range; see `Atr`."""
    return Atr(n).compute(high, low, close)


@dataclass(frozen=True)
class Natr(Indicator[Floats]):
    """Average true range in percent of the close: `100 ATR / close`."""

    n: int = rows(14)
    inputs: ClassVar[tuple[str, ...]] = HLC

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        average = average_true_range(nodes, self.n)
        return lambda high, low, close: 100.0 * average(high, low, close) / close


def natr(high: npt.ArrayLike, low: npt.ArrayLike, close: npt.ArrayLike, n: int = 14) -> Floats:
    """Average true range in percent; see `Natr`."""
    return Natr(n).compute(high, low, close)


class BollingerLines(NamedTuple):
    """Upper band, mean, lower band."""

    upper: Floats
    middle: Floats
    lower: Floats


@dataclass(frozen=True)
class BollingerBands(Indicator[BollingerLines]):
    """Mean of n rows, and k standard deviations (divisor n) above and below it (Bollinger 2001)."""

    n: int = rows(20)
    k: float = factor(2.0)
    result: ClassVar[type | None] = BollingerLines

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n - 1

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        window, k = spread(nodes, self.n), self.k

        def step(close: Block) -> tuple[Block, Block, Block]:
            mean, one = window(close)
            reach = k * one
            return mean + reach, mean, mean - reach

        return step


def bollinger_bands(close: npt.ArrayLike, n: int = 20, k: float = 2.0) -> BollingerLines:
    """Bollinger bands as (upper, middle, lower); see `BollingerBands`."""
    return BollingerBands(n, k).compute(close)


@dataclass(frozen=True)
class BollingerPercentB(Indicator[Floats]):
    """Where the close lies in its bands: `(close - lower) / (upper - lower)`; 0 on the lower one.

    NaN where the bands have no width.
    """

    n: int = rows(20)
    k: float = factor(2.0)
    undefined: ClassVar[str] = "the window does not vary"

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n - 1

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        place, width = score(nodes, self.n, 0), 2.0 * self.k
        return lambda close: 0.5 + place(close) / width


def bollinger_percent_b(close: npt.ArrayLike, n: int = 20, k: float = 2.0) -> Floats:
    """Place of the close in its Bollinger bands; see `BollingerPercentB`."""
    return BollingerPercentB(n, k).compute(close)


@dataclass(frozen=True)
class BollingerBandwidth(Indicator[Floats]):
    """Width of the bands over their middle: `(upper - lower) / mean`."""

    n: int = rows(20)
    k: float = factor(2.0)

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n - 1

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        window, width = spread(nodes, self.n), 2.0 * self.k

        def step(close: Block) -> Block:
            mean, one = window(close)
            return width * one / mean

        return step


def bollinger_bandwidth(close: npt.ArrayLike, n: int = 20, k: float = 2.0) -> Floats:
    """Width of the Bollinger bands as a share of their middle; see `BollingerBandwidth`."""
    return BollingerBandwidth(n, k).compute(close)


class KeltnerLines(NamedTuple):
    """Upper line, exponential average, lower line."""

    upper: Floats
    middle: Floats
    lower: Floats


@dataclass(frozen=True)
class KeltnerChannels(Indicator[KeltnerLines]):
    """Exponential average of n closes, and k average true ranges above and below it.

    The average true range is Wilder's over `atr_n` rows. All lines start where both have a value.
    Source: Linda Raschke's version of Keltner (1960).
    """

    n: int = rows(20)
    atr_n: int = rows(10)
    k: float = factor(2.0)
    inputs: ClassVar[tuple[str, ...]] = HLC
    result: ClassVar[type | None] = KeltnerLines

    @property
    def lookback(self) -> int:
        """See the base class."""
        return max(self.n - 1, self.atr_n)

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        ranges, average, k = average_true_range(nodes, self.atr_n), nodes.ema(self.n), self.k

        def step(high: Block, low: Block, close: Block) -> tuple[Block, ...]:
            middle, reach = average(close), k * ranges(high, low, close)
            return together(middle + reach, middle, middle - reach)

        return step


def keltner_channels(
    high: npt.ArrayLike,
    low: npt.ArrayLike,
    close: npt.ArrayLike,
    n: int = 20,
    atr_n: int = 10,
    k: float = 2.0,
) -> KeltnerLines:
    """Keltner channels as (upper, middle, lower); see `KeltnerChannels`."""
    return KeltnerChannels(n, atr_n, k).compute(high, low, close)


@dataclass(frozen=True)
class UlcerIndex(Indicator[Floats]):
    """Root mean square of n drawdowns, each in percent from the highest close of n rows.

    Source: Martin & McCann (1989), "The Investor's Guide to Fidelity Funds".
    """

    n: int = rows(14)

    @property
    def lookback(self) -> int:
        """See the base class."""
        return 2 * (self.n - 1)

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        highest, mean = nodes.highest(self.n), nodes.mean(self.n)

        def step(close: Block) -> Block:
            top = highest(close)
            fall = 100.0 * (close - top) / top
            return np.sqrt(mean(fall * fall))

        return step


def ulcer_index(close: npt.ArrayLike, n: int = 14) -> Floats:
    """Ulcer index in percent; see `UlcerIndex`."""
    return UlcerIndex(n).compute(close)
