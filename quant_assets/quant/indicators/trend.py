"""Trend: where the price is going. Oracle: TA-Lib, where it has the name; else the formula."""

from dataclasses import dataclass
from math import log
from typing import ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from quant_assets.quant.indicators.base import Floats, Indicator, Program, factor, rows
from quant_assets.quant.indicators.nodes import Block, Nodes, share, where_known

__all__ = [
    "Apo",
    "ChoppinessIndex",
    "Dpo",
    "Macd",
    "MacdLines",
    "MassIndex",
    "ParabolicSar",
    "Ppo",
    "Supertrend",
    "SupertrendLines",
    "Trix",
    "Vortex",
    "VortexLines",
    "apo",
    "choppiness_index",
    "dpo",
    "macd",
    "mass_index",
    "parabolic_sar",
    "ppo",
    "supertrend",
    "trix",
    "vortex",
]

HLC = ("high", "low", "close")


class MacdLines(NamedTuple):
    """The difference of the averages, its own average, and the difference of these two."""

    line: Floats
    signal: Floats
    histogram: Floats


@dataclass(frozen=True)
class Macd(Indicator[MacdLines]):
    """Moving average convergence divergence: EMA(fast) - EMA(slow), and its EMA(signal).

    As TA-Lib: both averages have their first value on the slow one's first row, and all three
    results begin together (Appel 1979).
    """

    fast: int = rows(12)
    slow: int = rows(26)
    signal: int = rows(9)
    result: ClassVar[type | None] = MacdLines
    increasing: ClassVar[tuple[str, ...]] = ("fast", "slow")

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.slow + self.signal - 2

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        fast, slow = nodes.ema(self.fast, skip=self.slow - self.fast), nodes.ema(self.slow)
        average = nodes.ema(self.signal)

        def step(close: Block) -> tuple[Block, ...]:
            line = fast(close) - slow(close)
            signal = average(line)
            return where_known(line, signal), signal, line - signal

        return step


def macd(close: npt.ArrayLike, fast: int = 12, slow: int = 26, signal: int = 9) -> MacdLines:
    """Moving average convergence divergence; see `Macd`."""
    return Macd(fast, slow, signal).compute(close)


@dataclass(frozen=True)
class Apo(Indicator[Floats]):
    """Absolute price oscillator: EMA(fast) - EMA(slow), each seeded with its own first rows."""

    fast: int = rows(12)
    slow: int = rows(26)
    increasing: ClassVar[tuple[str, ...]] = ("fast", "slow")

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.slow - 1

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        fast, slow = nodes.ema(self.fast), nodes.ema(self.slow)
        return lambda close: fast(close) - slow(close)


def apo(close: npt.ArrayLike, fast: int = 12, slow: int = 26) -> Floats:
    """Absolute price oscillator; see `Apo`."""
    return Apo(fast, slow).compute(close)


@dataclass(frozen=True)
class Ppo(Indicator[Floats]):
    """Percentage price oscillator: `100 (EMA(fast) - EMA(slow)) / EMA(slow)`; see `Apo`."""

    fast: int = rows(12)
    slow: int = rows(26)
    increasing: ClassVar[tuple[str, ...]] = ("fast", "slow")

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.slow - 1

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        fast, slow = nodes.ema(self.fast), nodes.ema(self.slow)

        def step(close: Block) -> Block:
            base = slow(close)
            return share(fast(close) - base, base)

        return step


def ppo(close: npt.ArrayLike, fast: int = 12, slow: int = 26) -> Floats:
    """Percentage price oscillator; see `Ppo`."""
    return Ppo(fast, slow).compute(close)


@dataclass(frozen=True)
class Trix(Indicator[Floats]):
    """Percent change per row of the EMA of the EMA of the EMA (Hutson 1983)."""

    n: int = rows(15)

    @property
    def lookback(self) -> int:
        """See the base class."""
        return 3 * (self.n - 1) + 1

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        first, second, third = (nodes.ema(self.n) for _ in range(3))
        change = nodes.rate(1)
        return lambda close: change(third(second(first(close))))


def trix(close: npt.ArrayLike, n: int = 15) -> Floats:
    """Percent change of the triple EMA; see `Trix`."""
    return Trix(n).compute(close)


