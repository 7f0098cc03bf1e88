"""Rescaled ranges of a sliding window, over blocks of rows with carried state.

Calling convention as in `nodes_kernel`, but the state is (symbol, (scales + 1) n): the ring of the
last n rows, and for each scale the ring of the rescaled range that ended on each of them.
"""

import numpy as np

from quant_assets.quant.indicators.compiled import Block, compiled, sample


@compiled
def _rescaled_range(ring: Block, n: int, slot: int, size: int) -> float:
    """Range of the sums of distances from the mean, over the deviation, of `size` rows to `slot`.

    NaN where the rows do not vary.
    """
    first = slot - size + 1
    reference, total = ring[slot], 0.0
    for i in range(first, slot + 1):
        total += ring[i if i >= 0 else i + n] - reference
    mean, squares, path, low, high = total / size, 0.0, 0.0, 0.0, 0.0
    for i in range(first, slot + 1):
        distance = ring[i if i >= 0 else i + n] - reference - mean
        squares += distance * distance
        path += distance
        low, high = min(low, path), max(high, path)
    return (high - low) / np.sqrt(squares / size) if squares > 0.0 else np.nan


@compiled
def window_hurst(x: Block, seen: int, state: Block, n: int, least: int, out: Block) -> None:
    """Slope of the log mean rescaled range on the log of its rows: n, n / 2, … down to `least`."""
    n_rows, n_symbols = x.shape
    for j in range(n_symbols):
        ring = state[j]
        for t in range(n_rows):
            slot = (seen + t) % n
            ring[slot] = x[t, j]
            size, place, count = n, n, 0.0
            s_x, s_y, s_xx, s_xy = 0.0, 0.0, 0.0, 0.0
            while size >= least:
                ring[place + slot] = _rescaled_range(ring, n, slot, size)
                mean = 0.0
                for i in range(n // size):
                    before = slot - i * size
                    mean += ring[place + (before if before >= 0 else before + n)]
                a, b = np.log(size / n), np.log(mean / (n // size))
                s_x, s_y, s_xx, s_xy = s_x + a, s_y + b, s_xx + a * a, s_xy + a * b
                count, place, size = count + 1.0, place + n, size // 2
            out[t, j] = (count * s_xy - s_x * s_y) / (count * s_xx - s_x * s_x)


def warm_up() -> None:
    """Compile every kernel of this file."""
    window_hurst(sample(), 0, np.full((2, 12), np.nan), 4, 2, sample())
