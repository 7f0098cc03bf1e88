"""The same risk for every entry, measured by the average true range."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.core.parameters import number, whole
from quant_assets.quant.indicators.volatility import atr
from quant_assets.quant.market.bar_panel import BarPanel, Floats
from quant_assets.quant.sizing.entry.base import FollowedSizer

__all__ = ["AtrRisk"]


@dataclass(frozen=True, kw_only=True)
class AtrRisk(FollowedSizer):
    """`min(risk x close / (multiple x ATR(n)), max_leverage)` of equity.

    A move of `multiple` ATR (Wilder 1978) against the position costs `risk` of equity: with 1 % and
    multiple 1 that is the turtles' unit (Faith 2007). Unknown in the first n bars.
    """

    name: ClassVar[str] = "atr_risk"
    risk: float = number(0.01, above=0.0, below=1.0)
    multiple: float = number(2.0, above=0.0)
    n: int = whole(14, least=1)
    max_leverage: float = number(1.0, above=0.0)

    def size(self, bars: BarPanel, sides: Floats) -> Floats:
        """See the base class."""
        del sides
        distance = self.multiple * atr(bars.high, bars.low, bars.close, self.n)
        size = self.risk * bars.close / np.where(distance > 0.0, distance, np.nan)
        return np.minimum(size, self.max_leverage)
