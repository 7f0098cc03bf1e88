"""Sample covariances of returns with gaps, and the nearest matrix that can be one."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import DataError, SolverError
from quant_assets.core.workspace import Scratch, scratch
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
    with scratch() as space:
        rows = _centred(returns, space)
        fewest = int(rows.counts.min())
        covariance = _products(rows, space)
        ddof = np.subtract(rows.counts, 1.0, out=space.over(rows.counts))
        covariance = np.divide(covariance, ddof, out=space.over(covariance))
        rows.give_back(space)
        return Pairs(_repaired(covariance, space), fewest)


def available_covariance(returns: npt.ArrayLike) -> Pairs:
    """Volatility (ddof 1) from all rows of an asset, correlation from each pair's common rows."""
    with scratch() as space:
        rows = _centred(returns, space)
        fewest = int(rows.counts.min())
        correlation, squares = _products(rows, space), _squares(rows, space)
        rows.give_back(space)
        scale = np.multiply(squares, squares.T, out=space.array(*squares.shape))
        space.free(squares)
        scale = np.sqrt(scale, out=space.over(scale))
        known = scale > 0
        np.copyto(scale, 1.0, where=~known)
        correlation = np.divide(correlation, scale, out=space.over(correlation))
        space.free(scale)
        np.copyto(correlation, 0.0, where=~known)
        np.fill_diagonal(correlation, 1.0)
        volatility = np.nanstd(np.asarray(returns, dtype=np.float64), axis=0, ddof=1)
        covariance = to_covariance(correlation, volatility, out=space.array(*known.shape))
        space.free(correlation)
        return Pairs(_repaired(covariance, space), fewest)


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
    with scratch() as space:
        return _nearest(np.positive(given, out=space.array(*given.shape)), space).copy()


def _nearest(unit: Floats, space: Scratch) -> Floats:
    """`nearest_correlation`; overwrites `unit`, and its result lies in `space`."""
    if np.all(np.diag(unit) == 1.0) and np.linalg.eigvalsh(unit)[0] >= -AT_REST:
        return unit
    correction: Floats | float = 0.0
    room, spare = space.array(*unit.shape), space.array(*unit.shape)
    for _ in range(MAX_STEPS):
        raised = np.subtract(unit, correction, out=room)
        values, vectors = np.linalg.eigh(raised)
        nearest = _recomposed(values, vectors, space, out=spare)
        correction = np.subtract(nearest, raised, out=space.over(raised))
        room = space.over(correction)
        off = float(np.abs(np.diag(nearest) - 1.0).max())
        np.fill_diagonal(nearest, 1.0)
        gap = np.subtract(nearest, unit, out=space.over(vectors))
        moved = float(np.abs(gap, out=space.over(gap)).max())
        spare, unit = space.over(unit), nearest
        if max(moved, off) <= AT_REST:
            both = np.add(unit, unit.T, out=spare)
            return np.multiply(both, 0.5, out=space.over(both))
    raise SolverError(
        f"the nearest correlation matrix of {len(unit)} assets still moves by {moved:.1e} after "
        f"{MAX_STEPS} steps: too little is known about some pairs. Use missing='complete_rows'."
    )


def _recomposed(values: Floats, vectors: Floats, space: Scratch, out: Floats | None) -> Floats:
    """`V max(L, 0) V'` in `out`, exactly symmetric; `vectors` may be overwritten."""
    root = np.multiply(vectors, np.sqrt(np.maximum(values, 0.0)), out=space.over(vectors))
    return np.matmul(root, root.T, out=out)


def _repaired(covariance: Floats, space: Scratch) -> Floats:
    """`covariance` if it is positive semidefinite, else what is nearest; gives its memory back."""
    correlation, volatility = to_correlation(covariance, out=space.array(*covariance.shape))
    space.free(covariance)
    near = _nearest(correlation, space)
    values, vectors = np.linalg.eigh(near)
    if values[0] < 0:  # what is left is rounding: cut it and scale the diagonal back
        whole = _recomposed(values, vectors, space, out=space.over(near))
        near = to_correlation(whole, out=space.over(vectors))[0]
    return to_covariance(near, volatility)


@dataclass(frozen=True, eq=False)
class _Rows:
    """Returns around each asset's mean with 0 where they are missing, and 1 where they are not.

    Both (time, asset); `counts` (asset, asset) rows that a pair has in common.
    """

    filled: Floats
    mask: Floats
    counts: Floats

    def give_back(self, space: Scratch) -> None:
        space.free(self.filled, self.mask, self.counts)


def _centred(returns: npt.ArrayLike, space: Scratch) -> _Rows:
    values = finite_returns(returns)
    missing = np.isnan(values)
    mask = np.positive(~missing, out=space.array(*values.shape), dtype=np.float64)
    counts = gram(mask, out=space.array(values.shape[1], values.shape[1]))
    if counts.min() < MIN_COMMON:
        first, second = np.argwhere(counts < MIN_COMMON)[0]
        raise DataError(
            f"assets {first} and {second} have {int(counts[first, second])} rows in common; a "
            f"covariance of pairs needs {MIN_COMMON}. Drop one of them."
        )
    # around each asset's own mean, so that small pair means leave little to cancel
    filled = np.positive(values, out=space.array(*values.shape))
    np.copyto(filled, 0.0, where=missing)
    centre = filled.sum(axis=0) / mask.sum(axis=0)
    filled -= centre
    np.copyto(filled, 0.0, where=missing)
    return _Rows(filled, mask, counts)


def _products(rows: _Rows, space: Scratch) -> Floats:
    """Sums of products around the pair's means on its common rows, exactly symmetric."""
    shape = rows.counts.shape
    sums = np.matmul(rows.filled.T, rows.mask, out=space.array(*shape))
    excess = np.multiply(sums, sums.T, out=space.array(*shape))
    excess = np.divide(excess, rows.counts, out=space.over(excess))
    products = gram(rows.filled, out=space.over(sums))
    products = np.subtract(products, excess, out=space.over(products))
    both = np.add(products, products.T, out=space.over(excess))
    space.free(products)
    return np.multiply(both, 0.5, out=space.over(both))


def _squares(rows: _Rows, space: Scratch) -> Floats:
    """`squares[i, j]`: sum of squares of asset i around its mean on the rows shared with j."""
    shape = rows.counts.shape
    sums = np.matmul(rows.filled.T, rows.mask, out=space.array(*shape))
    excess = np.multiply(sums, sums, out=space.over(sums))
    excess = np.divide(excess, rows.counts, out=space.over(excess))
    raised = np.multiply(rows.filled, rows.filled, out=space.over(rows.filled))
    squares = np.matmul(raised.T, rows.mask, out=space.array(*shape))
    squares = np.subtract(squares, excess, out=space.over(squares))
    space.free(excess)
    return np.maximum(squares, 0.0, out=space.over(squares))
