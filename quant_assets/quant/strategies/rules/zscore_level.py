"""Standard score of the close beyond a level."""

from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from quant_assets.quant.indicators.rolling import ZScore
from quant_assets.quant.strategies.columns import Line
from quant_assets.quant.strategies.rules.base import Above, Below, LevelRule

__all__ = ["ZscoreAbove", "ZscoreBelow"]


@dataclass(frozen=True, kw_only=True)
class _Level(LevelRule, ABC):
    """Distance of the close from its mean of `period` bars in their deviations (divisor n - 1)."""

    takes: ClassVar[Mapping[str, Mapping[str, str]]] = {"z_score": {"period": "n"}}
    period: int = 20

    def lines(self) -> tuple[Line, ...]:
        """See the base class."""
        return (Line(ZScore(self.period)),)


@dataclass(frozen=True, kw_only=True)
class ZscoreAbove(_Level, Above):
    """The score is above `threshold`."""

    name: ClassVar[str] = "zscore_above"
    threshold: float = 2.0


@dataclass(frozen=True, kw_only=True)
class ZscoreBelow(_Level, Below):
    """The score is below `threshold`."""

    name: ClassVar[str] = "zscore_below"
    threshold: float = -2.0
