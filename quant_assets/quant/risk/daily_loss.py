"""An end to a bad day."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from quant_assets.core.parameters import number
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.risk.base import LimitRule

__all__ = ["DailyLoss"]


@dataclass(frozen=True, kw_only=True)
class DailyLoss(LimitRule):
    """No position for the rest of a day that has lost `pct` of the equity at its start.

    What is open is closed at the next fill. Days are sessions where the bars know them,
    else those of UTC.
    """

    name: ClassVar[str] = "daily_loss"
    pct: float = number(0.03, above=0.0, below=1.0)

    def limits(self, bars: BarPanel) -> Mapping[str, Any]:
        """See the base class."""
        del bars
        return {"daily_loss": self.pct}
