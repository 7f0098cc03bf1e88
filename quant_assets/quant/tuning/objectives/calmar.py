"""Yearly growth over the deepest drawdown."""

from dataclasses import dataclass
from typing import ClassVar

from quant_assets.quant.analytics.metrics import calmar_ratio
from quant_assets.quant.tuning.objectives.base import Floats, Objective

__all__ = ["Calmar"]


@dataclass(frozen=True, kw_only=True)
class Calmar(Objective):
    """Yearly growth over the deepest drawdown. See `analytics.calmar_ratio`."""

    name: ClassVar[str] = "calmar"

    def measure(self, returns: Floats, periods_per_year: float) -> float:
        """See the base class."""
        return float(calmar_ratio(returns, periods_per_year))
