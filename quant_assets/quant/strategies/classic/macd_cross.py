"""MACD crosses its signal line."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from quant_assets.core.parameters import choice, whole
from quant_assets.quant.indicators.trend import Macd
from quant_assets.quant.strategies.columns import Line, Rows
from quant_assets.quant.strategies.crossing import Crossing, CrossingStrategy
from quant_assets.quant.strategies.library_parts import RowStrategy, crosses_above
from quant_assets.quant.strategies.signals import Signals

__all__ = ["MacdCross"]


@dataclass(frozen=True, kw_only=True)
class MacdCross(CrossingStrategy, RowStrategy):
    """In when the difference of two exponential averages crosses above its own average, out below.

    `both`: short in between.
    """

    name: ClassVar[str] = "macd_cross"
    source: ClassVar[str] = "Appel (1979), The Moving Average Convergence-Divergence Method"
    symbolwise: ClassVar[bool] = True
    fast: int = whole(12, least=1)
    slow: int = whole(26, least=2)
    signal: int = whole(9, least=1)
    sides: Literal["long", "both"] = choice("long", "both")

    def __post_init__(self) -> None:
        super().__post_init__()
        self.lines()  # the indicator refuses a fast average that is not faster

    def lines(self) -> tuple[Line, ...]:
        """See the base class."""
        macd = Macd(self.fast, self.slow, self.signal)
        return Line(macd, "line"), Line(macd, "signal")

    @property
    def back(self) -> int:
        """See the base class."""
        return 1

    def crossing(self) -> Crossing:
        """See the base class."""
        line, signal = self.lines()
        return Crossing(fast=line, slow=signal, short=self.sides == "both")

    def decide(self, rows: Rows) -> Signals:
        """See the base class."""
        line, signal = self.lines()
        up, down = crosses_above(rows, line, signal), crosses_above(rows, signal, line)
        if self.sides == "both":
            return Signals(entry_long=up, entry_short=down)
        return Signals(entry_long=up, exit_long=down)
