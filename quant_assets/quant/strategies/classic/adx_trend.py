"""The direction of movement, where it is strong."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from quant_assets.core.parameters import choice, number, whole
from quant_assets.quant.indicators.directional import Adx, MinusDi, PlusDi
from quant_assets.quant.strategies.columns import Line, Rows
from quant_assets.quant.strategies.library_parts import RowStrategy, flags
from quant_assets.quant.strategies.signals import Signals

__all__ = ["AdxTrend"]


@dataclass(frozen=True, kw_only=True)
class AdxTrend(RowStrategy):
    """In where +DI is above -DI and ADX above `threshold`; out where +DI is below -DI.

    `both`: the mirror of it short.
    """

    name: ClassVar[str] = "adx_trend"
    source: ClassVar[str] = "Wilder (1978), New Concepts in Technical Trading Systems"
    symbolwise: ClassVar[bool] = True
    n: int = whole(14, least=2)
    threshold: float = number(25.0, least=0.0, most=100.0)
    sides: Literal["both", "long"] = choice("both", "long")

    def lines(self) -> tuple[Line, ...]:
        """See the base class."""
        return Line(PlusDi(self.n)), Line(MinusDi(self.n)), Line(Adx(self.n))

    def decide(self, rows: Rows) -> Signals:
        """See the base class."""
        plus, minus, adx = (rows[line] for line in self.lines())
        up, down, strong = plus > minus, plus < minus, adx > self.threshold
        return flags(self.sides, long=(up & strong, down), short=(down & strong, up))
