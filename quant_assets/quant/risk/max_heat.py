"""A limit of what all stops together would cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from quant_assets.core.parameters import number
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.risk.base import LimitRule

__all__ = ["MaxHeat"]


@dataclass(frozen=True, kw_only=True)
class MaxHeat(LimitRule):
    """`sum of quantity x distance to its stop <= pct x equity` at every entry (portfolio heat).

    A position without a stop risks its whole value.
    """

    name: ClassVar[str] = "max_heat"
    pct: float = number(0.06, above=0.0)

    def limits(self, bars: BarPanel) -> Mapping[str, Any]:
        """See the base class."""
        del bars
        return {"max_heat": self.pct}
