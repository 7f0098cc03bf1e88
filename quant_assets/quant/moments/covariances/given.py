"""A covariance that somebody else estimated."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.core.errors import DataError
from quant_assets.quant.moments.covariances.base import CovarianceEstimator, Floats


@dataclass(frozen=True, eq=False)
class GivenCovariance(CovarianceEstimator):
    """`matrix` (asset, asset) per period, whatever the rows say: a view, a stress, a posterior."""

    name: ClassVar[str] = "given"
    matrix: Floats

    def estimate(self, rows: Floats) -> Floats:
        """Return the matrix, if it is symmetric and fits the rows."""
        matrix = np.asarray(self.matrix, dtype=np.float64)
        n_assets = rows.shape[1]
        size = float(np.abs(matrix).max(initial=0.0))
        if matrix.shape != (n_assets, n_assets) or not np.isfinite(size):
            raise DataError(
                f"the given covariance has shape {matrix.shape}, {n_assets} assets need finite "
                f"({n_assets}, {n_assets})"
            )
        if np.abs(matrix - matrix.T).max(initial=0.0) > 1e-12 * size:
            raise DataError("the given covariance is not symmetric; pass (C + C') / 2 if it should")
        return np.asarray((matrix + matrix.T) * 0.5)
