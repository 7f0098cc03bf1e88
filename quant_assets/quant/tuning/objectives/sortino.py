"""Annualised Sortino ratio."""

from dataclasses import dataclass
from typing import ClassVar

from quant_assets.quant.analytics.metrics import sortino_ratio
from quant_assets.quant.tuning.objectives.base import Floats, Objective

__all__ = ["Sortino"]


@dataclass(frozen=True, kw_only=True)
class Sortino(Objective):
    """Annualised Sortino ratio. See `analytics.sortino_ratio`."""

    name: ClassVar[str] = "sortino"

    def measure(self, returns: Floats, periods_per_year: float) -> float:
        """See the base class."""
        return float(sortino_ratio(returns, periods_per_year))
