"""The close leaves the Keltner channel."""

from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from quant_assets.quant.indicators.volatility import KeltnerChannels
from quant_assets.quant.strategies.columns import Line
from quant_assets.quant.strategies.rules.base import CloseAbove, CloseBelow, CloseRule

__all__ = ["KeltnerBreakdown", "KeltnerBreakout"]


@dataclass(frozen=True, kw_only=True)
class _Leaves(CloseRule, ABC):
    """EMA of `period` closes, `multiple` average true ranges of `atr_period` bars away."""

    takes: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "keltner_channels": {"period": "n", "atr_period": "atr_n", "multiple": "k"}
    }
    output: ClassVar[str]
    period: int = 20
    atr_period: int = 10
    multiple: float = 2.0

    def lines(self) -> tuple[Line, ...]:
        """See the base class."""
        channels = KeltnerChannels(self.period, self.atr_period, self.multiple)
        return (Line(channels, self.output),)


@dataclass(frozen=True, kw_only=True)
class KeltnerBreakout(_Leaves, CloseAbove):
    """The close is above the upper line."""

    name: ClassVar[str] = "keltner_breakout"
    output: ClassVar[str] = "upper"


@dataclass(frozen=True, kw_only=True)
class KeltnerBreakdown(_Leaves, CloseBelow):
    """The close is below the lower line."""

    name: ClassVar[str] = "keltner_breakdown"
    output: ClassVar[str] = "lower"
