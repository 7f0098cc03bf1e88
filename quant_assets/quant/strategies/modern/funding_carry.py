"""Short what pays funding, long what costs none."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from quant_assets.core.parameters import choice, number, whole
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.strategies.columns import Rows
from quant_assets.quant.strategies.library_parts import (
    Floats,
    RowStrategy,
    ranked_weights,
    trailing_mean,
    turns,
)
from quant_assets.quant.strategies.signals import Signals

__all__ = ["FundingCarry"]


TURN, FUNDING = "day.turns", "funding.mean"


@dataclass(frozen=True, kw_only=True)
class FundingCarry(RowStrategy):
    """Each day short the `share` of highest funding and long that of lowest, half of equity each.

    Funding: mean of the known values of the bars' extra `funding_rate` over `lookback` bars, a
    fraction of notional that longs pay. `long`: the long half alone, with all of equity. Symbols
    without funding (spot) are left out.
    """

    name: ClassVar[str] = "funding_carry"
    source: ClassVar[str] = "Koijen, Moskowitz, Pedersen & Vrugt (2018), Carry"
    lookback: int = whole(72, least=1)
    share: float = number(0.3, above=0.0, most=0.5)
    sides: Literal["both", "long"] = choice("both", "long")

    @property
    def back(self) -> int:
        """See the base class."""
        return self.lookback

    def columns(self, bars: BarPanel) -> Mapping[str, Floats]:
        """Whether a day begins, and the mean funding so far."""
        return {
            TURN: turns(bars, "day"),
            FUNDING: trailing_mean(bars["funding_rate"], self.lookback),
        }

    def decide(self, rows: Rows) -> Signals:
        """See the base class."""
        paid = np.where(np.isnan(rows["close"]), np.nan, rows[FUNDING])
        weights = ranked_weights(rows.among(-paid), self.share, self.sides)
        return Signals(target=np.where(rows[TURN] > 0.0, weights, np.nan))
