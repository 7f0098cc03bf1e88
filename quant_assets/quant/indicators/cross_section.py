"""One row of many symbols at a time: ranks, scores, limits, and distances within groups.

Arrays are `(time, symbol)` or, for one moment, `(symbol,)`; results have the same shape. A symbol
whose value is NaN or infinite is left out of its row, and has NaN. No row knows of another one.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.indicators.base import Floats
from quant_assets.quant.statistics.ranks import rank_shares

__all__ = [
    "cross_sectional_rank",
    "cross_sectional_z_score",
    "neutralise",
    "winsorise",
]

BLOCK_VALUES = 16_384  # of a block of rows that is sorted at a time


def cross_sectional_rank(values: npt.ArrayLike) -> Floats:
    """Average rank among the symbols of the row over their number, in (0, 1]."""
    array = np.asarray(values, dtype=np.float64)
    return rank_shares(np.where(np.isinf(array), np.nan, array) if _infinite(array) else array)


def cross_sectional_z_score(values: npt.ArrayLike, *, ddof: int = 1) -> Floats:
    """Distance from the row's mean in standard deviations, divisor `n - ddof`.

    NaN where the row does not vary or has too few values.
    """
    from quant_assets.quant.indicators.cross_section_kernel import standardise

    if ddof not in (0, 1):
        raise ConfigError(f"cross_sectional_z_score: ddof = {ddof!r}; it is 0 or 1")
    return _by_row(values, lambda rows, out: standardise(rows, ddof, out))


def winsorise(values: npt.ArrayLike, *, lower: float = 0.01, upper: float = 0.99) -> Floats:
    """Values limited to the quantiles `lower` and `upper` of their row (linear between values)."""
    if not 0.0 <= lower < upper <= 1.0:
        raise ConfigError(f"winsorise: lower {lower!r}, upper {upper!r}; 0 <= lower < upper <= 1")
    return _by_row(values, lambda rows, out: _limit(rows, (lower, upper), out))


def neutralise(values: npt.ArrayLike, groups: npt.ArrayLike) -> Floats:
    """Distance from the mean of the symbol's group in the row.

    groups : (symbol,), or (time, symbol) where they change: names or numbers. A symbol in no group
        (None, NaN, or the empty name) has NaN.
    """
    from quant_assets.quant.indicators.cross_section_kernel import centre_groups

    labels, shape = np.asarray(groups), np.shape(values)
    if labels.shape not in (shape, shape[-1:]):
        raise DataError(f"neutralise: groups of shape {labels.shape} for values of {shape}")
    codes, n_groups = _codes(labels)
    table = np.atleast_2d(codes)
    return _by_row(values, lambda rows, out: centre_groups(rows, table, n_groups, out))


def _by_row(values: npt.ArrayLike, fill: Callable[[Floats, Floats], None]) -> Floats:
    array = np.ascontiguousarray(values, dtype=np.float64)
    if array.ndim not in (1, 2):
        raise DataError(f"values of shape {array.shape}; (symbol,) or (time, symbol) is wanted")
    out = np.empty(array.shape)
    if array.size:
        fill(array.reshape(-1, array.shape[-1]), out.reshape(-1, array.shape[-1]))
    return out


def _limit(rows: Floats, shares: tuple[float, float], out: Floats) -> None:
    size = max(1, BLOCK_VALUES // rows.shape[1])
    for first in range(0, len(rows), size):
        block = rows[first : first + size]
        known = np.where(np.isfinite(block), block, np.nan)
        ordered = np.sort(known, axis=1)
        last = np.maximum(np.sum(~np.isnan(known), axis=1) - 1, 0)
        low, high = (_quantile(ordered, last, share) for share in shares)
        out[first : first + size] = np.minimum(np.maximum(known, low), high)


def _quantile(ordered: Floats, last: npt.NDArray[np.intp], share: float) -> Floats:
    """Quantile of each row of values in order, NaN at the end; `last` is the last known one."""
    position = share * last
    below = position.astype(np.intp)
    at = np.arange(len(ordered))
    start, end = ordered[at, below], ordered[at, np.minimum(below + 1, last)]
    return np.asarray((start + (end - start) * (position - below))[:, None])


def _codes(labels: npt.NDArray[np.generic]) -> tuple[npt.NDArray[np.int64], int]:
    """Numbers 0, 1, … of the groups, -1 for none; and how many groups there are."""
    flat = labels.ravel()
    named = flat.astype(str)
    known = ~np.isin(named, ("", "None", "nan"))
    codes = np.full(flat.shape, -1, dtype=np.int64)
    names, codes[known] = np.unique(named[known], return_inverse=True)
    return codes.reshape(labels.shape), max(1, len(names))


def _infinite(array: Floats) -> bool:
    return bool(np.isinf(array).any())
