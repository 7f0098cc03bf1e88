"""Analytical non-linear shrinkage of the eigenvalues."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.core.errors import DataError
from quant_assets.quant.moments.covariances.base import CovarianceEstimator, Floats
from quant_assets.quant.moments.rows import gram

MIN_ROWS = 13
NULL = 1e-12
BLOCK_BYTES = 1 << 18
_ROOT5 = float(np.sqrt(5.0))


@dataclass(frozen=True)
class LedoitWolfNonlinear(CovarianceEstimator):
    """Every eigenvalue of the sample covariance is shrunk by its own amount.

    Ledoit & Wolf, "Analytical nonlinear shrinkage of large-dimensional covariance matrices",
    Annals of Statistics (2020), equations 4.7 to 4.9 and C.4 to C.8: an Epanechnikov kernel
    estimates the spectral density and its Hilbert transform. Needs 13 rows. Directions without
    variance that come from constant or duplicated assets keep none.
    """

    name: ClassVar[str] = "ledoit_wolf_nonlinear"

    def estimate(self, rows: Floats) -> Floats:
        """`U diag(d) U'`, U the eigenvectors of the sample covariance."""
        n_rows, n_assets = rows.shape
        if n_rows < MIN_ROWS:
            raise DataError(f"{self.name} needs {MIN_ROWS} whole rows, found {n_rows}")
        sample = gram(rows - rows.mean(axis=0)) / (n_rows - 1)
        values, vectors = np.linalg.eigh(sample)
        shrunk = shrunk_eigenvalues(values, n_rows - 1)
        half = vectors * np.sqrt(np.maximum(shrunk, 0.0))
        return gram(half.T) if n_assets > 1 else sample


def shrunk_eigenvalues(values: Floats, n_effective: int) -> Floats:
    """Shrunk eigenvalues, in the order of `values` (rising, of a covariance of `n_effective`)."""
    largest = float(values[-1])
    shrunk = np.zeros_like(values)
    n_possible = min(len(values), n_effective)
    known = values[len(values) - n_possible :]
    positive = known > NULL * largest
    if not positive.any():
        return shrunk
    level = known[positive]
    n_assets = len(values) - int((~positive).sum())
    density, hilbert = _spectrum(level, n_effective ** (-1.0 / 3.0))
    ratio = n_assets / n_effective
    if n_assets <= n_effective:
        real = 1.0 - ratio - np.pi * ratio * level * hilbert
        result = level / ((np.pi * ratio * level * density) ** 2 + real**2)
    else:
        result = level / (np.pi**2 * level**2 * (density**2 + hilbert**2))
        shrunk[: len(values) - n_possible] = _null_level(level, n_assets, n_effective)
    shrunk[len(values) - len(level) :] = result
    return shrunk


def _spectrum(level: Floats, bandwidth: float) -> tuple[Floats, Floats]:
    """Kernel estimates of the spectral density and of its Hilbert transform at each eigenvalue.

    Some eigenvalues at a time, so that no table of all pairs has to be held.
    """
    width = bandwidth * level
    density, transform = np.empty_like(level), np.empty_like(level)
    rows = max(1, BLOCK_BYTES // level.nbytes)
    for first in range(0, len(level), rows):
        part = slice(first, first + rows)
        x = (level[part, None] - level) / width
        square = 1.0 - x * x / 5.0
        density[part] = 0.75 / _ROOT5 * (np.maximum(square, 0.0) / width).mean(axis=1)
        edge = np.abs(np.abs(x) - _ROOT5) < 1e-12
        quotient = np.abs((_ROOT5 - x) / np.where(edge, 1.0, _ROOT5 + x))
        logarithm = np.log(np.where(edge, 1.0, quotient))
        terms = -0.3 / np.pi * x + 0.75 / (np.pi * _ROOT5) * square * logarithm
        transform[part] = (terms / width).mean(axis=1)
    return density, transform


def _null_level(level: Floats, n_assets: int, n_effective: int) -> float:
    """Return what the null directions get when there are more assets than rows."""
    h = n_effective ** (-1.0 / 3.0)
    logarithm = np.log((1.0 + _ROOT5 * h) / (1.0 - _ROOT5 * h))
    bracket = 0.3 / h**2 + 0.75 / (_ROOT5 * h) * (1.0 - 0.2 / h**2) * logarithm
    hilbert = float(bracket) / np.pi * float((1.0 / level).mean())
    return n_effective / (np.pi * (n_assets - n_effective) * hilbert)
