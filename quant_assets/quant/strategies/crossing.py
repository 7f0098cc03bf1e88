"""Strategies that trade when one line crosses another: a sweep walks them crossing by crossing."""

from abc import abstractmethod
from copy import copy
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.strategies.base import VectorStrategy
from quant_assets.quant.strategies.columns import Line, compute_lines
from quant_assets.quant.strategies.indicator_cache import IndicatorCache
from quant_assets.quant.strategies.signals import Signals

__all__ = ["Crossing", "CrossingStrategy", "crossings", "side_values"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Side = Line | str | float


@dataclass(frozen=True, kw_only=True)
class Crossing:
    """Two sides: lines of indicators, fields of the bars by name, or levels.

    Long from the bar on which `fast` crosses above `slow` to the one on which it crosses below;
    with `short` the other way round in between.
    """

    fast: Side
    slow: Side
    short: bool = False


class CrossingStrategy(VectorStrategy):
    """A strategy that says what must cross; its signals follow from it."""

    _cache: ClassVar[IndicatorCache | None] = None

    def with_cache(self, cache: IndicatorCache) -> Self:
        """The same strategy, computing its lines through a cache."""
        other = copy(self)
        object.__setattr__(other, "_cache", cache)
        return other

    @abstractmethod
    def crossing(self) -> Crossing:
        """The two sides."""

    def signals(self, bars: BarPanel) -> Signals:
        """Entries and exits where the sides cross."""
        rule = self.crossing()
        up, down = crossings(*side_values((rule.fast, rule.slow), bars, self._cache))
        if rule.short:
            return Signals(entry_long=up, entry_short=down)
        return Signals(entry_long=up, exit_long=down)


def side_values(
    sides: tuple[Side, ...], bars: BarPanel, cache: IndicatorCache | None = None
) -> list[Floats]:
    """Arrays `(time, symbol)` of the sides."""
    lines = compute_lines([side for side in sides if isinstance(side, Line)], bars, cache)
    return [
        lines[side.key]
        if isinstance(side, Line)
        else bars[side]
        if isinstance(side, str)
        else np.full(bars.close.shape, float(side))
        for side in sides
    ]


def crossings(fast: Floats, slow: Floats) -> tuple[Bools, Bools]:
    """Where `fast` crosses above `slow`, and where below: `d[t - 1] <= 0 < d[t]` and its mirror.

    Arrays `(time, symbol)` or `(time,)`. Both rows must be known: a NaN crosses nothing, and the
    first row never does.
    """
    from quant_assets.quant.strategies.crossing_kernel import crossed

    up, down = np.zeros(fast.shape, dtype=np.bool_), np.zeros(fast.shape, dtype=np.bool_)
    if fast.size:
        step = fast.size // len(fast)
        first, second = (np.ascontiguousarray(side).ravel() for side in (fast, slow))
        crossed(first, second, step, up.ravel(), down.ravel())
    return up, down
