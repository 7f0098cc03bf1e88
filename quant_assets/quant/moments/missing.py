"""Sample covariances of returns with gaps, and the nearest matrix that can be one."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import DataError, SolverError
from quant_assets.quant.moments.covariances.base import to_correlation, to_covariance
from quant_assets.quant.moments.rows import finite_returns, gram

Floats = npt.NDArray[np.float64]
MAX_STEPS = 500
AT_REST = 1e-10
MIN_COMMON = 3

__all__ = ["available_covariance", "nearest_correlation", "pairwise_covariance"]


@dataclass(frozen=True, eq=False)
class Pairs:
    """A positive semidefinite covariance, and the fewest rows that a pair of it stands on."""

    covariance: Floats
    n_rows: int


def pairwise_covariance(returns: npt.ArrayLike) -> Pairs:
    """Covariance (ddof 1) of each pair over its common rows, around their means on these rows.

    A matrix that is not positive semidefinite keeps its variances and gets the nearest correlation.
    """
    values, products, _, counts = _moments(returns)
    del values
    return Pairs(_repaired(products / (counts - 1.0)), int(counts.min()))


def available_covariance(returns: npt.ArrayLike) -> Pairs:
    """Volatility (ddof 1) from all rows of an asset, correlation from each pair's common rows."""
    values, products, squares, counts = _moments(returns)
    scale = np.sqrt(squares * squares.T)
    known = scale > 0
    correlation = np.where(known, products / np.where(known, scale, 1.0), 0.0)
    np.fill_diagonal(correlation, 1.0)
    volatility = np.nanstd(values, axis=0, ddof=1)
    return Pairs(_repaired(to_covariance(correlation, volatility)), int(counts.min()))


POLICIES: dict[str, Callable[[npt.ArrayLike], Pairs]] = {
    "pairwise": pairwise_covariance,
    "available": available_covariance,
}


def nearest_correlation(symmetric: npt.ArrayLike) -> Floats:
    """Correlation matrix nearest to `symmetric` (n, n) in the Frobenius norm.

    Alternating projections onto the positive semidefinite cone (with Dykstra's correction) and onto
    unit diagonals: Higham, "Computing the nearest correlation matrix" (2002), algorithm 3.3. A
    correlation matrix is returned as it is. No rest after 500 steps is a `SolverError`.
    """
    given = np.asarray(symmetric, dtype=np.float64)
    unit, correction = given.copy(), np.zeros_like(given)
    if np.all(np.diag(given) == 1.0) and np.linalg.eigvalsh(given)[0] >= -AT_REST:
        return unit
    for _ in range(MAX_STEPS):
        raised = unit - correction
        values, vectors = np.linalg.eigh(raised)
        half = vectors * np.sqrt(np.maximum(values, 0.0))
        cone = gram(half.T)
        correction = cone - raised
        before, unit = unit, cone.copy()
        np.fill_diagonal(unit, 1.0)
        moved = max(float(np.abs(unit - before).max()), float(np.abs(unit - cone).max()))
        if moved <= AT_REST:
            return np.asarray((unit + unit.T) * 0.5)
    raise SolverError(
        f"the nearest correlation matrix of {len(given)} assets still moves by {moved:.1e} after "
        f"{MAX_STEPS} steps: too little is known about some pairs. Use missing='complete_rows'."
    )


def _repaired(covariance: Floats) -> Floats:
    correlation, volatility = to_correlation(covariance)
    near = nearest_correlation(correlation)
    values, vectors = np.linalg.eigh(near)
    if values[0] < 0:  # what is left is rounding: cut it and scale the diagonal back
        half = vectors * np.sqrt(np.maximum(values, 0.0))
        near = to_correlation(gram(half.T))[0]
    return to_covariance(near, volatility)


def _moments(returns: npt.ArrayLike) -> tuple[Floats, Floats, Floats, Floats]:
    """Values, and per pair over common rows: products and squares around means, and row counts.

    `squares[i, j]` is the sum of squares of asset i on the rows it has in common with j.
    """
    values = finite_returns(returns)
    present = ~np.isnan(values)
    mask = present.astype(np.float64)
    counts = mask.T @ mask
    if counts.min() < MIN_COMMON:
        first, second = np.argwhere(counts < MIN_COMMON)[0]
        raise DataError(
            f"assets {first} and {second} have {int(counts[first, second])} rows in common; a "
            f"covariance of pairs needs {MIN_COMMON}. Drop one of them."
        )
    # around each asset's own mean, so that small pair means leave little to cancel
    centre = np.where(present, values, 0.0).sum(axis=0) / mask.sum(axis=0)
    filled = np.where(present, values - centre, 0.0)
    sums = filled.T @ mask
    products = filled.T @ filled - sums * sums.T / counts
    squares = np.maximum((filled * filled).T @ mask - sums * sums / counts, 0.0)
    return values, (products + products.T) * 0.5, squares, counts
