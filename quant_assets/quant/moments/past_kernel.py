"""Moments of the last rows of many columns in one pass.

Import this module lazily: it loads numba, whose disk cache notices changes of one file only.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
from numba import njit

Block = npt.NDArray[np.float64]
Function = TypeVar("Function", bound=Callable[..., Any])
compiled = cast("Callable[[Function], Function]", njit(cache=True, error_model="numpy"))
ROUNDING = 64.0 * np.finfo(np.float64).eps


@compiled
def _of_one(values: Block, n: int, known: Block, mean: Block, variance: Block) -> None:
    """The same of one column `(time,)`: sums in registers, then the divisions of n rows at once."""
    for start in range(0, values.size, n):
        end = min(start + n, values.size)
        c, total, squares = 0.0, 0.0, 0.0
        for row in range(max(0, start - n + 1), start):
            value = values[row]
            c += 0.0 if np.isnan(value) else 1.0
            value = 0.0 if np.isnan(value) else value
            total += value
            squares += value * value
        for row in range(start, end):
            value = values[row]
            c += 0.0 if np.isnan(value) else 1.0
            value = 0.0 if np.isnan(value) else value
            total += value
            squares += value * value
            if row > start >= n:
                value = values[row - n]
                c -= 0.0 if np.isnan(value) else 1.0
                value = 0.0 if np.isnan(value) else value
                total -= value
                squares -= value * value
            known[row], mean[row], variance[row] = c, total, squares
        for row in range(start, end):
            c, total, squares = known[row], mean[row], variance[row]
            mean[row] = total / c if c > 0.0 else np.nan
            spread = squares - total * total / c if c > 1.0 else np.nan
            variance[row] = 0.0 if spread <= ROUNDING * squares else spread / (c - 1.0)


@compiled
def past_moments(values: Block, n: int, known: Block, mean: Block, variance: Block) -> None:
    """Number, mean and sample variance of the known values among the last n rows.

    Sums are carried from row to row and taken anew every n rows, so that no error builds up. A
    spread below the rounding of the sums is 0. No row is taken out of its array: that would count
    references for each.
    """
    n_times, n_columns = values.shape
    if n_columns == 1:
        flat = known.reshape(n_times), mean.reshape(n_times), variance.reshape(n_times)
        _of_one(values.reshape(n_times), n, *flat)
        return
    sums = np.zeros((3, n_columns))  # how many, total, squares
    for t in range(n_times):
        anew = t % n == 0
        if anew:
            sums[:] = 0.0
        for row in range(max(0, t - n + 1) if anew else t, t + 1):
            for s in range(n_columns):
                value = values[row, s]
                there = not np.isnan(value)
                sums[0, s] += 1.0 if there else 0.0
                sums[1, s] += value if there else 0.0
                sums[2, s] += value * value if there else 0.0
        if t >= n and not anew:
            for s in range(n_columns):
                value = values[t - n, s]
                there = not np.isnan(value)
                sums[0, s] -= 1.0 if there else 0.0
                sums[1, s] -= value if there else 0.0
                sums[2, s] -= value * value if there else 0.0
        for s in range(n_columns):
            c, total, squares = sums[0, s], sums[1, s], sums[2, s]
            known[t, s] = c
            mean[t, s] = total / c if c > 0.0 else np.nan
            spread = squares - total * total / c if c > 1.0 else np.nan
            variance[t, s] = 0.0 if spread <= ROUNDING * squares else spread / (c - 1.0)
