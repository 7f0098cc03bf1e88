"""Linear shrinkage towards a multiple of the identity."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.quant.moments.covariances.base import CovarianceEstimator, Floats
from quant_assets.quant.moments.rows import gram


@dataclass(frozen=True)
class LedoitWolf(CovarianceEstimator):
    """Sample covariance (1/T) shrunk towards mu*I, mu the mean variance.

    Ledoit & Wolf, "A well-conditioned estimator for large-dimensional covariance matrices" (2004);
    the same numbers as `sklearn.covariance.ledoit_wolf`.
    """

    name: ClassVar[str] = "ledoit_wolf"

    def estimate(self, rows: Floats) -> Floats:
        """`(1 - s) S + s mu I`."""
        return shrink_to_identity(rows)[0]


def shrink_to_identity(rows: Floats) -> tuple[Floats, float]:
    """Covariance and the intensity s in [0, 1]."""
    n_rows, n_assets = rows.shape
    centred = rows - rows.mean(axis=0)
    covariance = gram(centred)
    covariance /= n_rows
    if n_assets == 1:
        return covariance, 0.0
    mean_variance = float(np.trace(covariance)) / n_assets
    squared = float(np.vdot(covariance, covariance))
    norms = np.einsum("ti,ti->t", centred, centred)
    # LW's b^2 and d^2: estimation error of the sample covariance, and its distance to the target
    error = (float(norms @ norms) / n_rows - squared) / (n_assets * n_rows)
    distance = squared / n_assets - mean_variance * mean_variance
    error = min(error, distance)
    shrinkage = 0.0 if error <= 0 else error / distance
    covariance *= 1.0 - shrinkage
    covariance.flat[:: n_assets + 1] += shrinkage * mean_variance
    return covariance, shrinkage