@dataclass(frozen=True)
class Dpo(Indicator[Floats]):
    """Detrended price: the close n // 2 + 1 rows ago minus the SMA of the last n rows.

    The form that shifts the average forward would look ahead and is not offered.
    """

    n: int = rows(20, least=2)

    @property
    def lookback(self) -> int:
        """See the base class."""
        return max(self.n - 1, self.n // 2 + 1)

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        before, average = nodes.lag(self.n // 2 + 1), nodes.mean(self.n)
        return lambda close: before(close) - average(close)


def dpo(close: npt.ArrayLike, n: int = 20) -> Floats:
    """Detrended price; see `Dpo`."""
    return Dpo(n).compute(close)


@dataclass(frozen=True)
class ParabolicSar(Indicator[Floats]):
    """Parabolic stop and reverse (Wilder 1978): the stop in force on each row.

    The acceleration begins with `step`, grows by it with every new extreme, up to `limit`. The
    first direction is short where the second low falls by more than the high rises.
    """

    step: float = factor(0.02)
    limit: float = factor(0.2)
    inputs: ClassVar[tuple[str, ...]] = ("high", "low")
    increasing: ClassVar[tuple[str, ...]] = ("step", "limit")

    @property
    def lookback(self) -> int:
        """See the base class."""
        return 1

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        from quant_assets.quant.indicators.trend_kernel import parabolic

        return nodes.add(parabolic, nodes.zeros(7), self.step, self.limit)


def parabolic_sar(
    high: npt.ArrayLike, low: npt.ArrayLike, step: float = 0.02, limit: float = 0.2
) -> Floats:
    """Parabolic stop and reverse; see `ParabolicSar`."""
    return ParabolicSar(step, limit).compute(high, low)


class SupertrendLines(NamedTuple):
    """The band in force, and +1 where it lies below the price, -1 where above."""

    line: Floats
    direction: Floats


@dataclass(frozen=True)
class Supertrend(Indicator[SupertrendLines]):
    """SuperTrend: the middle of the row ± k Wilder ATR(n), tightened until the close breaks it.

    The lower band never falls while the close before stays above it, the upper one likewise; the
    direction turns when the close crosses the band in force. It starts downwards, as in Pine
    (`ta.supertrend`, which has the opposite sign); the true range begins on row 1.
    """

    n: int = rows(10)
    k: float = factor(3.0)
    inputs: ClassVar[tuple[str, ...]] = HLC
    result: ClassVar[type | None] = SupertrendLines

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        from quant_assets.quant.indicators.trend_kernel import ratchet

        ranges, average = nodes.true_range(), nodes.wilder(self.n)
        walk = nodes.add(ratchet, nodes.empty(4), n_outputs=2)

        def step(high: Block, low: Block, close: Block) -> tuple[Block, ...]:
            middle = (high + low) / 2.0
            width = self.k * average(ranges(high, low, close))
            return tuple(walk(close, middle + width, middle - width))

        return step


def supertrend(
    high: npt.ArrayLike, low: npt.ArrayLike, close: npt.ArrayLike, n: int = 10, k: float = 3.0
) -> SupertrendLines:
    """SuperTrend; see `Supertrend`."""
    return Supertrend(n, k).compute(high, low, close)


class VortexLines(NamedTuple):
    """Upward and downward vortex movement over the sum of true ranges."""

    plus: Floats
    minus: Floats


@dataclass(frozen=True)
class Vortex(Indicator[VortexLines]):
    """Vortex: sums over n rows of `|high - low before|` and `|low - high before|`, over that of TR.

    Botes & Siepman (2010). 0 where there was no range.
    """

    n: int = rows(14)
    inputs: ClassVar[tuple[str, ...]] = HLC
    result: ClassVar[type | None] = VortexLines

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        high_before, low_before, ranges = nodes.lag(1), nodes.lag(1), nodes.true_range()
        up, down, whole = (nodes.sum(self.n) for _ in range(3))

        def step(high: Block, low: Block, close: Block) -> tuple[Block, ...]:
            path = whole(ranges(high, low, close))
            plus = up(np.abs(high - low_before(low)))
            minus = down(np.abs(low - high_before(high)))
            return share(plus, path, scale=1.0), share(minus, path, scale=1.0)

        return step


def vortex(
    high: npt.ArrayLike, low: npt.ArrayLike, close: npt.ArrayLike, n: int = 14
) -> VortexLines:
    """Vortex; see `Vortex`."""
    return Vortex(n).compute(high, low, close)


@dataclass(frozen=True)
class MassIndex(Indicator[Floats]):
    """Mass index: sum over `total` rows of EMA(high - low) / EMA(EMA(high - low)) (Dorsey 1992).

    A ratio of 0 by 0 counts as 0.
    """

    n: int = rows(9)
    total: int = rows(25)
    inputs: ClassVar[tuple[str, ...]] = ("high", "low")

    @property
    def lookback(self) -> int:
        """See the base class."""
        return 2 * (self.n - 1) + self.total - 1

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        first, second, total = nodes.ema(self.n), nodes.ema(self.n), nodes.sum(self.total)

        def step(high: Block, low: Block) -> Block:
            once = first(high - low)
            return total(share(once, second(once), scale=1.0))

        return step


def mass_index(high: npt.ArrayLike, low: npt.ArrayLike, n: int = 9, total: int = 25) -> Floats:
    """Mass index; see `MassIndex`."""
    return MassIndex(n, total).compute(high, low)


@dataclass(frozen=True)
class ChoppinessIndex(Indicator[Floats]):
    """Choppiness: `100 log(Σ TR / (highest high - lowest low)) / log(n)` over n rows (Dreiss 1993).

    100 is all to and fro, low values are a trend. 0 where the window has no range.
    """

    n: int = rows(14, least=2)
    inputs: ClassVar[tuple[str, ...]] = HLC

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        from quant_assets.quant.indicators.trend_kernel import scaled_log

        ranges, path = nodes.true_range(), nodes.sum(self.n)
        top, bottom = nodes.highest(self.n), nodes.lowest(self.n)
        logarithm = nodes.add(scaled_log, nodes.empty(0), 100.0 / log(self.n), window=0)

        def step(high: Block, low: Block, close: Block) -> Block:
            way = path(ranges(high, low, close))
            reach = top(high) - bottom(low)
            return np.where(reach == 0.0, way * 0.0, logarithm(way / reach))

        return step


def choppiness_index(
    high: npt.ArrayLike, low: npt.ArrayLike, close: npt.ArrayLike, n: int = 14
) -> Floats:
    """Choppiness; see `ChoppinessIndex`."""
    return ChoppinessIndex(n).compute(high, low, close)
