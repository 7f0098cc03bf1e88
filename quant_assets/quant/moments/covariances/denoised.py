"""Noise of the correlation's spectrum replaced by its mean."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.quant.moments.covariances.base import (
    CovarianceEstimator,
    Floats,
    eigen_falling,
    to_correlation,
    to_covariance,
)
from quant_assets.quant.moments.covariances.sample import SampleCovariance
from quant_assets.quant.moments.rows import gram

BANDWIDTH = 0.01
GRID = 1000
LEAST, MOST = 1e-5, 1.0 - 1e-5


@dataclass(frozen=True)
class DenoisedCovariance(CovarianceEstimator):
    """Eigenvalues of the correlation below the Marchenko-Pastur edge get their common mean.

    Lopez de Prado, Machine Learning for Asset Managers (2020), section 2.5.1 (constant residual
    eigenvalue): the noise variance is the one whose Marchenko-Pastur density is nearest to a
    Gaussian kernel estimate (bandwidth 0.01) of the spectrum.
    """

    name: ClassVar[str] = "denoised"
    takes_pairs: ClassVar[bool] = True

    def estimate(self, rows: Floats) -> Floats:
        """Denoise the sample covariance."""
        return self.from_sample(SampleCovariance().estimate(rows), len(rows))

    def from_sample(self, covariance: Floats, n_rows: int) -> Floats:
        """Keep the variances, denoise the correlation."""
        correlation, volatility = to_correlation(covariance)
        return to_covariance(denoised_correlation(correlation, n_rows), volatility)


def denoised_correlation(correlation: Floats, n_rows: int) -> Floats:
    """Correlation with its noise eigenvalues averaged, its diagonal scaled back to 1."""
    n_assets = len(correlation)
    if n_assets == 1:
        return correlation
    values, vectors = eigen_falling(correlation)
    ratio = n_rows / n_assets
    edge = noise_variance(values, ratio) * (1.0 + np.sqrt(1.0 / ratio)) ** 2
    noise = values <= edge
    if noise.any():
        values = np.where(noise, values[noise].mean(), values)
    half = vectors * np.sqrt(np.maximum(values, 0.0))
    return to_correlation(gram(half.T))[0]


def noise_variance(values: Floats, ratio: float) -> float:
    """Variance in (0, 1) of the Marchenko-Pastur law nearest to `values`; `ratio` = T / n."""
    from scipy.optimize import minimize_scalar

    unit = _unit_grid(ratio)

    def distance(variance: float) -> float:
        points = variance * unit
        difference = _kernel_density(values, points) - _marchenko_pastur(points, variance, ratio)
        return float(difference @ difference)

    # the distance has several valleys: look at all of (0, 1) before going down into the deepest
    coarse = np.linspace(0.05, 0.95, 19)
    best = float(coarse[int(np.argmin([distance(float(v)) for v in coarse]))])
    bounds = (max(best - 0.05, LEAST), min(best + 0.05, MOST))
    found = minimize_scalar(distance, bounds=bounds, method="bounded", options={"xatol": 1e-6})
    return float(found.x)


def _unit_grid(ratio: float) -> Floats:
    root = np.sqrt(1.0 / ratio)
    return np.linspace(max((1.0 - root) ** 2, 1e-9), (1.0 + root) ** 2, GRID)


def _marchenko_pastur(points: Floats, variance: float, ratio: float) -> Floats:
    low, high = points[0], points[-1]
    root = np.sqrt(np.maximum((high - points) * (points - low), 0.0))
    return np.asarray(ratio / (2.0 * np.pi * variance * points) * root)


def _kernel_density(values: Floats, points: Floats) -> Floats:
    """Gaussian kernel estimate at `points`; eigenvalues further than 9 bandwidths add nothing."""
    near = values[values < points[-1] + 9.0 * BANDWIDTH]
    z = (points[:, None] - near) / BANDWIDTH
    kernels = np.exp(-0.5 * z * z).sum(axis=1)
    return np.asarray(kernels / (len(values) * BANDWIDTH * np.sqrt(2.0 * np.pi)))
