"""Deepest drawdown, at most 0."""

from dataclasses import dataclass
from typing import ClassVar

from quant_assets.quant.analytics.metrics import max_drawdown
from quant_assets.quant.tuning.objectives.base import Floats, Objective

__all__ = ["MaxDrawdown"]


@dataclass(frozen=True, kw_only=True)
class MaxDrawdown(Objective):
    """Deepest drawdown, at most 0. See `analytics.max_drawdown`."""

    name: ClassVar[str] = "max_drawdown"

    def measure(self, returns: Floats, periods_per_year: float) -> float:
        """See the base class."""
        del periods_per_year
        return float(max_drawdown(returns))
