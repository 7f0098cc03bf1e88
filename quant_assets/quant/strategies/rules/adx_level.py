"""Strength of the trend by Wilder's average directional index."""

from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from quant_assets.quant.indicators.directional import Adx
from quant_assets.quant.strategies.columns import Line
from quant_assets.quant.strategies.rules.base import Above, Below, LevelRule

__all__ = ["AdxRanging", "AdxTrending"]


@dataclass(frozen=True, kw_only=True)
class _Level(LevelRule, ABC):
    """ADX of `period` bars, 0 to 100."""

    takes: ClassVar[Mapping[str, Mapping[str, str]]] = {"adx": {"period": "n"}}
    period: int = 14

    def lines(self) -> tuple[Line, ...]:
        """See the base class."""
        return (Line(Adx(self.period)),)


@dataclass(frozen=True, kw_only=True)
class AdxRanging(_Level, Below):
    """ADX is below `threshold`."""

    name: ClassVar[str] = "adx_ranging"
    threshold: float = 20.0


@dataclass(frozen=True, kw_only=True)
class AdxTrending(_Level, Above):
    """ADX is above `threshold`."""

    name: ClassVar[str] = "adx_trending"
    threshold: float = 25.0
