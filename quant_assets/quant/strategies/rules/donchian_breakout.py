"""The close leaves the Donchian channel of the bars before it."""

from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from quant_assets.quant.indicators.channels import DonchianChannels
from quant_assets.quant.strategies.columns import Line, Rows
from quant_assets.quant.strategies.rules.base import (
    CloseAbove,
    CloseBelow,
    CloseRule,
    Floats,
)

__all__ = ["DonchianBreakoutHigh", "DonchianBreakoutLow"]


@dataclass(frozen=True, kw_only=True)
class _Breakout(CloseRule, ABC):
    """Highest high and lowest low of the `period` bars before this one."""

    takes: ClassVar[Mapping[str, Mapping[str, str]]] = {"donchian_channels": {"period": "n"}}
    output: ClassVar[str]
    period: int = 20

    def lines(self) -> tuple[Line, ...]:
        """See the base class."""
        return (Line(DonchianChannels(self.period), self.output),)

    @property
    def back(self) -> int:
        """See the base class."""
        return 1

    def reads(self, rows: Rows) -> tuple[Floats, ...]:
        """See the base class."""
        return rows["close"], rows.before(self.read_lines[0], 1)


@dataclass(frozen=True, kw_only=True)
class DonchianBreakoutHigh(_Breakout, CloseAbove):
    """The close is above the highest high."""

    name: ClassVar[str] = "donchian_breakout_high"
    output: ClassVar[str] = "upper"


@dataclass(frozen=True, kw_only=True)
class DonchianBreakoutLow(_Breakout, CloseBelow):
    """The close is below the lowest low."""

    name: ClassVar[str] = "donchian_breakout_low"
    output: ClassVar[str] = "lower"
