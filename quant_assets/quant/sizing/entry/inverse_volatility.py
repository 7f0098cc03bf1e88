"""Less of what swings more."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.core.parameters import number, whole
from quant_assets.quant.market.bar_panel import BarPanel, Floats
from quant_assets.quant.market.memory import Memory
from quant_assets.quant.moments.past import bar_returns, past_memory, past_moments
from quant_assets.quant.sizing.entry.base import FollowedSizer

__all__ = ["InverseVolatility"]


@dataclass(frozen=True, kw_only=True)
class InverseVolatility(FollowedSizer):
    """`gross x (1 / sigma_i) / sum_j (1 / sigma_j)` over the symbols of known volatility at bar t.

    sigma : standard deviation (ddof 1) of the returns of the last `lookback` bars; known when at
    least half of them are, and above 0. All symbols together are `gross`, whichever are entered.
    """

    name: ClassVar[str] = "inverse_volatility"
    gross: float = number(1.0, above=0.0)
    lookback: int = whole(60, least=2)

    @property
    def memory(self) -> Memory:
        """See the base class."""
        return past_memory(self.lookback).longer(1)

    def size(self, bars: BarPanel, sides: Floats) -> Floats:
        """See the base class."""
        del sides
        past = past_moments(bar_returns(bars.close), self.lookback)
        known = (2.0 * past.known >= self.lookback) & (past.variance > 0.0)
        inverse = np.where(known, 1.0 / np.sqrt(np.where(known, past.variance, 1.0)), 0.0)
        total = inverse.sum(axis=1, keepdims=True)
        return self.gross * inverse / np.where(total > 0.0, total, np.inf)
