"""Losers of the last week against its winners."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from quant_assets.core.parameters import choice, number, whole
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.strategies.columns import Rows
from quant_assets.quant.strategies.library_parts import Floats, RowStrategy, ranked_weights, turns
from quant_assets.quant.strategies.signals import Signals

__all__ = ["ShortTermReversal"]


TURN = "week.turns"


@dataclass(frozen=True, kw_only=True)
class ShortTermReversal(RowStrategy):
    """Each week long the `share` that lost most over `lookback` bars, short the best (`both`)."""

    name: ClassVar[str] = "short_term_reversal"
    source: ClassVar[str] = "Lehmann (1990), Fads, Martingales, and Market Efficiency"
    lookback: int = whole(5, least=1)
    share: float = number(0.2, above=0.0, most=0.5)
    sides: Literal["both", "long"] = choice("both", "long")

    @property
    def back(self) -> int:
        """See the base class."""
        return self.lookback

    def columns(self, bars: BarPanel) -> Mapping[str, Floats]:
        """See the base class."""
        return {TURN: turns(bars, "week")}

    def decide(self, rows: Rows) -> Signals:
        """See the base class."""
        loss = -rows["close"] / rows.before("close", self.lookback)
        weights = ranked_weights(rows.among(loss), self.share, self.sides)
        return Signals(target=np.where(rows[TURN] > 0.0, weights, np.nan))
