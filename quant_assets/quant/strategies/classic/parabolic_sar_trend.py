"""Always in, on the side of the parabolic stop."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from quant_assets.core.parameters import choice, number
from quant_assets.quant.indicators.trend import ParabolicSar
from quant_assets.quant.strategies.columns import Line, Rows
from quant_assets.quant.strategies.library_parts import RowStrategy, flags
from quant_assets.quant.strategies.signals import Signals

__all__ = ["ParabolicSarTrend"]


@dataclass(frozen=True, kw_only=True)
class ParabolicSarTrend(RowStrategy):
    """Long while the close is above the parabolic stop-and-reverse, short (`both`) while below.

    The stop moves to the extreme of the move by `step` for each new extreme, at most by `limit`.
    """

    name: ClassVar[str] = "parabolic_sar_trend"
    source: ClassVar[str] = "Wilder (1978), New Concepts in Technical Trading Systems"
    symbolwise: ClassVar[bool] = True
    step: float = number(0.02, above=0.0)
    limit: float = number(0.2, above=0.0)
    sides: Literal["both", "long"] = choice("both", "long")

    def lines(self) -> tuple[Line, ...]:
        """See the base class."""
        return (Line(ParabolicSar(self.step, self.limit)),)

    def decide(self, rows: Rows) -> Signals:
        """See the base class."""
        close, stop = rows["close"], rows[self.lines()[0]]
        above, below = close > stop, close < stop
        return flags(self.sides, long=(above, below), short=(below, above))
