"""Commodity channel index beyond a level."""

from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from quant_assets.quant.indicators.oscillators import Cci
from quant_assets.quant.strategies.columns import Line
from quant_assets.quant.strategies.rules.base import Above, Below, LevelRule

__all__ = ["CciAbove", "CciBelow"]


@dataclass(frozen=True, kw_only=True)
class _Level(LevelRule, ABC):
    """CCI of `period` bars."""

    takes: ClassVar[Mapping[str, Mapping[str, str]]] = {"cci": {"period": "n"}}
    period: int = 20

    def lines(self) -> tuple[Line, ...]:
        """See the base class."""
        return (Line(Cci(self.period)),)


@dataclass(frozen=True, kw_only=True)
class CciAbove(_Level, Above):
    """CCI is above `threshold`."""

    name: ClassVar[str] = "cci_above"
    threshold: float = 100.0


@dataclass(frozen=True, kw_only=True)
class CciBelow(_Level, Below):
    """CCI is below `threshold`."""

    name: ClassVar[str] = "cci_below"
    threshold: float = -100.0
