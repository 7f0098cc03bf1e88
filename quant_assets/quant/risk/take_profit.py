"""A target at a fixed distance from the entry."""

from dataclasses import dataclass
from typing import ClassVar

from quant_assets.core.parameters import number
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.memory import NOTHING, Memory
from quant_assets.quant.risk.base import ExitRule
from quant_assets.quant.risk.terms import TARGET_FRACTION, Floats

__all__ = ["TakeProfit"]


@dataclass(frozen=True, kw_only=True)
class TakeProfit(ExitRule):
    """Target of a long at `fill price x (1 + pct)`, of a short at `fill price x (1 - pct)`.

    A limit order: it fills at its price, or at a better open. Of stop and target inside one bar
    the stop is taken.
    """

    name: ClassVar[str] = "take_profit"
    kind: ClassVar[int] = TARGET_FRACTION
    pct: float = number(0.10, above=0.0)

    @property
    def memory(self) -> Memory:
        """See the base class."""
        return NOTHING

    def level(self, bars: BarPanel) -> Floats:
        """See the base class."""
        return self.everywhere(bars, self.pct)
