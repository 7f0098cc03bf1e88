"""Compound growth a year."""

from dataclasses import dataclass
from typing import ClassVar

from quant_assets.quant.analytics.metrics import cagr
from quant_assets.quant.tuning.objectives.base import Floats, Objective

__all__ = ["Growth"]


@dataclass(frozen=True, kw_only=True)
class Growth(Objective):
    """Compound growth a year. See `analytics.cagr`."""

    name: ClassVar[str] = "cagr"

    def measure(self, returns: Floats, periods_per_year: float) -> float:
        """See the base class."""
        return float(cagr(returns, periods_per_year))
