"""The close above or below the volume-weighted price of the last bars."""

from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from quant_assets.quant.indicators.volume_weighted import RollingVwap
from quant_assets.quant.strategies.columns import Line
from quant_assets.quant.strategies.rules.base import CloseAbove, CloseBelow, CloseRule

__all__ = ["PriceAboveVwap", "PriceBelowVwap"]


@dataclass(frozen=True, kw_only=True)
class _Against(CloseRule, ABC):
    """Volume-weighted (high + low + close) / 3 of `period` bars, this one included."""

    takes: ClassVar[Mapping[str, Mapping[str, str]]] = {"rolling_vwap": {"period": "n"}}
    period: int = 20

    def lines(self) -> tuple[Line, ...]:
        """See the base class."""
        return (Line(RollingVwap(self.period)),)


@dataclass(frozen=True, kw_only=True)
class PriceAboveVwap(_Against, CloseAbove):
    """The close is above it."""

    name: ClassVar[str] = "price_above_vwap"


@dataclass(frozen=True, kw_only=True)
class PriceBelowVwap(_Against, CloseBelow):
    """The close is below it."""

    name: ClassVar[str] = "price_below_vwap"
