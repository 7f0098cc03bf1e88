"""Means shrunk towards their grand mean."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.quant.moments.covariances.base import CovarianceEstimator
from quant_assets.quant.moments.means.base import SAMPLE, Floats, MeanEstimator


@dataclass(frozen=True)
class JamesSteinMean(MeanEstimator):
    """`(1 - s) m + s g`, g the grand mean, `s = (sum(l) - 2 max(l)) / (T |m - g|^2)`.

    James & Stein (1961) for unequal variances, l the eigenvalues of the covariance. s lies in
    [0, 1] (positive-part estimator, Efron & Morris 1973): no mean is pushed beyond the target.
    """

    name: ClassVar[str] = "james_stein"
    covariance: CovarianceEstimator = SAMPLE

    def estimate(self, rows: Floats) -> Floats:
        """Shrink the sample mean."""
        mean = rows.mean(axis=0)
        grand = np.full_like(mean, mean.mean())
        distance = float(((mean - grand) ** 2).sum())
        if distance == 0.0:
            return np.asarray(grand)
        values = np.linalg.eigvalsh(self.covariance.estimate(rows))
        noise = (float(values.sum()) - 2.0 * float(values[-1])) / len(rows)
        shrinkage = min(max(noise / distance, 0.0), 1.0)
        return np.asarray((1.0 - shrinkage) * mean + shrinkage * grand)
