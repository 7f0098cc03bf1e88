"""Directional movement and Aroon: which way, and how steadily. Oracle: TA-Lib."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from quant_assets.quant.indicators.base import Floats, Indicator, Program, rows
from quant_assets.quant.indicators.nodes import Block, Nodes, share

__all__ = [
    "Adx",
    "Adxr",
    "Aroon",
    "AroonLines",
    "AroonOscillator",
    "Dx",
    "MinusDi",
    "PlusDi",
    "adx",
    "adxr",
    "aroon",
    "aroon_oscillator",
    "dx",
    "minus_di",
    "plus_di",
]

HLC = ("high", "low", "close")
Indices = Callable[[Block, Block, Block], tuple[Block, Block]]


def directional_indices(nodes: Nodes, n: int) -> Indices:
    """+DI and -DI of (high, low, close) in percent: Wilder's sums of DM over that of true range."""
    from quant_assets.quant.indicators.directional_kernel import movement, wilder_sum

    moves = nodes.add(movement, nodes.empty(3), n_outputs=2, window=1)
    ranges = nodes.true_range()
    up, down, whole = (nodes.add(wilder_sum, nodes.zeros(2), n) for _ in range(3))

    def step(high: Block, low: Block, close: Block) -> tuple[Block, Block]:
        plus, minus = moves(high, low, close)
        path = whole(ranges(high, low, close))
        return share(up(plus), path), share(down(minus), path)

    return step


@dataclass(frozen=True)
class PlusDi(Indicator[Floats]):
    """+DI in percent: Wilder's sum of upward movement over that of true range (Wilder 1978).

    +DM is the rise of the high where it exceeds the fall of the low and 0. Sums are seeded with
    n - 1 rows, then `s - s / n + x`. 0 where there was no range.
    """

    n: int = rows(14, least=2)
    inputs: ClassVar[tuple[str, ...]] = HLC

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        indices = directional_indices(nodes, self.n)
        return lambda high, low, close: indices(high, low, close)[0]


def plus_di(high: npt.ArrayLike, low: npt.ArrayLike, close: npt.ArrayLike, n: int = 14) -> Floats:
    """+DI; see `PlusDi`."""
    return PlusDi(n).compute(high, low, close)


@dataclass(frozen=True)
class MinusDi(Indicator[Floats]):
    """-DI in percent: as `PlusDi`, of downward movement."""

    n: int = rows(14, least=2)
    inputs: ClassVar[tuple[str, ...]] = HLC

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        indices = directional_indices(nodes, self.n)
        return lambda high, low, close: indices(high, low, close)[1]


def minus_di(high: npt.ArrayLike, low: npt.ArrayLike, close: npt.ArrayLike, n: int = 14) -> Floats:
    """-DI; see `MinusDi`."""
    return MinusDi(n).compute(high, low, close)


def directional_index(nodes: Nodes, n: int) -> Callable[[Block, Block, Block], Block]:
    """DX of (high, low, close): `100 |+DI - -DI| / (+DI + -DI)`."""
    indices = directional_indices(nodes, n)

    def step(high: Block, low: Block, close: Block) -> Block:
        plus, minus = indices(high, low, close)
        return share(np.abs(plus - minus), plus + minus)

    return step


@dataclass(frozen=True)
class Dx(Indicator[Floats]):
    """Directional index `100 |+DI - -DI| / (+DI + -DI)`; 0 where nothing moved (Wilder 1978)."""

    n: int = rows(14, least=2)
    inputs: ClassVar[tuple[str, ...]] = HLC

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        return directional_index(nodes, self.n)


def dx(high: npt.ArrayLike, low: npt.ArrayLike, close: npt.ArrayLike, n: int = 14) -> Floats:
    """Directional index; see `Dx`."""
    return Dx(n).compute(high, low, close)


@dataclass(frozen=True)
class Adx(Indicator[Floats]):
    """Average directional index: Wilder's average of DX, seeded by the mean of n of them."""

    n: int = rows(14, least=2)
    inputs: ClassVar[tuple[str, ...]] = HLC

    @property
    def lookback(self) -> int:
        """See the base class."""
        return 2 * self.n - 1

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        index, average = directional_index(nodes, self.n), nodes.wilder(self.n)
        return lambda high, low, close: average(index(high, low, close))


def adx(high: npt.ArrayLike, low: npt.ArrayLike, close: npt.ArrayLike, n: int = 14) -> Floats:
    """Average directional index; see `Adx`."""
    return Adx(n).compute(high, low, close)


@dataclass(frozen=True)
class Adxr(Indicator[Floats]):
    """Average directional index rating: the mean of ADX now and n - 1 rows ago (Wilder 1978)."""

    n: int = rows(14, least=2)
    inputs: ClassVar[tuple[str, ...]] = HLC

    @property
    def lookback(self) -> int:
        """See the base class."""
        return 3 * self.n - 2

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        index, average = directional_index(nodes, self.n), nodes.wilder(self.n)
        before = nodes.lag(self.n - 1)

        def step(high: Block, low: Block, close: Block) -> Block:
            now = average(index(high, low, close))
            return (now + before(now)) / 2.0

        return step


def adxr(high: npt.ArrayLike, low: npt.ArrayLike, close: npt.ArrayLike, n: int = 14) -> Floats:
    """Average directional index rating; see `Adxr`."""
    return Adxr(n).compute(high, low, close)


class AroonLines(NamedTuple):
    """Percent of the window that has passed since it began when the extreme came."""

    up: Floats
    down: Floats


def aroon_lines(nodes: Nodes, n: int) -> Callable[[Block, Block], tuple[Block, Block]]:
    """Aroon up and down of (high, low)."""
    from quant_assets.quant.indicators.directional_kernel import window_age

    size, share_ = n + 1, 100.0 / n
    top, bottom = (
        nodes.add(window_age, nodes.empty(2 * size + 2), size, sign, window=size, period=size)
        for sign in (1.0, -1.0)
    )

    def step(high: Block, low: Block) -> tuple[Block, Block]:
        return share_ * (n - top(high)), share_ * (n - bottom(low))

    return step


@dataclass(frozen=True)
class Aroon(Indicator[AroonLines]):
    """Aroon up and down: `100 (n - rows since the highest high) / n` over n + 1 rows (Chande 1995).

    Of equal extremes the newest counts.
    """

    n: int = rows(14)
    inputs: ClassVar[tuple[str, ...]] = ("high", "low")
    result: ClassVar[type | None] = AroonLines

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        return aroon_lines(nodes, self.n)


def aroon(high: npt.ArrayLike, low: npt.ArrayLike, n: int = 14) -> AroonLines:
    """Aroon up and down; see `Aroon`."""
    return Aroon(n).compute(high, low)


@dataclass(frozen=True)
class AroonOscillator(Indicator[Floats]):
    """Aroon up minus Aroon down, in [-100, 100]; see `Aroon`."""

    n: int = rows(14)
    inputs: ClassVar[tuple[str, ...]] = ("high", "low")

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        lines = aroon_lines(nodes, self.n)

        def step(high: Block, low: Block) -> Block:
            up, down = lines(high, low)
            return up - down

        return step


def aroon_oscillator(high: npt.ArrayLike, low: npt.ArrayLike, n: int = 14) -> Floats:
    """Aroon oscillator; see `AroonOscillator`."""
    return AroonOscillator(n).compute(high, low)
