"""Gains over losses."""

from dataclasses import dataclass
from typing import ClassVar

from quant_assets.quant.analytics.metrics import omega_ratio
from quant_assets.quant.tuning.objectives.base import Floats, Objective

__all__ = ["Omega"]


@dataclass(frozen=True, kw_only=True)
class Omega(Objective):
    """Gains over losses. See `analytics.omega_ratio`."""

    name: ClassVar[str] = "omega"

    def measure(self, returns: Floats, periods_per_year: float) -> float:
        """See the base class."""
        del periods_per_year
        return float(omega_ratio(returns))
