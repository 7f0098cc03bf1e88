"""Low beta, levered, against high beta."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.core.parameters import number, whole
from quant_assets.quant.indicators.rolling_pairs import RollingBeta
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.strategies.columns import Rows
from quant_assets.quant.strategies.library_parts import (
    Floats,
    RowStrategy,
    best,
    count_of,
    equal_parts,
    turns,
)
from quant_assets.quant.strategies.signals import Signals

__all__ = ["BettingAgainstBeta"]


TURN, BETA = "month.turns", "market.beta"


@dataclass(frozen=True, kw_only=True)
class BettingAgainstBeta(RowStrategy):
    """Each month long the `share` of lowest beta and short that of highest, each scaled to beta 1.

    Beta: slope on the mean return of all symbols over `lookback` bars, shrunk to 0.6 beta + 0.4.
    Both legs are then scaled together so that their absolute weights sum to `gross`.
    """

    name: ClassVar[str] = "betting_against_beta"
    source: ClassVar[str] = "Frazzini & Pedersen (2014), Betting Against Beta"
    lookback: int = whole(252, least=3)
    share: float = number(0.3, above=0.0, most=0.5)
    gross: float = number(1.0, above=0.0)

    @property
    def back(self) -> int:
        """See the base class."""
        return self.lookback

    def columns(self, bars: BarPanel) -> Mapping[str, Floats]:
        """Whether a month begins, and the shrunk beta."""
        returns = np.full_like(bars.close, np.nan)
        returns[1:] = bars.close[1:] / bars.close[:-1] - 1.0
        n = (~np.isnan(returns)).sum(axis=1, keepdims=True)
        market = np.where(
            n > 0, np.nansum(returns, axis=1, keepdims=True) / np.maximum(n, 1), np.nan
        )
        beta = RollingBeta(self.lookback).compute(returns, np.broadcast_to(market, returns.shape))
        return {TURN: turns(bars, "month"), BETA: 0.6 * beta + 0.4}

    def decide(self, rows: Rows) -> Signals:
        """See the base class."""
        beta = rows.among(np.where(rows[BETA] > 0.0, rows[BETA], np.nan))
        n = count_of(beta, self.share)
        ranked = (~np.isnan(beta)).sum(axis=1, keepdims=True) >= 2
        low, high = (equal_parts(best(one, n) & ranked) for one in (-beta, beta))
        betas = [np.nansum(leg * beta, axis=1, keepdims=True) for leg in (low, high)]
        raw = low / np.where(betas[0] > 0.0, betas[0], 1.0)
        raw = raw - high / np.where(betas[1] > 0.0, betas[1], 1.0)
        total = np.abs(raw).sum(axis=1, keepdims=True)
        weights = self.gross * raw / np.where(total > 0.0, total, 1.0)
        return Signals(target=np.where(rows[TURN] > 0.0, weights, np.nan))
