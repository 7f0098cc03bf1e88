"""The close above or below a moving average."""

from abc import ABC
from dataclasses import dataclass
from typing import ClassVar

from quant_assets.quant.strategies.averages import Average, average_of_closes
from quant_assets.quant.strategies.columns import Line, Rows
from quant_assets.quant.strategies.rules.base import Bools, Floats, Rule

__all__ = ["PriceAboveMa", "PriceBelowMa"]


@dataclass(frozen=True, kw_only=True)
class _Against(Rule, ABC):
    """Average of `period` closes, this one included; `average` is sma, ema, wma or hma."""

    period: int = 200
    average: Average = "sma"

    def lines(self) -> tuple[Line, ...]:
        """See the base class."""
        return (average_of_closes(self.average, self.period),)

    def reads(self, rows: Rows) -> tuple[Floats, ...]:
        """See the base class."""
        return rows["close"], rows[self.read_lines[0]]


@dataclass(frozen=True, kw_only=True)
class PriceAboveMa(_Against):
    """The close is above the average."""

    name: ClassVar[str] = "price_above_ma"

    def test(self, *values: Floats) -> Bools:
        """See the base class."""
        close, average = values
        return close > average


@dataclass(frozen=True, kw_only=True)
class PriceBelowMa(_Against):
    """The close is below the average."""

    name: ClassVar[str] = "price_below_ma"

    def test(self, *values: Floats) -> Bools:
        """See the base class."""
        close, average = values
        return close < average
