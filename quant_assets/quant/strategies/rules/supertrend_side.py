"""The side of the price on which the supertrend line lies."""

from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from quant_assets.quant.indicators.trend import Supertrend
from quant_assets.quant.strategies.columns import Line
from quant_assets.quant.strategies.rules.base import CloseAbove, CloseBelow, CloseRule

__all__ = ["SupertrendDown", "SupertrendUp"]


@dataclass(frozen=True, kw_only=True)
class _Side(CloseRule, ABC):
    """Supertrend of `period` bars and `multiple` average true ranges."""

    takes: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "supertrend": {"period": "n", "multiple": "k"}
    }
    period: int = 10
    multiple: float = 3.0

    def lines(self) -> tuple[Line, ...]:
        """See the base class."""
        return (Line(Supertrend(self.period, self.multiple), "line"),)


@dataclass(frozen=True, kw_only=True)
class SupertrendUp(_Side, CloseAbove):
    """The close is above the line."""

    name: ClassVar[str] = "supertrend_up"


@dataclass(frozen=True, kw_only=True)
class SupertrendDown(_Side, CloseBelow):
    """The close is below the line."""

    name: ClassVar[str] = "supertrend_down"
