"""Means shrunk towards that of the minimum-variance portfolio."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.quant.moments.covariances.base import CovarianceEstimator
from quant_assets.quant.moments.means.base import SAMPLE, Floats, MeanEstimator, precision_of


@dataclass(frozen=True)
class BayesSteinMean(MeanEstimator):
    """`(1 - s) m + s g`, g the mean of the minimum-variance portfolio (Jorion 1986, eq. 17).

    `s = (n + 2) / (n + 2 + T (m - g)' S^-1 (m - g))`, S the sample covariance times
    (T - 1) / (T - n - 2) in the paper; here the given estimator's.
    """

    name: ClassVar[str] = "bayes_stein"
    covariance: CovarianceEstimator = SAMPLE

    def estimate(self, rows: Floats) -> Floats:
        """Shrink the sample mean."""
        n_rows, n_assets = rows.shape
        precision = precision_of(rows, self.covariance, self.name)
        mean = rows.mean(axis=0)
        target = float(precision.sum(axis=0) @ mean / precision.sum())
        away = mean - target
        shrinkage = (n_assets + 2.0) / (n_assets + 2.0 + n_rows * float(away @ precision @ away))
        return np.asarray((1.0 - shrinkage) * mean + shrinkage * target)
