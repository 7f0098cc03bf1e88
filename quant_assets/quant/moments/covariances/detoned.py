"""The market mode taken out of the correlation."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.core.errors import ConfigError
from quant_assets.quant.moments.covariances.base import (
    CovarianceEstimator,
    Floats,
    eigen_falling,
    to_correlation,
    to_covariance,
)
from quant_assets.quant.moments.covariances.sample import SampleCovariance
from quant_assets.quant.moments.rows import gram


@dataclass(frozen=True)
class DetonedCovariance(CovarianceEstimator):
    """Correlation without its `n_markets` largest modes, its diagonal scaled back to 1.

    Lopez de Prado, Machine Learning for Asset Managers (2020), section 2.6. Singular by design:
    made for clustering, not for inversion.
    """

    name: ClassVar[str] = "detoned"
    takes_pairs: ClassVar[bool] = True
    n_markets: int = 1

    def __post_init__(self) -> None:
        if self.n_markets < 0:
            raise ConfigError(f"n_markets is {self.n_markets}; give 0 or more")

    def estimate(self, rows: Floats) -> Floats:
        """Detone the sample covariance."""
        return self.from_sample(SampleCovariance().estimate(rows), len(rows))

    def from_sample(self, covariance: Floats, n_rows: int) -> Floats:  # noqa: ARG002 - base
        """Keep the variances, detone the correlation."""
        correlation, volatility = to_correlation(covariance)
        values, vectors = eigen_falling(correlation)
        kept = slice(min(self.n_markets, len(values) - 1), None)
        half = vectors[:, kept] * np.sqrt(np.maximum(values[kept], 0.0))
        return to_covariance(to_correlation(gram(half.T))[0], volatility)
