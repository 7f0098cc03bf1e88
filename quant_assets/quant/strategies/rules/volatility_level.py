"""Average range in percent of the price beyond a level."""

from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from quant_assets.quant.indicators.volatility import Natr
from quant_assets.quant.strategies.columns import Line
from quant_assets.quant.strategies.rules.base import Above, Below, LevelRule

__all__ = ["VolatilityAbove", "VolatilityBelow"]


@dataclass(frozen=True, kw_only=True)
class _Level(LevelRule, ABC):
    """Average true range of `period` bars in percent of the close (`natr`)."""

    takes: ClassVar[Mapping[str, Mapping[str, str]]] = {"natr": {"period": "n"}}
    period: int = 14

    def lines(self) -> tuple[Line, ...]:
        """See the base class."""
        return (Line(Natr(self.period)),)


@dataclass(frozen=True, kw_only=True)
class VolatilityAbove(_Level, Above):
    """The range is above `threshold` percent."""

    name: ClassVar[str] = "volatility_above"
    threshold: float = 2.0


@dataclass(frozen=True, kw_only=True)
class VolatilityBelow(_Level, Below):
    """The range is below `threshold` percent."""

    name: ClassVar[str] = "volatility_below"
    threshold: float = 2.0
