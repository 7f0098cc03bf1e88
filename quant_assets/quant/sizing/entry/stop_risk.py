"""The same risk for every entry, measured by its stop."""

from dataclasses import dataclass
from typing import ClassVar

from quant_assets.core.parameters import number
from quant_assets.quant.market.bar_panel import BarPanel, Floats
from quant_assets.quant.market.memory import NOTHING, Memory
from quant_assets.quant.sizing.entry.base import EntrySizer
from quant_assets.quant.sizing.entry.units import RISK_FRACTION

__all__ = ["StopRisk"]


@dataclass(frozen=True, kw_only=True)
class StopRisk(EntrySizer):
    """`risk x equity / distance from the fill price to the first stop` units.

    Whatever stop the risk rules set, meeting it costs `risk` of equity (before costs and gaps). The
    distance is known at the fill; an entry without a stop is refused.
    """

    name: ClassVar[str] = "stop_risk"
    unit: ClassVar[int] = RISK_FRACTION
    risk: float = number(0.01, above=0.0, below=1.0)

    @property
    def memory(self) -> Memory:
        """See the base class."""
        return NOTHING

    def size(self, bars: BarPanel, sides: Floats) -> Floats:
        """See the base class."""
        del sides
        return self.everywhere(bars, self.risk)
