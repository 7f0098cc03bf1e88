"""A limit of what longs and shorts leave."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from quant_assets.core.parameters import number
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.risk.base import ExposureLimit

__all__ = ["MaxNet"]


@dataclass(frozen=True, kw_only=True)
class MaxNet(ExposureLimit):
    """`|sum of position x price| <= pct x equity`; the larger side is cut."""

    name: ClassVar[str] = "max_net"
    pct: float = number(1.0, above=0.0)

    def limits(self, bars: BarPanel) -> Mapping[str, Any]:
        """See the base class."""
        del bars
        return self.bounds("net", self.pct)
