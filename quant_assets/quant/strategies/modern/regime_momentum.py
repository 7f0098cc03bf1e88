"""Momentum across symbols, only after good times of the market."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.core.parameters import number, whole
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.strategies.columns import Rows
from quant_assets.quant.strategies.library_parts import Floats, RowStrategy, ranked_weights, turns
from quant_assets.quant.strategies.signals import Signals

__all__ = ["RegimeMomentum"]


TURN, INDEX = "month.turns", "market.index"


@dataclass(frozen=True, kw_only=True)
class RegimeMomentum(RowStrategy):
    """Winners against losers, half and half, while the market has risen over `market` bars.

    The market is the mean return of all symbols with a close, since their last one; in the month
    after a falling one nothing is held.
    """

    name: ClassVar[str] = "regime_momentum"
    source: ClassVar[str] = "Cooper, Gutierrez & Hameed (2004), Market States and Momentum"
    lookback: int = whole(126, least=2)
    skip: int = whole(21, least=0)
    market: int = whole(504, least=2)
    share: float = number(0.3, above=0.0, most=0.5)

    @property
    def back(self) -> int:
        """See the base class."""
        return max(self.lookback, self.market)

    def columns(self, bars: BarPanel) -> Mapping[str, Floats]:
        """Whether a month begins, and the sum of the market's log returns."""
        last = np.where(np.isnan(bars.close), -1, np.arange(len(bars))[:, None])
        earlier = np.maximum.accumulate(last, axis=0)[:-1]
        known = np.zeros(bars.close.shape, dtype=np.bool_)
        known[1:] = (last[1:] >= 0) & (earlier >= 0)
        levels, returns = np.log(bars.close), np.zeros_like(bars.close)
        before = np.take_along_axis(levels, np.maximum(earlier, 0), axis=0)
        returns[1:] = np.where(known[1:], levels[1:] - before, 0.0)
        index = np.cumsum(returns.sum(axis=1) / np.maximum(known.sum(axis=1), 1.0))
        level = np.ascontiguousarray(np.broadcast_to(index[:, None], bars.close.shape))
        return {TURN: turns(bars, "month"), INDEX: level}

    def decide(self, rows: Rows) -> Signals:
        """See the base class."""
        gain = rows.before("close", self.skip) / rows.before("close", self.lookback)
        good = rows[INDEX] > rows.before(INDEX, self.market)
        weights = np.where(good, ranked_weights(rows.among(gain), self.share, "both"), 0.0)
        return Signals(target=np.where(rows[TURN] > 0.0, weights, np.nan))
