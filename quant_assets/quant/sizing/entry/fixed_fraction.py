"""The same share of equity for every entry."""

from dataclasses import dataclass
from typing import ClassVar

from quant_assets.core.parameters import number
from quant_assets.quant.market.bar_panel import BarPanel, Floats
from quant_assets.quant.market.memory import NOTHING, Memory
from quant_assets.quant.sizing.entry.base import EntrySizer
from quant_assets.quant.sizing.entry.units import EQUITY_FRACTION

__all__ = ["FixedFraction"]


@dataclass(frozen=True, kw_only=True)
class FixedFraction(EntrySizer):
    """`fraction` of the equity at the entry."""

    name: ClassVar[str] = "fixed_fraction"
    unit: ClassVar[int] = EQUITY_FRACTION
    fraction: float = number(0.05, above=0.0)

    @property
    def memory(self) -> Memory:
        """See the base class."""
        return NOTHING

    def size(self, bars: BarPanel, sides: Floats) -> Floats:
        """See the base class."""
        del sides
        return self.everywhere(bars, self.fraction)
