"""Commodity channel index beyond a level."""

from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from quant_assets.quant.indicators.oscillators import Cci
from quant_assets.quant.strategies.columns import Line, Rows
from quant_assets.quant.strategies.rules.base import Bools, Floats, Rule

__all__ = ["CciAbove", "CciBelow"]


@dataclass(frozen=True, kw_only=True)
class _Level(Rule, ABC):
    """CCI of `period` bars."""

    takes: ClassVar[Mapping[str, Mapping[str, str]]] = {"cci": {"period": "n"}}
    period: int = 20

    def lines(self) -> tuple[Line, ...]:
        """See the base class."""
        return (Line(Cci(self.period)),)

    def reads(self, rows: Rows) -> tuple[Floats, ...]:
        """See the base class."""
        return (rows[self.read_lines[0]],)


@dataclass(frozen=True, kw_only=True)
class CciAbove(_Level):
    """CCI is above `threshold`."""

    name: ClassVar[str] = "cci_above"
    threshold: float = 100.0

    def test(self, *values: Floats) -> Bools:
        """See the base class."""
        return values[0] > self.threshold


@dataclass(frozen=True, kw_only=True)
class CciBelow(_Level):
    """CCI is below `threshold`."""

    name: ClassVar[str] = "cci_below"
    threshold: float = -100.0

    def test(self, *values: Floats) -> Bools:
        """See the base class."""
        return values[0] < self.threshold
