"""Oracle approximating shrinkage."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.quant.moments.covariances.base import CovarianceEstimator, Floats
from quant_assets.quant.moments.rows import gram


@dataclass(frozen=True)
class OracleApproximatingShrinkage(CovarianceEstimator):
    """Sample covariance (1/T) shrunk towards mu*I with the intensity for Gaussian rows.

    Chen, Wiesel, Eldar & Hero (2010), equation 23, in the form of `sklearn.covariance.oas`.
    """

    name: ClassVar[str] = "oas"

    def estimate(self, rows: Floats) -> Floats:
        """`(1 - s) S + s mu I`."""
        n_rows, n_assets = rows.shape
        covariance = gram(rows - rows.mean(axis=0))
        covariance /= n_rows
        if n_assets == 1:
            return covariance
        mean_variance = float(np.trace(covariance)) / n_assets
        mean_square = float(np.vdot(covariance, covariance)) / n_assets**2
        excess = (n_rows + 1) * (mean_square - mean_variance**2 / n_assets)
        intensity = 1.0 if excess <= 0 else min((mean_square + mean_variance**2) / excess, 1.0)
        covariance *= 1.0 - intensity
        covariance.flat[:: n_assets + 1] += intensity * mean_variance
        return covariance
