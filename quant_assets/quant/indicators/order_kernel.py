"""Order statistics of a sliding window, over blocks of rows with carried state.

Calling convention as in `nodes_kernel`, but the state is (symbol, 2 n + 1): the values of the
window in order, the ring of its last n rows, and how many of them are known. A row replaces the
one that leaves: only the values between the two move, in one run of neighbouring memory.
"""

import numpy as np

from quant_assets.quant.indicators.compiled import Block, compiled, sample


@compiled
def _place(ordered: Block, count: int, value: float) -> int:
    """How many of the first `count` values are smaller than `value`."""
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        smaller = ordered[middle] < value
        low = middle + 1 if smaller else low
        high = high if smaller else middle
    return low


@compiled
def _replace(window: Block, n: int, slot: int, value: float) -> int:
    """Put `value` into the window of one symbol in place of the one that leaves; values known."""
    ordered = window
    old, count = window[n + slot], int(window[2 * n])
    window[n + slot] = value
    first = _place(ordered, count, old) if not np.isnan(old) else count
    last = _place(ordered, count, value) if not np.isnan(value) else count
    if not np.isnan(old) and not np.isnan(value):
        if last > first:
            last -= 1
            for i in range(first, last):
                ordered[i] = ordered[i + 1]
        else:
            for i in range(first, last, -1):
                ordered[i] = ordered[i - 1]
        ordered[last] = value
    elif not np.isnan(old):
        for i in range(first, count - 1):
            ordered[i] = ordered[i + 1]
        count -= 1
    elif not np.isnan(value):
        for i in range(count, last, -1):
            ordered[i] = ordered[i - 1]
        ordered[last] = value
        count += 1
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
