"""The side of the supertrend line."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from quant_assets.core.parameters import choice, number, whole
from quant_assets.quant.indicators.trend import Supertrend
from quant_assets.quant.strategies.columns import Line, Rows
from quant_assets.quant.strategies.library_parts import RowStrategy, flags
from quant_assets.quant.strategies.signals import Signals

__all__ = ["SupertrendTrend"]


@dataclass(frozen=True, kw_only=True)
class SupertrendTrend(RowStrategy):
    """In while the close is above the line: a band k average true ranges away that only tightens.

    `both`: short while it is below.
    """

    name: ClassVar[str] = "supertrend_trend"
    source: ClassVar[str] = "Seban's SuperTrend, as Pine Script 5 (2021) has it"
    symbolwise: ClassVar[bool] = True
    n: int = whole(10, least=1)
    k: float = number(3.0, above=0.0)
    sides: Literal["both", "long"] = choice("both", "long")

    def lines(self) -> tuple[Line, ...]:
        """See the base class."""
        return (Line(Supertrend(self.n, self.k), "line"),)

    def decide(self, rows: Rows) -> Signals:
        """See the base class."""
        close, line = rows["close"], rows[self.lines()[0]]
        above, below = close > line, close < line
        return flags(self.sides, long=(above, below), short=(below, above))
