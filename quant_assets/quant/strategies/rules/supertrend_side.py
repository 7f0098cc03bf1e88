"""The side of the price on which the supertrend line lies."""

from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from quant_assets.quant.indicators.trend import Supertrend
from quant_assets.quant.strategies.columns import Line, Rows
from quant_assets.quant.strategies.rules.base import Bools, Floats, Rule

__all__ = ["SupertrendDown", "SupertrendUp"]


@dataclass(frozen=True, kw_only=True)
class _Side(Rule, ABC):
    """Supertrend of `period` bars and `multiple` average true ranges."""

    takes: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "supertrend": {"period": "n", "multiple": "k"}
    }
    period: int = 10
    multiple: float = 3.0

    def lines(self) -> tuple[Line, ...]:
        """See the base class."""
        return (Line(Supertrend(self.period, self.multiple), "line"),)

    def reads(self, rows: Rows) -> tuple[Floats, ...]:
        """See the base class."""
        return rows["close"], rows[self.read_lines[0]]


@dataclass(frozen=True, kw_only=True)
class SupertrendUp(_Side):
    """The close is above the line."""

    name: ClassVar[str] = "supertrend_up"

    def test(self, *values: Floats) -> Bools:
        """See the base class."""
        close, line = values
        return close > line


@dataclass(frozen=True, kw_only=True)
class SupertrendDown(_Side):
    """The close is below the line."""

    name: ClassVar[str] = "supertrend_down"

    def test(self, *values: Floats) -> Bools:
        """See the base class."""
        close, line = values
        return close < line
