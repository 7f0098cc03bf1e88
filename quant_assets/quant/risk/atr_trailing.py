"""A stop that follows the best price at some average true ranges."""

from dataclasses import dataclass
from typing import ClassVar

from quant_assets.core.parameters import number, whole
from quant_assets.quant.indicators.volatility import atr
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.risk.base import ExitRule
from quant_assets.quant.risk.terms import TRAIL_PRICE, Floats

__all__ = ["AtrTrailing"]


@dataclass(frozen=True, kw_only=True)
class AtrTrailing(ExitRule):
    """Stop of a long at `highest - multiple x ATR(n)`, of a short at `lowest + multiple x ATR(n)`.

    Chandelier exit (Le Beau; Elder 2002) with the ATR of the decision bar; extremes of completed
    bars alone. Before n bars are known there is no stop.
    """

    name: ClassVar[str] = "atr_trailing"
    kind: ClassVar[int] = TRAIL_PRICE
    multiple: float = number(3.0, above=0.0)
    n: int = whole(14, least=1)

    def level(self, bars: BarPanel) -> Floats:
        """See the base class."""
        return self.multiple * atr(bars.high, bars.low, bars.close, self.n)
