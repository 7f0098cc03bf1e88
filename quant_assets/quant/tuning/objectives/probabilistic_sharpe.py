"""How sure it is that the Sharpe ratio is above a benchmark."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.core.parameters import number
from quant_assets.quant.statistics.sharpe_inference import probabilistic_sharpe_ratio
from quant_assets.quant.tuning.objectives.base import Floats, Objective

__all__ = ["ProbabilisticSharpe"]


@dataclass(frozen=True, kw_only=True)
class ProbabilisticSharpe(Objective):
    """Probability that the true Sharpe ratio exceeds `benchmark`, a Sharpe ratio a year."""

    name: ClassVar[str] = "probabilistic_sharpe"
    benchmark: float = number(0.0)

    def measure(self, returns: Floats, periods_per_year: float) -> float:
        """See the base class."""
        per_period = self.benchmark / np.sqrt(periods_per_year)
        return float(probabilistic_sharpe_ratio(returns, benchmark_sharpe=per_period))
