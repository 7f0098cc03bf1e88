"""The same money for every entry."""

from dataclasses import dataclass
from typing import ClassVar

from quant_assets.core.parameters import number
from quant_assets.quant.market.bar_panel import BarPanel, Floats
from quant_assets.quant.market.memory import NOTHING, Memory
from quant_assets.quant.sizing.entry.base import EntrySizer
from quant_assets.quant.sizing.entry.units import NOTIONAL

__all__ = ["FixedDollar"]


@dataclass(frozen=True, kw_only=True)
class FixedDollar(EntrySizer):
    """`amount` of the account currency per entry: `amount / price` units, floored to lots."""

    name: ClassVar[str] = "fixed_dollar"
    unit: ClassVar[int] = NOTIONAL
    amount: float = number(10_000.0, above=0.0)

    @property
    def memory(self) -> Memory:
        """See the base class."""
        return NOTHING

    def size(self, bars: BarPanel, sides: Floats) -> Floats:
        """See the base class."""
        del sides
        return self.everywhere(bars, self.amount)
