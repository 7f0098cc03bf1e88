"""The correlation in place of the covariance."""

from dataclasses import dataclass, field
from typing import ClassVar

from quant_assets.quant.moments.covariances.base import (
    CovarianceEstimator,
    Floats,
    to_correlation,
)
from quant_assets.quant.moments.covariances.ledoit_wolf import LedoitWolf


@dataclass(frozen=True)
class Correlation(CovarianceEstimator):
    """Correlation of another estimate: what the covariance is when every volatility is 1."""

    name: ClassVar[str] = "correlation"
    of: CovarianceEstimator = field(default_factory=LedoitWolf)

    def estimate(self, rows: Floats) -> Floats:
        """`D^-1 S D^-1`, S the estimate of `of`."""
        return to_correlation(self.of.estimate(rows))[0]
