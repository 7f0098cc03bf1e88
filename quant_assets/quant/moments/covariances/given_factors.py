"""A factor model whose factor returns are given."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.core.errors import DataError
from quant_assets.quant.moments.covariances.base import CovarianceEstimator, Floats
from quant_assets.quant.moments.rows import gram


@dataclass(frozen=True, eq=False)
class GivenFactorModel(CovarianceEstimator):
    """`B Sigma_f B' + diag(d)`: loadings B by least squares, d the residual variances.

    `factors` (time, factor) are returns of the same rows. Sigma_f has ddof 1, d divides by
    T - k - 1, k factors (Sharpe 1963 for one of them).
    """

    name: ClassVar[str] = "given_factors"
    factors: Floats

    def estimate(self, rows: Floats) -> Floats:
        """Regress every asset on the factors."""
        factors = np.asarray(self.factors, dtype=np.float64)
        n_rows = len(rows)
        if factors.ndim != 2 or len(factors) != n_rows or not np.isfinite(factors).all():
            raise DataError(
                f"factors must be ({n_rows}, factor) finite returns of the rows used, found shape "
                f"{factors.shape}; drop the same rows from both"
            )
        freedom = n_rows - factors.shape[1] - 1
        if freedom < 1:
            raise DataError(
                f"{factors.shape[1]} factors on {n_rows} rows leave no residual: give more rows"
            )
        loadings, residuals = factor_loadings(rows, factors)
        centred = factors - factors.mean(axis=0)
        root = centred @ loadings.T / np.sqrt(n_rows - 1)
        covariance = gram(root)
        covariance.flat[:: rows.shape[1] + 1] += (residuals * residuals).sum(axis=0) / freedom
        return covariance


def factor_loadings(rows: Floats, factors: Floats) -> tuple[Floats, Floats]:
    """Least-squares loadings (asset, factor) with an intercept, and residuals (time, asset)."""
    centred = rows - rows.mean(axis=0)
    moves = factors - factors.mean(axis=0)
    loadings = np.linalg.lstsq(moves, centred, rcond=None)[0]
    return np.ascontiguousarray(loadings.T), np.asarray(centred - moves @ loadings)
