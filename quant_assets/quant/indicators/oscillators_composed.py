"""Oscillators put together from several windows or smoothings. Oracle: TA-Lib, else the formula."""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from quant_assets.quant.indicators.base import Floats, Indicator, Program, rows
from quant_assets.quant.indicators.nodes import Block, Nodes, share, where_known
from quant_assets.quant.indicators.oscillators import HLC

__all__ = [
    "AwesomeOscillator",
    "Kst",
    "KstLines",
    "Tsi",
    "UltimateOscillator",
    "awesome_oscillator",
    "kst",
    "tsi",
    "ultimate_oscillator",
]


@dataclass(frozen=True)
class UltimateOscillator(Indicator[Floats]):
    """Buying pressure over true range in three windows, weighted 4 : 2 : 1 (Williams 1985).

    Pressure is the close above the true low. In percent; a window without range counts as 0.
    """

    short: int = rows(7)
    middle: int = rows(14)
    long: int = rows(28)
    inputs: ClassVar[tuple[str, ...]] = HLC
    increasing: ClassVar[tuple[str, ...]] = ("short", "middle", "long")

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.long

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        from quant_assets.quant.indicators.oscillators_kernel import buying_pressure

        walk = nodes.add(buying_pressure, nodes.empty(1), n_outputs=2, window=1)
        windows = [
            (nodes.sum(n), nodes.sum(n), weight / 7.0)
            for n, weight in ((self.short, 400.0), (self.middle, 200.0), (self.long, 100.0))
        ]

        def step(high: Block, low: Block, close: Block) -> Block:
            pressure, reach = walk(high, low, close)
            total = np.zeros_like(close)
            for part, whole, weight in windows:
                total += share(part(pressure), whole(reach), scale=weight)
            return total

        return step


def ultimate_oscillator(
    high: npt.ArrayLike,
    low: npt.ArrayLike,
    close: npt.ArrayLike,
    short: int = 7,
    middle: int = 14,
    long: int = 28,
) -> Floats:
    """Ultimate oscillator; see `UltimateOscillator`."""
    return UltimateOscillator(short, middle, long).compute(high, low, close)


@dataclass(frozen=True)
class AwesomeOscillator(Indicator[Floats]):
    """SMA(fast) minus SMA(slow) of the rows' middles (high + low) / 2 (Williams 1998)."""

    fast: int = rows(5)
    slow: int = rows(34)
    inputs: ClassVar[tuple[str, ...]] = ("high", "low")
    increasing: ClassVar[tuple[str, ...]] = ("fast", "slow")

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.slow - 1

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        fast, slow = nodes.mean(self.fast), nodes.mean(self.slow)

        def step(high: Block, low: Block) -> Block:
            middle = (high + low) / 2.0
            return fast(middle) - slow(middle)

        return step


def awesome_oscillator(
    high: npt.ArrayLike, low: npt.ArrayLike, fast: int = 5, slow: int = 34
) -> Floats:
    """Awesome oscillator; see `AwesomeOscillator`."""
    return AwesomeOscillator(fast, slow).compute(high, low)


@dataclass(frozen=True)
class Tsi(Indicator[Floats]):
    """True strength: EMA(short) of EMA(long) of the change, over that of its size (Blau 1991).

    In percent, in [-100, 100]; 0 of a flat price.
    """

    long: int = rows(25)
    short: int = rows(13)

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.long + self.short - 1

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        last = nodes.lag(1)
        change_long, change_short = nodes.ema(self.long), nodes.ema(self.short)
        size_long, size_short = nodes.ema(self.long), nodes.ema(self.short)

        def step(close: Block) -> Block:
            change = close - last(close)
            size = size_short(size_long(np.abs(change)))
            return share(change_short(change_long(change)), size)

        return step


def tsi(close: npt.ArrayLike, long: int = 25, short: int = 13) -> Floats:
    """True strength index; see `Tsi`."""
    return Tsi(long, short).compute(close)


class KstLines(NamedTuple):
    """The sum of the smoothed rates of change, and its average."""

    line: Floats
    signal: Floats


@dataclass(frozen=True)
class Kst(Indicator[KstLines]):
    """Know sure thing: four rates of change in percent, smoothed by SMA, weighted 1 : 2 : 3 : 4.

    Rates over n1..n4 rows, the first three smoothed over `smooth` rows, the last over
    `smooth_long`; the signal is an SMA. Both results begin together (Pring 1992).
    """

    n1: int = rows(10)
    n2: int = rows(15)
    n3: int = rows(20)
    n4: int = rows(30)
    smooth: int = rows(10)
    smooth_long: int = rows(15)
    signal: int = rows(9)
    result: ClassVar[type | None] = KstLines
    increasing: ClassVar[tuple[str, ...]] = ("n1", "n2", "n3", "n4")

    @property
    def lookback(self) -> int:
        """See the base class."""
        late = max(self.n3 + self.smooth, self.n4 + self.smooth_long)
        return late + self.signal - 2

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        lengths = (self.smooth, self.smooth, self.smooth, self.smooth_long)
        parts = [
            (nodes.rate(n), nodes.mean(smooth), weight)
            for n, smooth, weight in zip(
                (self.n1, self.n2, self.n3, self.n4), lengths, (1.0, 2.0, 3.0, 4.0), strict=True
            )
        ]
        average = nodes.mean(self.signal)

        def step(close: Block) -> tuple[Block, ...]:
            line = np.zeros_like(close)
            for rate, smooth, weight in parts:
                line += weight * smooth(rate(close))
            signal = average(line)
            return where_known(line, signal), signal

        return step


def kst(close: npt.ArrayLike) -> KstLines:
    """Know sure thing with Pring's lengths; see `Kst`, which has them as parameters."""
    return Kst().compute(close)
