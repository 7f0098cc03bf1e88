"""The same risk for every entry, measured by the average true range or by the stop."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from quant_assets.core.parameters import choice, number, whole
from quant_assets.quant.indicators.volatility import atr
from quant_assets.quant.market.bar_panel import BarPanel, Floats
from quant_assets.quant.sizing.entry.base import EntrySizer
from quant_assets.quant.sizing.entry.units import EQUITY_FRACTION, RISK_FRACTION, EntrySizes


@dataclass(frozen=True, kw_only=True)
class AtrRisk(EntrySizer):
    """A move of `multiple` ATR against the position costs `risk` of equity.

    `by: atr`: risk x close / (multiple x ATR(n)) of equity, at most `max_leverage`: the turtles'
    unit with risk 1 % and multiple 1 (Faith 2007). `by: stop`: the quantity whose loss at the first
    stop is `risk` of equity, whatever stop the risk rules set; the kernel knows it at the fill.
    """

    name: ClassVar[str] = "atr_risk"
    unit: ClassVar[int] = EQUITY_FRACTION
    risk: float = number(0.01, above=0.0, below=1.0)
    multiple: float = number(2.0, above=0.0)
    n: int = whole(14, least=1)
    by: str = choice("atr", "stop")
    max_leverage: float = number(1.0, above=0.0)

    def size(self, bars: BarPanel, sides: Floats) -> Floats:
        """See the base class."""
        del sides
        if self.by == "stop":
            return self.everywhere(bars, self.risk)
        distance = self.multiple * atr(bars.high, bars.low, bars.close, self.n)
        size = self.risk * bars.close / np.where(distance > 0.0, distance, np.nan)
        return np.minimum(size, self.max_leverage)

    def sizes(self, bars: BarPanel, sides: npt.ArrayLike | None = None) -> EntrySizes:
        """See the base class; RISK_FRACTION when it is the stop that measures."""
        found = super().sizes(bars, sides)
        return found._replace(unit=RISK_FRACTION) if self.by == "stop" else found
