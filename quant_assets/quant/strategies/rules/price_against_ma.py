"""The close above or below a moving average."""

from abc import ABC
from dataclasses import dataclass
from typing import ClassVar

from quant_assets.quant.strategies.averages import Average, average_of_closes
from quant_assets.quant.strategies.columns import Line
from quant_assets.quant.strategies.rules.base import CloseAbove, CloseBelow, CloseRule

__all__ = ["PriceAboveMa", "PriceBelowMa"]


@dataclass(frozen=True, kw_only=True)
class _Against(CloseRule, ABC):
    """Average of `period` closes, this one included; `average` is sma, ema, wma or hma."""

    period: int = 200
    average: Average = "sma"

    def lines(self) -> tuple[Line, ...]:
        """See the base class."""
        return (average_of_closes(self.average, self.period),)


@dataclass(frozen=True, kw_only=True)
class PriceAboveMa(_Against, CloseAbove):
    """The close is above the average."""

    name: ClassVar[str] = "price_above_ma"


@dataclass(frozen=True, kw_only=True)
class PriceBelowMa(_Against, CloseBelow):
    """The close is below the average."""

    name: ClassVar[str] = "price_below_ma"
