"""A part of the bid-ask spread: what a taker pays against the middle."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.core.parameters import number
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.memory import NOTHING, Memory
from quant_assets.quant.simulation.execution.slippage.base import (
    NO_SLIPPAGE,
    ImpactArrays,
    SlippageModel,
)
from quant_assets.quant.simulation.execution.terms import SlippageTerms


@dataclass(frozen=True, kw_only=True)
class HalfSpread(SlippageModel):
    """`share x spread[t, symbol]`, the spread relative to the price, from the column `spread`.

    share : 0.5 is half of the spread, what crossing from the middle costs. unknown_bps : the
    spread of bars that do not know theirs, in basis points. Bars without the column are a
    `DataError`.
    """

    name: ClassVar[str] = "half_spread"
    share: float = number(0.5, above=0.0)
    unknown_bps: float = number(10.0, least=0.0)

    def terms(self) -> SlippageTerms:
        """See the base class."""
        return NO_SLIPPAGE._replace(half_spread=self.share)

    @property
    def memory(self) -> Memory:
        """See the base class."""
        return NOTHING

    def arrays(self, bars: BarPanel) -> ImpactArrays:
        """See the base class; the spread of bar t is the one that its fills meet."""
        spread = np.maximum(bars["spread"], 0.0)
        spread[np.isnan(spread)] = self.unknown_bps / 10_000.0
        return ImpactArrays(spread=spread)
