"""The calmest symbols."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from quant_assets.core.parameters import choice, number, whole
from quant_assets.quant.indicators.volatility_realized import CloseToCloseVolatility
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.strategies.columns import Line, Rows
from quant_assets.quant.strategies.library_parts import Floats, RowStrategy, ranked_weights, turns
from quant_assets.quant.strategies.signals import Signals

__all__ = ["LowVolatility"]


TURN = "month.turns"


@dataclass(frozen=True, kw_only=True)
class LowVolatility(RowStrategy):
    """Each month the `share` with the lowest volatility of the last `lookback` bars, equally.

    `both`: half of equity, against a short half in the most volatile ones.
    """

    name: ClassVar[str] = "low_volatility"
    source: ClassVar[str] = "Blitz & van Vliet (2007), The Volatility Effect"
    lookback: int = whole(252, least=2)
    share: float = number(0.3, above=0.0, most=0.5)
    sides: Literal["long", "both"] = choice("long", "both")

    def lines(self) -> tuple[Line, ...]:
        """See the base class."""
        return (Line(CloseToCloseVolatility(self.lookback)),)

    def columns(self, bars: BarPanel) -> Mapping[str, Floats]:
        """See the base class."""
        return {TURN: turns(bars, "month")}

    def decide(self, rows: Rows) -> Signals:
        """See the base class."""
        weights = ranked_weights(rows.among(-rows[self.lines()[0]]), self.share, self.sides)
        return Signals(target=np.where(rows[TURN] > 0.0, weights, np.nan))
