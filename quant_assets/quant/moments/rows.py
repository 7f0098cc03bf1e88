"""Rows of returns that estimators may use, and products of them."""

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import DataError

Floats = npt.NDArray[np.float64]


def finite_returns(returns: npt.ArrayLike) -> Floats:
    """`returns` (time, asset) as float64, NaN = missing; an infinity is a `DataError`."""
    values = np.asarray(returns, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] == 0:
        raise DataError(f"returns must be (time, asset) with assets, found shape {values.shape}")
    if np.isinf(values).any():
        row, column = np.argwhere(np.isinf(values))[0]
        raise DataError(
            f"returns[{row}, {column}] is {values[row, column]}: mend the price before it"
        )
    return values


def complete_rows(returns: npt.ArrayLike) -> Floats:
    """Rows of `returns` (time, asset) without a NaN, in order, as float64; at least two."""
    values = finite_returns(returns)
    whole = ~np.isnan(values).any(axis=1)
    kept = values if whole.all() else values[whole]
    if len(kept) < 2:
        raise DataError(
            f"{len(kept)} of {len(values)} rows are free of NaN; a covariance needs 2. "
            "Give a longer history or fewer assets."
        )
    return kept


def gram(rows: Floats, out: Floats | None = None) -> Floats:
    """`rows' rows`, exactly symmetric: BLAS computes one triangle of it and copies the other."""
    contiguous = np.ascontiguousarray(rows)
    return np.asarray(np.matmul(contiguous.T, contiguous, out=out))
