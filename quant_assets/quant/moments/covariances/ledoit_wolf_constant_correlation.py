"""Linear shrinkage towards the constant-correlation matrix."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.core.workspace import Scratch, scratch
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
    """Covariance and the intensity s in [0, 1]. Its steps take part in a `NumericalWorkspace`."""
    n_assets = rows.shape[1]
    with scratch() as space:
        centred = np.subtract(rows, rows.mean(axis=0), out=space.array(*rows.shape))
        sample = gram(centred)
        sample /= len(rows)
        if n_assets == 1:
            return sample, 0.0
        mean_correlation = _mean_correlation(sample)
        target = _target(sample, mean_correlation, space)
        gamma = _distance(target, sample)
        # a target that equals the sample leaves nothing to shrink
        if gamma <= np.finfo(np.float64).eps * float(np.vdot(sample, sample)):
            return sample, 0.0
        total, rho = _errors(centred, sample, mean_correlation)
        intensity = float(np.clip((total - rho) / gamma / len(rows), 0.0, 1.0))
        sample *= 1.0 - intensity
        target = np.multiply(intensity, target, out=space.over(target))
        sample += target
    return sample, intensity


def _mean_correlation(sample: Floats) -> float:
    """Mean of the correlations of different assets, not below -1/(n - 1)."""
    n_assets = len(sample)
    with scratch() as space:
        correlation = to_correlation(sample, out=space.array(*sample.shape))[0]
        mean = (float(correlation.sum()) - n_assets) / (n_assets * (n_assets - 1))
    return max(mean, -1.0 / (n_assets - 1))


def _target(sample: Floats, mean_correlation: float, space: Scratch) -> Floats:
    """Covariance with the sample's variances in which all correlations are the mean one."""
    variance = np.diag(sample)
    volatility = np.sqrt(np.maximum(variance, 0.0))
    target = np.multiply(volatility, volatility[:, None], out=space.array(*sample.shape))
    target = np.multiply(mean_correlation, target, out=space.over(target))
    np.fill_diagonal(target, variance)
    return target


def _distance(target: Floats, sample: Floats) -> float:
    with scratch() as space:
        gap = np.subtract(target, sample, out=space.array(*sample.shape))
        return float(np.square(gap, out=space.over(gap)).sum())


def _errors(centred: Floats, sample: Floats, mean_correlation: float) -> tuple[float, float]:
    """Sum of the sample's asymptotic variances, and rho: of its covariances with the target's."""
    n_rows, variance = len(centred), np.diag(sample)
    volatility = np.sqrt(np.maximum(variance, 0.0))
    inverse = np.zeros_like(volatility)
    np.divide(1.0, volatility, out=inverse, where=volatility > 0)
    with scratch() as space:
        powers = np.multiply(centred, centred, out=space.array(*centred.shape))
        pi = gram(powers, out=space.array(*sample.shape))
        pi = np.divide(pi, n_rows, out=space.over(pi))
        product = np.multiply(sample, sample, out=space.array(*sample.shape))
        pi = np.subtract(pi, product, out=space.over(pi))
        total, trace = float(pi.sum()), float(np.trace(pi))
        powers = np.multiply(powers, centred, out=space.over(powers))
        theta = np.matmul(powers.T, centred, out=space.over(pi))
        theta = np.divide(theta, n_rows, out=space.over(theta))
        product = np.multiply(variance[:, None], sample, out=space.over(product))
        theta = np.subtract(theta, product, out=space.over(theta))
        theta = np.multiply(theta, inverse[:, None], out=space.over(theta))
        theta = np.multiply(theta, volatility, out=space.over(theta))
        off_diagonal = float(theta.sum()) - float(np.trace(theta))
    return total, trace + mean_correlation * off_diagonal
