"""A limit of one position."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from quant_assets.core.parameters import number
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.risk.base import ExposureLimit

__all__ = ["MaxPosition"]


@dataclass(frozen=True, kw_only=True)
class MaxPosition(ExposureLimit):
    """`|position x price| <= pct x equity`; of an entry what is beyond is not bought."""

    name: ClassVar[str] = "max_position"
    pct: float = number(0.05, above=0.0)

    def limits(self, bars: BarPanel) -> Mapping[str, Any]:
        """See the base class."""
        del bars
        return self.bounds("position", self.pct)
