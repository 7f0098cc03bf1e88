"""Compiled loops of `bootstrap`: blocks of rows that wrap around, one random number a block.

Import this module lazily: it loads numba, whose disk cache notices changes of one file only; that
is why all compiled functions of the bootstrap live here. Random numbers are SplitMix64 (Steele,
Lea & Flood 2014), seeded by the caller's generator: a draw costs one multiplication more than
reading it from memory.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

Function = TypeVar("Function", bound=Callable[..., Any])
compiled = cast("Callable[[Function], Function]", njit(cache=True, error_model="numpy", nogil=True))

_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_SHIFT_1, _SHIFT_2, _SHIFT_3 = np.uint64(30), np.uint64(27), np.uint64(31)
_TO_53_BITS, _UNIT = np.uint64(11), 2.0**-53


@compiled
def _uniform(state: np.uint64) -> float:
    """The number in [0, 1) that belongs to one state."""
    z = (state ^ (state >> _SHIFT_1)) * _MIX_1
    z = (z ^ (z >> _SHIFT_2)) * _MIX_2
    return np.float64((z ^ (z >> _SHIFT_3)) >> _TO_53_BITS) * _UNIT


@compiled
def _block(u: float, n: int, block: float, log_stay: float) -> tuple[int, int]:
    """First row and length of a block: `log_stay` is log(1 - 1/b) or, for fixed blocks, 0.

    The whole part of `u n` is the row, the fraction is uniform again and gives the length.
    """
    place = u * n
    start = min(int(place), n - 1)
    if log_stay == 0.0:
        return start, int(block)
    # the difference is exact, and what 1 + rounds away only matters where the length is 1 anyway
    return start, 1 + int(np.log(1.0 + (start - place)) / log_stay) if place > start else 1


@compiled
def draw_rows(seed: np.uint64, block: float, log_stay: float, rows: Integers) -> np.uint64:
    """Fill `rows` (draw, row) with row numbers and return the state to go on with."""
    n = rows.shape[1]
    state = seed
    for d in range(rows.shape[0]):
        filled = 0
        while filled < n:
            state = state + _STEP
            start, length = _block(_uniform(state), n, block, log_stay)
            for _ in range(min(length, n - filled)):
                rows[d, filled] = start
                start = start + 1 if start + 1 < n else 0
                filled += 1
    return state


@compiled
def prefix_sums(x: Floats, mean: Floats, sums: Floats) -> None:
    """Fill `mean` (series,), and `sums[t]` (row + 1, series): of the first t rows less the mean."""
    mean[:], sums[0] = 0.0, 0.0
    for t in range(x.shape[0]):
        for s in range(x.shape[1]):
            mean[s] += x[t, s]
    for s in range(x.shape[1]):
        mean[s] /= x.shape[0]
    for t in range(x.shape[0]):
        for s in range(x.shape[1]):
            sums[t + 1, s] = sums[t, s] + (x[t, s] - mean[s])


@compiled
def draw_sums(
    seed: np.uint64, block: float, log_stay: float, sums: Floats, totals: Floats
) -> np.uint64:
    """Fill `totals` (draw, series) with sums of resampled rows, from prefix sums of the rows.

    The rows are those of `draw_rows` for the same seed.
    """
    n = sums.shape[0] - 1
    state = seed
    for d in range(totals.shape[0]):
        totals[d] = 0.0
        filled = 0
        while filled < n:
            state = state + _STEP
            start, length = _block(_uniform(state), n, block, log_stay)
            length = min(length, n - filled)
            filled += length
            after = start + length
            if after <= n:
                for s in range(totals.shape[1]):
                    totals[d, s] += sums[after, s] - sums[start, s]
            else:
                for s in range(totals.shape[1]):
                    totals[d, s] += sums[n, s] - sums[start, s] + sums[after - n, s]
    return state


@compiled
def draw_paths(
    seed: np.uint64, block: float, log_stay: float, centred: Floats, logs: Floats, out: Floats
) -> None:
    """Fill `out` (draw, 4): log growth, sum and squares of `centred` rows, deepest log drawdown.

    The rows are those of `draw_rows` for the same seed; no path is kept. `logs` (row,) is
    log(1 + return), -inf for a loss of everything; wealth starts at a peak of 1. Blocks are drawn
    first and then walked without branches: loops of random length cost three times as much.
    """
    n = logs.size
    jumps = np.empty(n, dtype=np.int64)
    state = seed
    for d in range(out.shape[0]):
        jumps[:] = -1
        filled = 0
        while filled < n:
            state = state + _STEP
            start, length = _block(_uniform(state), n, block, log_stay)
            jumps[filled] = start
            filled += length
        level, peak, worst, total, squares, t = 0.0, 0.0, 0.0, 0.0, 0.0, 0
        for row in range(n):
            t = t + 1 if t + 1 < n else 0
            t = jumps[row] if jumps[row] >= 0 else t
            level += logs[t]
            peak = max(peak, level)
            worst = min(worst, level - peak)
            total += centred[t]
            squares += centred[t] * centred[t]
        out[d, 0], out[d, 1], out[d, 2], out[d, 3] = level, total, squares, worst


@compiled
def exceedances(
    values: Floats, starts: Integers, seeds: npt.NDArray[np.uint64], n_draws: int, out: Integers
) -> None:
    """Count, per cell, draws whose demeaned mean is at least as far from 0 as the cell's mean.

    Cell c holds `values[starts[c]:starts[c + 1]]`; circular blocks of `ceil(n^(1/3))` rows.
    """
    longest = 0
    for c in range(starts.size - 1):
        longest = max(longest, starts[c + 1] - starts[c])
    sums = np.empty(2 * longest + 1)
    for c in range(starts.size - 1):
        first, n = starts[c], starts[c + 1] - starts[c]
        out[c] = 0
        if n == 0:
            continue
        total = 0.0
        for i in range(n):
            total += values[first + i]
        sums[0] = 0.0
        for i in range(2 * n):
            sums[i + 1] = sums[i] + (values[first + i % n] - total / n)
        out[c] = _beyond(sums, n, abs(total), seeds[c], n_draws)


@compiled
def _beyond(sums: Floats, n: int, bound: float, seed: np.uint64, n_draws: int) -> int:
    """Draws with an absolute sum of at least `bound`; `sums` are those of the rows, twice round."""
    block = 1
    while block * block * block < n:
        block += 1
    n_whole = (n - 1) // block
    rest = n - n_whole * block
    state, count = seed, 0
    for _ in range(n_draws):
        drawn = 0.0
        for _ in range(n_whole):
            state = state + _STEP
            start = int(_uniform(state) * n)
            drawn += sums[start + block] - sums[start]
        state = state + _STEP
        start = int(_uniform(state) * n)
        drawn += sums[start + rest] - sums[start]
        count += abs(drawn) >= bound
    return count


def warm_up() -> None:
    """Compile every function of this module for the types that `bootstrap` passes."""
    seed, x = np.uint64(1), np.ones((2, 1))
    sums = np.empty((3, 1))
    draw_rows(seed, 2.0, -0.5, np.empty((1, 2), dtype=np.int64))
    prefix_sums(x, np.empty(1), sums)
    draw_sums(seed, 2.0, -0.5, sums, np.empty((1, 1)))
    draw_paths(seed, 2.0, -0.5, np.ones(2), np.zeros(2), np.empty((1, 4)))
    starts, seeds = np.array([0, 2], dtype=np.int64), np.ones(1, dtype=np.uint64)
    exceedances(x[:, 0].copy(), starts, seeds, 1, np.empty(1, dtype=np.int64))
