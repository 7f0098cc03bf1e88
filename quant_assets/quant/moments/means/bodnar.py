"""Means shrunk optimally towards a target, for as many assets as rows allow."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.core.errors import DataError
from quant_assets.quant.moments.covariances.base import CovarianceEstimator
from quant_assets.quant.moments.means.base import SAMPLE, Floats, MeanEstimator, precision_of


@dataclass(frozen=True)
class BodnarMean(MeanEstimator):
    """`a m + b g`, g the grand mean in every asset.

    Bodnar, Okhrin & Parolya, "Optimal shrinkage estimator for high-dimensional mean vector"
    (2019), the feasible estimator for n < T: with `u = m'Pm`, `v = m'Pg`, `w = g'Pg`, P the
    inverse covariance, `a = ((u - n/(T - n)) w - v^2) / (u w - v^2)` and `b = (1 - a) v / w`.
    """

    name: ClassVar[str] = "bodnar"
    covariance: CovarianceEstimator = SAMPLE

    def estimate(self, rows: Floats) -> Floats:
        """Shrink the sample mean."""
        n_rows, n_assets = rows.shape
        if n_assets >= n_rows:
            raise DataError(f"{self.name} needs more rows than assets: {n_rows} and {n_assets}")
        precision = precision_of(rows, self.covariance, self.name)
        mean = rows.mean(axis=0)
        target = np.full_like(mean, mean.mean())
        pulled = precision @ mean
        u, v = float(mean @ pulled), float(target @ pulled)
        w = float(target @ precision @ target)
        spread = u * w - v * v
        # equal means (or a mean of zero) are their own target
        if spread <= 1e-14 * max(u * w, v * v) or w == 0.0:
            return np.asarray(mean)
        own = ((u - n_assets / (n_rows - n_assets)) * w - v * v) / spread
        return np.asarray(own * mean + (1.0 - own) * v / w * target)
