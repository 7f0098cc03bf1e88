"""Return over all of the time."""

from dataclasses import dataclass
from typing import ClassVar

from quant_assets.quant.analytics.metrics import total_return
from quant_assets.quant.tuning.objectives.base import Floats, Objective

__all__ = ["TotalReturn"]


@dataclass(frozen=True, kw_only=True)
class TotalReturn(Objective):
    """Return over all of the time. See `analytics.total_return`."""

    name: ClassVar[str] = "total_return"

    def measure(self, returns: Floats, periods_per_year: float) -> float:
        """See the base class."""
        del periods_per_year
        return float(total_return(returns))
