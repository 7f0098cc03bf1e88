"""The close beyond all closes of the bars before it."""

from abc import ABC
from dataclasses import dataclass
from typing import ClassVar

from quant_assets.quant.indicators.rolling import RollingMax, RollingMin
from quant_assets.quant.strategies.columns import Line, Rows
from quant_assets.quant.strategies.rules.base import Bools, Floats, Rule

__all__ = ["NewHigh", "NewLow"]


@dataclass(frozen=True, kw_only=True)
class _Extreme(Rule, ABC):
    """Closes of the `period` bars before this one (252: a year of days)."""

    kind: ClassVar[type[RollingMax] | type[RollingMin]]
    period: int = 252

    def lines(self) -> tuple[Line, ...]:
        """See the base class."""
        return (Line(self.kind(self.period)),)

    @property
    def back(self) -> int:
        """See the base class."""
        return 1

    def reads(self, rows: Rows) -> tuple[Floats, ...]:
        """See the base class."""
        return rows["close"], rows.before(self.read_lines[0], 1)


@dataclass(frozen=True, kw_only=True)
class NewHigh(_Extreme):
    """The close is above all of them."""

    name: ClassVar[str] = "new_high"
    kind: ClassVar[type[RollingMax] | type[RollingMin]] = RollingMax

    def test(self, *values: Floats) -> Bools:
        """See the base class."""
        close, highest = values
        return close > highest


@dataclass(frozen=True, kw_only=True)
class NewLow(_Extreme):
    """The close is below all of them."""

    name: ClassVar[str] = "new_low"
    kind: ClassVar[type[RollingMax] | type[RollingMin]] = RollingMin

    def test(self, *values: Floats) -> Bools:
        """See the base class."""
        close, lowest = values
        return close < lowest
