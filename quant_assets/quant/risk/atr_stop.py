"""A stop at some average true ranges from the entry."""

from dataclasses import dataclass
from typing import ClassVar

from quant_assets.core.parameters import number, whole
from quant_assets.quant.indicators.volatility import atr
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.risk.base import ExitRule
from quant_assets.quant.risk.terms import STOP_PRICE, Floats

__all__ = ["AtrStop"]


@dataclass(frozen=True, kw_only=True)
class AtrStop(ExitRule):
    """Stop of a long at `fill price - multiple x ATR(n)`, of a short above it.

    The ATR (Wilder 1978) is that of the decision bar and stays fixed for the trade, as in the
    turtle rules (2 N). Before n bars are known there is no stop.
    """

    name: ClassVar[str] = "atr_stop"
    kind: ClassVar[int] = STOP_PRICE
    multiple: float = number(2.0, above=0.0)
    n: int = whole(14, least=1)

    def level(self, bars: BarPanel) -> Floats:
        """See the base class."""
        return self.multiple * atr(bars.high, bars.low, bars.close, self.n)
