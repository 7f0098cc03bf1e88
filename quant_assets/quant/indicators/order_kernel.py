"""Order statistics of a sliding window, over blocks of rows with carried state.

Calling convention as in `nodes_kernel`, but the state is (symbol, 2 n + 1): the values of the
window in order, the ring of its last n rows, and how many of them are known. A row replaces the
one that leaves: only the values between the two move, in one run of neighbouring memory.
"""

import numpy as np

from quant_assets.quant.indicators.compiled import Block, compiled, sample

SHORT = 64  # values that are counted rather than searched
UNSIGNED = np.uint64  # loops over unsigned places are those that the compiler vectorises
ONE = np.uint64(1)


@compiled
def _place(ordered: Block, count: int, value: float) -> int:
    """How many of the first `count` values are smaller than `value`.

    Halves what is left until it is short, then counts: without a branch that could go wrong.
    """
    low, left = 0, count
    while left > SHORT:
        half = left // 2
        low += half if ordered[low + half - 1] < value else 0
        left -= half
    smaller = 0
    for i in range(UNSIGNED(low), UNSIGNED(low + left)):
        smaller += 1 if ordered[i] < value else 0
    return low + smaller


@compiled
def _move(ordered: Block, first: int, last: int, value: float) -> None:
    """Take the value at `first` out and put `value` in at `last`; those between move by one."""
    if first <= last:
        for i in range(UNSIGNED(first), UNSIGNED(last)):
            ordered[i] = ordered[i + ONE]
        ordered[last] = value
        return
    carried = value
    for i in range(UNSIGNED(last), UNSIGNED(first + 1)):
        following = ordered[i]
        ordered[i] = carried
        carried = following


@compiled
def _replace(window: Block, n: int, slot: int, value: float) -> int:
    """Put `value` into the window of one symbol in place of the one that leaves; values known."""
    old, count = window[n + slot], int(window[2 * n])
    window[n + slot] = value
    leaves, enters = not np.isnan(old), not np.isnan(value)
    first = _place(window, count, old) if leaves else count
    last = _place(window, count, value) if enters else count
    if leaves and enters:
        _move(window, first, last - 1 if last > first else last, value)
    elif leaves:
        _move(window, first, count - 1, np.nan)
    elif enters:
        _move(window, count, last, value)
    count += int(enters) - int(leaves)
    window[2 * n] = float(count)
    return count


@compiled
def window_quantile(x: Block, seen: int, state: Block, n: int, share: float, out: Block) -> None:
    """Quantile of the last n rows, linear between neighbours; NaN while one of them is."""
    n_rows, n_symbols = x.shape
    position = share * (n - 1)
    below = int(np.floor(position))
    above = min(below + 1, n - 1)
    weight = position - below
    for j in range(n_symbols):
        window = state[j]
        for t in range(n_rows):
            count = _replace(window, n, (seen + t) % n, x[t, j])
            low, high = window[below], window[above]
            between = low + (high - low) * weight
            out[t, j] = between if count == n else np.nan


@compiled
def window_rank(x: Block, seen: int, state: Block, n: int, out: Block) -> None:
    """Average rank of the current row among the last n, 1..n; NaN while one of them is."""
    n_rows, n_symbols = x.shape
    for j in range(n_symbols):
        window = state[j]
        for t in range(n_rows):
            value = x[t, j]
            count = _replace(window, n, (seen + t) % n, value)
            if count < n:
                out[t, j] = np.nan
                continue
            smaller = _place(window, n, value)
            end = smaller + 1
            while end < n and window[end] == value:
                end += 1
            out[t, j] = (smaller + end + 1) / 2.0


def warm_up() -> None:
    """Compile every kernel of this file."""
    window_quantile(sample(), 0, np.full((2, 5), np.nan), 2, 0.5, sample())
    window_rank(sample(), 0, np.full((2, 5), np.nan), 2, sample())
