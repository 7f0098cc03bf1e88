"""A factor model whose factors are the leading principal components."""

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
class StatisticalFactorModel(CovarianceEstimator):
    """Leading modes of the correlation, everything else specific to its asset (diagonal).

    Connor & Korajczyk (1986) on standardised returns. `n_factors` None keeps the modes above the
    Marchenko-Pastur edge `(1 + sqrt(n/T))^2`, at least one. The variances are the sample's.
    """

    name: ClassVar[str] = "statistical_factors"
    takes_pairs: ClassVar[bool] = True
    n_factors: int | None = None

    def __post_init__(self) -> None:
        if self.n_factors is not None and self.n_factors < 1:
            raise ConfigError(f"n_factors is {self.n_factors}; give 1 or more, or None")

    def estimate(self, rows: Floats) -> Floats:
        """Model the sample covariance."""
        return self.from_sample(SampleCovariance().estimate(rows), len(rows))

    def from_sample(self, covariance: Floats, n_rows: int) -> Floats:
        """`D (V L V' + diag(1 - diag(V L V'))) D`."""
        correlation, volatility = to_correlation(covariance)
        values, vectors = eigen_falling(correlation)
        count = self.n_factors or _above_edge(values, n_rows)
        half = vectors[:, :count] * np.sqrt(np.maximum(values[:count], 0.0))
        common = gram(half.T)
        np.fill_diagonal(common, 1.0)
        return to_covariance(common, volatility)


def _above_edge(values: Floats, n_rows: int) -> int:
    edge = (1.0 + np.sqrt(len(values) / n_rows)) ** 2
    return max(int((values > edge).sum()), 1)
