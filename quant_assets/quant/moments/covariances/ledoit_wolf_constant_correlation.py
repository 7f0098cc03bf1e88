"""Linear shrinkage towards the constant-correlation matrix."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.quant.moments.covariances.base import (
    CovarianceEstimator,
    Floats,
    to_correlation,
)
from quant_assets.quant.moments.rows import gram


@dataclass(frozen=True)
class LedoitWolfConstantCorrelation(CovarianceEstimator):
    """Sample covariance (1/T) shrunk towards equal correlations and the sample's variances.

    Ledoit & Wolf, "Honey, I shrunk the sample covariance matrix" (2004), appendices A and B. The
    mean correlation is not below -1/(n - 1), so that the target is positive semidefinite.
    """

    name: ClassVar[str] = "ledoit_wolf_constant_correlation"

    def estimate(self, rows: Floats) -> Floats:
        """`(1 - s) S + s F`, F the target."""
        return shrink_to_constant_correlation(rows)[0]


def shrink_to_constant_correlation(rows: Floats) -> tuple[Floats, float]:
    """Covariance and the intensity s in [0, 1]."""
    n_rows, n_assets = rows.shape
    centred = rows - rows.mean(axis=0)
    sample = gram(centred) / n_rows
    if n_assets == 1:
        return sample, 0.0
    correlation, volatility = to_correlation(sample)
    mean_correlation = (float(correlation.sum()) - n_assets) / (n_assets * (n_assets - 1))
    mean_correlation = max(mean_correlation, -1.0 / (n_assets - 1))
    target = mean_correlation * (volatility * volatility[:, None])
    variance = np.diag(sample).copy()
    np.fill_diagonal(target, variance)
    gamma = float(((target - sample) ** 2).sum())
    # a target that equals the sample leaves nothing to shrink
    if gamma <= np.finfo(np.float64).eps * float(np.vdot(sample, sample)):
        return sample, 0.0
    squares = centred * centred
    pi = gram(squares) / n_rows - sample * sample
    theta = (squares * centred).T @ centred / n_rows - variance[:, None] * sample
    inverse = np.zeros_like(volatility)
    np.divide(1.0, volatility, out=inverse, where=volatility > 0)
    scaled = theta * inverse[:, None] * volatility
    off_diagonal = float(scaled.sum()) - float(np.trace(scaled))
    rho = float(np.trace(pi)) + mean_correlation * off_diagonal
    intensity = float(np.clip((float(pi.sum()) - rho) / gamma / n_rows, 0.0, 1.0))
    return (1.0 - intensity) * sample + intensity * target, intensity
