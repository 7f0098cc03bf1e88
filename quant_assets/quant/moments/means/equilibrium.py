"""The means at which a given portfolio is optimal."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.moments.covariances.base import CovarianceEstimator
from quant_assets.quant.moments.covariances.ledoit_wolf import LedoitWolf
from quant_assets.quant.moments.means.base import Floats, MeanEstimator

SHRUNK = LedoitWolf()


@dataclass(frozen=True)
class EquilibriumMean(MeanEstimator):
    """`risk_aversion * Sigma w`: reverse optimisation of the market portfolio (Sharpe 1974).

    `weights` (asset,) are the market's, None for equal ones. Excess returns per period.
    """

    name: ClassVar[str] = "equilibrium"
    risk_aversion: float = 2.5
    weights: tuple[float, ...] | None = None
    covariance: CovarianceEstimator = SHRUNK

    def __post_init__(self) -> None:
        if not self.risk_aversion > 0:
            raise ConfigError(f"risk_aversion is {self.risk_aversion}; give a positive number")

    def estimate(self, rows: Floats) -> Floats:
        """Multiply the covariance with the market's weights."""
        n_assets = rows.shape[1]
        weights = np.full(n_assets, 1.0 / n_assets)
        if self.weights is not None:
            weights = np.asarray(self.weights, dtype=np.float64)
        if weights.shape != (n_assets,) or not np.isfinite(weights).all():
            raise DataError(f"{n_assets} assets, but market weights {self.weights}")
        return np.asarray(self.risk_aversion * (self.covariance.estimate(rows) @ weights))
