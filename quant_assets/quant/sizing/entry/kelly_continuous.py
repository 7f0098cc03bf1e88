"""Each symbol by the mean and variance of its past returns."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.core.parameters import number, optional_number, whole
from quant_assets.quant.analytics.kelly import continuous_kelly, long_only_bet
from quant_assets.quant.market.bar_panel import BarPanel, Floats
from quant_assets.quant.moments.past import bar_returns, past_moments
from quant_assets.quant.sizing.entry.base import EntrySizer, free_returns
from quant_assets.quant.sizing.entry.units import EQUITY_FRACTION

__all__ = ["KellyContinuous"]


@dataclass(frozen=True, kw_only=True)
class KellyContinuous(EntrySizer):
    """`fraction x (mu - rf) / sigma^2` for each symbol alone [Thorp 2006]; 0 without an edge.

    mu - rf, sigma^2 : mean and sample variance of the last `lookback` excess returns of the
    position: for a short entry mu - rf changes its sign. risk_free_rate : per year, accrued
    geometrically by the clock, or by `periods_per_year`. Less than half of the bars known: 0.
    """

    name: ClassVar[str] = "kelly_continuous"
    unit: ClassVar[int] = EQUITY_FRACTION
    risk_free_rate: float = number(0.0, above=-1.0)
    fraction: float = number(0.5, above=0.0)
    lookback: int = whole(250, least=2)
    max_leverage: float = number(1.0, above=0.0)
    periods_per_year: float | None = optional_number(above=0.0)

    def size(self, bars: BarPanel, sides: Floats) -> Floats:
        """See the base class."""
        free = free_returns(bars, self.risk_free_rate, self.periods_per_year)
        past = past_moments(bar_returns(bars.close) - free, self.lookback)
        bet = continuous_kelly(sides * past.mean, past.variance)
        enough = 2.0 * past.known >= self.lookback
        stake = long_only_bet(bet, share=self.fraction, cap=self.max_leverage)
        return np.where(enough, stake, 0.0)
