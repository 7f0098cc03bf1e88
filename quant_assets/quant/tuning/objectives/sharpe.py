"""Annualised Sharpe ratio."""

from dataclasses import dataclass
from typing import ClassVar

from quant_assets.quant.analytics.metrics import sharpe_ratio
from quant_assets.quant.tuning.objectives.base import Floats, Objective

__all__ = ["Sharpe"]


@dataclass(frozen=True, kw_only=True)
class Sharpe(Objective):
    """Annualised Sharpe ratio. See `analytics.sharpe_ratio`."""

    name: ClassVar[str] = "sharpe"

    def measure(self, returns: Floats, periods_per_year: float) -> float:
        """See the base class."""
        return float(sharpe_ratio(returns, periods_per_year))
