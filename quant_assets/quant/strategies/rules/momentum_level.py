"""Change over n bars beyond a level."""

from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from quant_assets.quant.indicators.oscillators import Roc
from quant_assets.quant.strategies.columns import Line
from quant_assets.quant.strategies.rules.base import Above, Below, LevelRule

__all__ = ["MomentumAbove", "MomentumBelow"]


@dataclass(frozen=True, kw_only=True)
class _Level(LevelRule, ABC):
    """Change of the close over `period` bars, in percent (`roc`)."""

    takes: ClassVar[Mapping[str, Mapping[str, str]]] = {"roc": {"period": "n"}}
    period: int = 20

    def lines(self) -> tuple[Line, ...]:
        """See the base class."""
        return (Line(Roc(self.period)),)


@dataclass(frozen=True, kw_only=True)
class MomentumAbove(_Level, Above):
    """The change is above `threshold` percent."""

    name: ClassVar[str] = "momentum_above"
    threshold: float = 0.0


@dataclass(frozen=True, kw_only=True)
class MomentumBelow(_Level, Below):
    """The change is below `threshold` percent."""

    name: ClassVar[str] = "momentum_below"
    threshold: float = 0.0
