"""Near the highest price of the year."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from quant_assets.core.parameters import choice, number, whole
from quant_assets.quant.indicators.channels import DonchianChannels
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.strategies.columns import Line, Rows
from quant_assets.quant.strategies.library_parts import Floats, RowStrategy, ranked_weights, turns
from quant_assets.quant.strategies.signals import Signals

__all__ = ["High52Week"]


TURN = "month.turns"


@dataclass(frozen=True, kw_only=True)
class High52Week(RowStrategy):
    """Each month long the `share` whose close is nearest to the highest high of `lookback` bars.

    `both`: half of equity, against a short half in those that are farthest from it.
    """

    name: ClassVar[str] = "high_52_week"
    source: ClassVar[str] = "George & Hwang (2004), The 52-Week High and Momentum Investing"
    lookback: int = whole(252, least=2)
    share: float = number(0.3, above=0.0, most=0.5)
    sides: Literal["both", "long"] = choice("both", "long")

    def lines(self) -> tuple[Line, ...]:
        """See the base class."""
        return (Line(DonchianChannels(self.lookback), "upper"),)

    def columns(self, bars: BarPanel) -> Mapping[str, Floats]:
        """See the base class."""
        return {TURN: turns(bars, "month")}

    def decide(self, rows: Rows) -> Signals:
        """See the base class."""
        nearness = rows["close"] / rows[self.lines()[0]]
        weights = ranked_weights(rows.among(nearness), self.share, self.sides)
        return Signals(target=np.where(rows[TURN] > 0.0, weights, np.nan))
