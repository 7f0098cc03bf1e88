"""Ridge regression for many penalties at the price of one eigendecomposition."""

from dataclasses import dataclass

import numpy as np

from quant_assets.quant.market.panel import Floats

__all__ = ["RidgePath", "ridge_path"]


@dataclass(frozen=True)
class RidgePath:
    """Fits for each penalty: `coefficients` (penalty, feature), `intercepts` (penalty,)."""

    coefficients: Floats
    intercepts: Floats

    def predict(self, x: Floats) -> Floats:
        """Predictions of shape (penalty, row) for `x` of shape (row, feature)."""
        return np.asarray(self.coefficients @ x.T + self.intercepts[:, None], dtype=np.float64)


def ridge_path(x: Floats, y: Floats, penalties: Floats) -> RidgePath:
    """Minimise `||y - a - Zw||^2 + penalty ||w||^2`, Z = columns of `x` at mean 0 and std 1.

    x : (row, feature); y : (row,); penalties : (penalty,), each > 0. Coefficients come back in
    the units of `x`. Standard deviations have ddof 0; a constant column gets coefficient 0. Equal
    to scikit-learn's `StandardScaler` followed by `Ridge(alpha=penalty)`.
    """
    mean = x.mean(axis=0)
    centred = x - mean
    deviation = centred.std(axis=0)
    varies = deviation > np.finfo(np.float64).eps * np.abs(x).max(axis=0, initial=0.0)
    scale = np.where(varies, deviation, 1.0)
    z = np.where(varies, centred / scale, 0.0)
    eigenvalues, vectors = np.linalg.eigh(z.T @ z)
    projected = vectors.T @ (z.T @ (y - y.mean()))
    shrunk = projected / (np.maximum(eigenvalues, 0.0) + penalties[:, None])
    coefficients = (shrunk @ vectors.T) / scale
    return RidgePath(coefficients, y.mean() - coefficients @ mean)
