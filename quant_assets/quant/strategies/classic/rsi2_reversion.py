"""Short weakness within a long rise, by the RSI of two bars."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from quant_assets.core.parameters import choice, number, whole
from quant_assets.quant.indicators.averages import Sma
from quant_assets.quant.indicators.oscillators import Rsi
from quant_assets.quant.strategies.columns import Line, Rows
from quant_assets.quant.strategies.library_parts import RowStrategy, flags
from quant_assets.quant.strategies.signals import Signals

__all__ = ["Rsi2Reversion"]


@dataclass(frozen=True, kw_only=True)
class Rsi2Reversion(RowStrategy):
    """Bought above the average of `trend` closes when RSI is below `entry`; sold above a short one.

    `both`: below the long average sold short when RSI is above 100 - `entry`, until the close is
    below the short average.
    """

    name: ClassVar[str] = "rsi2_reversion"
    source: ClassVar[str] = "Connors & Alvarez (2008), Short Term Trading Strategies That Work"
    symbolwise: ClassVar[bool] = True
    n: int = whole(2, least=2)
    trend: int = whole(200, least=1)
    exit_average: int = whole(5, least=1)
    entry: float = number(10.0, above=0.0, below=50.0)
    sides: Literal["long", "both"] = choice("long", "both")

    def lines(self) -> tuple[Line, ...]:
        """See the base class."""
        return Line(Rsi(self.n)), Line(Sma(self.trend)), Line(Sma(self.exit_average))

    def decide(self, rows: Rows) -> Signals:
        """See the base class."""
        close = rows["close"]
        rsi, trend, short_average = (rows[line] for line in self.lines())
        return flags(
            self.sides,
            long=((rsi < self.entry) & (close > trend), close > short_average),
            short=((rsi > 100.0 - self.entry) & (close < trend), close < short_average),
        )
