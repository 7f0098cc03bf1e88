"""The strongest, if it is strong enough."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.core.parameters import number, whole
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.strategies.columns import Rows
from quant_assets.quant.strategies.library_parts import (
    Floats,
    RowStrategy,
    best,
    equal_parts,
    turns,
)
from quant_assets.quant.strategies.signals import Signals

__all__ = ["DualMomentum"]


TURN = "month.turns"


@dataclass(frozen=True, kw_only=True)
class DualMomentum(RowStrategy):
    """Each month the `top` symbols by return over `lookback` bars, those of them above `threshold`.

    Each has 1 / `top` of equity; the part of one that did not rise enough stays in cash.
    """

    name: ClassVar[str] = "dual_momentum"
    source: ClassVar[str] = "Antonacci (2014), Dual Momentum Investing"
    lookback: int = whole(252, least=1)
    top: int = whole(1, least=1)
    threshold: float = number(0.0, above=-1.0)

    @property
    def back(self) -> int:
        """See the base class."""
        return self.lookback

    def columns(self, bars: BarPanel) -> Mapping[str, Floats]:
        """See the base class."""
        return {TURN: turns(bars, "month")}

    def decide(self, rows: Rows) -> Signals:
        """See the base class."""
        gain = rows.among(rows["close"] / rows.before("close", self.lookback) - 1.0)
        strongest = best(gain, self.top)
        share = equal_parts(strongest).max(axis=1, keepdims=True, initial=0.0)
        part = np.minimum(share, 1.0 / self.top)
        weights = np.where(strongest & (gain > self.threshold), part, 0.0)
        return Signals(target=np.where(rows[TURN] > 0.0, weights, np.nan))
