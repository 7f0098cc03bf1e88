"""The close moves by more than some average true ranges in one bar."""

from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from quant_assets.quant.indicators.volatility import Atr
from quant_assets.quant.strategies.columns import Line, Rows
from quant_assets.quant.strategies.rules.base import Bools, Floats, Rule

__all__ = ["AtrBreakdown", "AtrBreakout"]


@dataclass(frozen=True, kw_only=True)
class _Move(Rule, ABC):
    """`multiple` average true ranges of the `period` bars before; the move is close to close."""

    takes: ClassVar[Mapping[str, Mapping[str, str]]] = {"atr": {"period": "n"}}
    period: int = 14
    multiple: float = 1.0

    def lines(self) -> tuple[Line, ...]:
        """See the base class."""
        return (Line(Atr(self.period)),)

    @property
    def back(self) -> int:
        """See the base class."""
        return 1

    def reads(self, rows: Rows) -> tuple[Floats, ...]:
        """See the base class."""
        (line,) = self.read_lines
        return rows["close"], rows.before("close", 1), rows.before(line, 1)


@dataclass(frozen=True, kw_only=True)
class AtrBreakout(_Move):
    """The close is above the last one by more than that."""

    name: ClassVar[str] = "atr_breakout"

    def test(self, *values: Floats) -> Bools:
        """See the base class."""
        close, before, atr = values
        return close > before + self.multiple * atr


@dataclass(frozen=True, kw_only=True)
class AtrBreakdown(_Move):
    """The close is below the last one by more than that."""

    name: ClassVar[str] = "atr_breakdown"

    def test(self, *values: Floats) -> Bools:
        """See the base class."""
        close, before, atr = values
        return close < before - self.multiple * atr
