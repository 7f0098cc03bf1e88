"""RSI beyond a level."""

from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from quant_assets.quant.indicators.oscillators import Rsi
from quant_assets.quant.strategies.columns import Line
from quant_assets.quant.strategies.rules.base import Above, Below, LevelRule

__all__ = ["RsiOverbought", "RsiOversold"]


@dataclass(frozen=True, kw_only=True)
class _Level(LevelRule, ABC):
    """RSI of `period` closes, 0 to 100."""

    takes: ClassVar[Mapping[str, Mapping[str, str]]] = {"rsi": {"period": "n"}}
    period: int = 14

    def lines(self) -> tuple[Line, ...]:
        """See the base class."""
        return (Line(Rsi(self.period)),)


@dataclass(frozen=True, kw_only=True)
class RsiOverbought(_Level, Above):
    """RSI is above `threshold`."""

    name: ClassVar[str] = "rsi_overbought"
    threshold: float = 70.0


@dataclass(frozen=True, kw_only=True)
class RsiOversold(_Level, Below):
    """RSI is below `threshold`."""

    name: ClassVar[str] = "rsi_oversold"
    threshold: float = 30.0
