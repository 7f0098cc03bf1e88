"""A limit of all positions together."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from quant_assets.core.parameters import number
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.risk.base import ExposureLimit

__all__ = ["MaxGross"]


@dataclass(frozen=True, kw_only=True)
class MaxGross(ExposureLimit):
    """`sum of |position x price| <= pct x equity`; 1.0: no borrowing. All are cut alike."""

    name: ClassVar[str] = "max_gross"
    pct: float = number(1.0, above=0.0)

    def limits(self, bars: BarPanel) -> Mapping[str, Any]:
        """See the base class."""
        del bars
        return self.bounds("gross", self.pct)
