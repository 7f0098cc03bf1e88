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

    The market is the mean return of all symbols; in the month after a falling one nothing is held.
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
        returns = np.zeros_like(bars.close)
        returns[1:] = np.nan_to_num(np.diff(np.log(bars.close), axis=0))
        known = np.ones_like(bars.close)
        known[1:] = ~np.isnan(np.diff(bars.close, axis=0))
        index = np.cumsum(returns.sum(axis=1) / np.maximum(known.sum(axis=1), 1.0))
        level = np.ascontiguousarray(np.broadcast_to(index[:, None], bars.close.shape))
        return {TURN: turns(bars, "month"), INDEX: level}

    def decide(self, rows: Rows) -> Signals:
        """See the base class."""
        gain = rows.before("close", self.skip) / rows.before("close", self.lookback)
        good = rows[INDEX] > rows.before(INDEX, self.market)
        weights = np.where(good, ranked_weights(gain, self.share, "both"), 0.0)
        return Signals(target=np.where(rows[TURN] > 0.0, weights, np.nan))
