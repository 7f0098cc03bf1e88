"""Every position swings by the same stated volatility."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.core.parameters import number, optional_number, whole
from quant_assets.quant.market.bar_panel import BarPanel, Floats
from quant_assets.quant.market.memory import Memory
from quant_assets.quant.moments.past import bar_returns, past_memory, past_moments
from quant_assets.quant.sizing.entry.base import FollowedSizer, bars_per_year

__all__ = ["VolatilityTarget"]


@dataclass(frozen=True, kw_only=True)
class VolatilityTarget(FollowedSizer):
    """`min(target / (sigma sqrt(bars a year)), max_leverage)` of equity in each position.

    target : volatility of one position per year, as a fraction of equity. sigma : standard
    deviation (ddof 1) of the returns of the last `lookback` bars; unknown with fewer than half of
    them. periods_per_year : None counts the bars so far over their time. (Moskowitz, Ooi & Pedersen
    2012 size trend positions so, at 40 % a year.)
    """

    name: ClassVar[str] = "volatility_target"
    target: float = number(0.10, above=0.0)
    lookback: int = whole(60, least=2)
    max_leverage: float = number(1.0, above=0.0)
    periods_per_year: float | None = optional_number(above=0.0)

    @property
    def memory(self) -> Memory | None:
        """See the base class; bars a year that are counted, are counted from the first on."""
        counted = self.periods_per_year is None
        return None if counted else past_memory(self.lookback).longer(1)

    def size(self, bars: BarPanel, sides: Floats) -> Floats:
        """See the base class."""
        del sides
        past = past_moments(bar_returns(bars.close), self.lookback)
        size = past.variance * bars_per_year(bars, self.periods_per_year)
        size[(2.0 * past.known < self.lookback) | (past.variance <= 0.0)] = np.nan
        np.divide(self.target, np.sqrt(size, out=size), out=size)
        return np.minimum(size, self.max_leverage, out=size)
