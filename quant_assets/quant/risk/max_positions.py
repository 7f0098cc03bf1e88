"""A limit of how many positions are open."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from quant_assets.core.parameters import whole
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.risk.base import LimitRule

__all__ = ["MaxPositions"]


@dataclass(frozen=True, kw_only=True)
class MaxPositions(LimitRule):
    """No entry beyond `count` open positions; the strongest signals of a bar come first."""

    name: ClassVar[str] = "max_positions"
    count: int = whole(10, least=1)

    def limits(self, bars: BarPanel) -> Mapping[str, Any]:
        """See the base class."""
        del bars
        return {"max_positions": self.count}
