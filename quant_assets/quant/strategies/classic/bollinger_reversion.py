"""Back from beyond a Bollinger band to its middle."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from quant_assets.core.parameters import choice, number, whole
from quant_assets.quant.indicators.volatility import BollingerBands
from quant_assets.quant.strategies.columns import Line, Rows
from quant_assets.quant.strategies.library_parts import RowStrategy, flags
from quant_assets.quant.strategies.signals import Signals

__all__ = ["BollingerMeanReversion"]


@dataclass(frozen=True, kw_only=True)
class BollingerMeanReversion(RowStrategy):
    """Bought below the lower band, sold at the middle; `both`: short above the upper one likewise.

    Bands: mean of n closes and k standard deviations (divisor n).
    """

    name: ClassVar[str] = "bollinger_reversion"
    source: ClassVar[str] = "Bollinger (2001), Bollinger on Bollinger Bands"
    symbolwise: ClassVar[bool] = True
    n: int = whole(20, least=2)
    k: float = number(2.0, above=0.0)
    sides: Literal["long", "both"] = choice("long", "both")

    def lines(self) -> tuple[Line, ...]:
        """See the base class."""
        bands = BollingerBands(self.n, self.k)
        return Line(bands, "lower"), Line(bands, "middle"), Line(bands, "upper")

    def decide(self, rows: Rows) -> Signals:
        """See the base class."""
        close = rows["close"]
        lower, middle, upper = (rows[line] for line in self.lines())
        return flags(
            self.sides,
            long=(close < lower, close >= middle),
            short=(close > upper, close <= middle),
        )
