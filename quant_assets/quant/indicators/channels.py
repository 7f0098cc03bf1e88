"""Channels of highs and lows. Oracle: plain numpy."""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from quant_assets.quant.indicators.base import Floats, Indicator, Program, rows
from quant_assets.quant.indicators.nodes import Block, Nodes, Unary

__all__ = [
    "DonchianChannels",
    "DonchianLines",
    "Ichimoku",
    "IchimokuLines",
    "donchian_channels",
    "ichimoku",
]


class DonchianLines(NamedTuple):
    """Highest high, their middle, lowest low."""

    upper: Floats
    middle: Floats
    lower: Floats


@dataclass(frozen=True)
class DonchianChannels(Indicator[DonchianLines]):
    """Highest high and lowest low of the last n rows, the current one included."""

    n: int = rows(20)
    inputs: ClassVar[tuple[str, ...]] = ("high", "low")
    result: ClassVar[type | None] = DonchianLines

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n - 1

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        top, bottom = nodes.highest(self.n), nodes.lowest(self.n)

        def step(high: Block, low: Block) -> tuple[Block, ...]:
            upper, lower = top(high), bottom(low)
            return upper, (upper + lower) / 2.0, lower

        return step


def donchian_channels(high: npt.ArrayLike, low: npt.ArrayLike, n: int = 20) -> DonchianLines:
    """Donchian channels; see `DonchianChannels`."""
    return DonchianChannels(n).compute(high, low)


class IchimokuLines(NamedTuple):
    """Conversion and base line of this row; the two edges of the cloud that lies over this row."""

    conversion: Floats
    base: Floats
    span_a: Floats
    span_b: Floats


@dataclass(frozen=True)
class Ichimoku(Indicator[IchimokuLines]):
    """Ichimoku lines, each on the row where it is seen.

    Lines are middles of the highest high and the lowest low. The cloud over row t was computed
    `shift - 1` rows before it, as charts draw it, from that row's conversion and base (edge a)
    and the longest window (edge b). The lagging line is left out: drawn where charts draw it,
    it is the future (Hosoda 1969).
    """

    conversion: int = rows(9)
    base: int = rows(26)
    span: int = rows(52)
    shift: int = rows(26)
    inputs: ClassVar[tuple[str, ...]] = ("high", "low")
    result: ClassVar[type | None] = IchimokuLines

    @property
    def lookback(self) -> int:
        """See the base class."""
        return max(self.conversion, self.base, self.span) + self.shift - 2

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        windows = (self.conversion, self.base, self.span)
        edges = [(nodes.highest(n), nodes.lowest(n)) for n in windows]
        later: list[Unary] = [
            nodes.lag(self.shift - 1) if self.shift > 1 else lambda x: x for _ in range(2)
        ]

        def step(high: Block, low: Block) -> tuple[Block, ...]:
            fast, base, slow = ((top(high) + bottom(low)) / 2.0 for top, bottom in edges)
            cloud = later[0]((fast + base) / 2.0), later[1](slow)
            absent = np.isnan(high + low)
            return fast, base, *(np.where(absent, np.nan, edge) for edge in cloud)

        return step


def ichimoku(
    high: npt.ArrayLike,
    low: npt.ArrayLike,
    conversion: int = 9,
    base: int = 26,
    span: int = 52,
    shift: int = 26,
) -> IchimokuLines:
    """Ichimoku lines; see `Ichimoku`."""
    return Ichimoku(conversion, base, span, shift).compute(high, low)
