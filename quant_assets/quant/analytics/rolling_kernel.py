"""Rolling windows without subtraction: a window is the end of one block and the start of the next.

Rows are cut into blocks as long as the window. What is known of the rest of a block from each of
its rows (the suffix) and of the next block up to each row (the prefix) is merged, so that every
window costs one merge and keeps all its digits: running sums, which forget nothing that leaves
them, would not. Blocks begin at row 0, so that later rows change no earlier value by one bit. A
NaN makes those windows NaN that hold it.

Arrays are `(series, time)`, C-ordered. Import this module lazily: it loads numba, whose disk cache
notices changes of one file only.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float64]
Function = TypeVar("Function", bound=Callable[..., Any])
compiled = cast("Callable[[Function], Function]", njit(cache=True, error_model="numpy"))

MEAN_X, MEAN_B, XX, BB, XB, LOW_X, HIGH_X, LOW_B, HIGH_B = range(9)


@compiled
def start(state: Floats) -> None:
    """Moments of no rows."""
    state[:] = 0.0
    state[LOW_X] = state[LOW_B] = np.inf
    state[HIGH_X] = state[HIGH_B] = -np.inf


@compiled
def add(state: Floats, x: float, b: float, share: float) -> None:
    """Take one more row in; `share` is 1 / the number of rows with it [Welford 1962]."""
    dx, db = x - state[MEAN_X], b - state[MEAN_B]
    state[MEAN_X] += dx * share
    state[MEAN_B] += db * share
    left = x - state[MEAN_X]
    state[XX] += dx * left
    state[BB] += db * (b - state[MEAN_B])
    state[XB] += db * left
    state[LOW_X] = min(state[LOW_X], x)
    state[HIGH_X] = max(state[HIGH_X], x)
    state[LOW_B] = min(state[LOW_B], b)
    state[HIGH_B] = max(state[HIGH_B], b)


@compiled
def merge(one: Floats, other: Floats, share: float, weight: float, out: Floats) -> None:
    """Moments of two sets of rows [Chan, Golub & LeVeque 1979].

    `share` is that of `other` among all rows, `weight` the product of both counts over their sum.
    """
    dx, db = other[MEAN_X] - one[MEAN_X], other[MEAN_B] - one[MEAN_B]
    out[0] = one[MEAN_X] + dx * share
    out[1] = one[MEAN_B] + db * share
    out[2] = one[XX] + other[XX] + dx * dx * weight
    out[3] = one[BB] + other[BB] + db * db * weight
    out[4] = one[XB] + other[XB] + dx * db * weight
    out[5] = max(one[HIGH_X], other[HIGH_X]) - min(one[LOW_X], other[LOW_X])
    out[6] = max(one[HIGH_B], other[HIGH_B]) - min(one[LOW_B], other[LOW_B])


@compiled
def rolling_pairs(block: Floats, others: Floats, window: int, out: Floats) -> None:
    """Means, central sums and ranges of the last `window` rows of x and b.

    block, others : `(series, time)`. out : `(series, time, 7)`, of mean x, mean b, Σ (x - mean)²,
    Σ (b - mean)², Σ of the products, range of x, range of b; its rows in warm-up stay as they are.
    """
    size = block.shape[1]
    suffix, prefix = np.empty((window + 1, 9)), np.empty(9)
    start(suffix[window])
    for series in range(block.shape[0]):
        x, b = block[series], others[series]
        for begin in range(0, size, window):
            start(prefix)
            for place in range(min(window, size - begin)):
                add(prefix, x[begin + place], b[begin + place], 1.0 / (place + 1.0))
                if begin + place >= window - 1:
                    share = (place + 1.0) / window
                    weight = share * (window - 1.0 - place)
                    merge(suffix[place + 1], prefix, share, weight, out[series, begin + place])
            if begin + window < size:
                start(prefix)
                for place in range(window - 1, -1, -1):
                    add(prefix, x[begin + place], b[begin + place], 1.0 / (window - place))
                    suffix[place] = prefix


@compiled
def rolling_paths(block: Floats, window: int, out: Floats) -> None:
    """Growth and deepest loss from a peak within the last `window` rows.

    Equity is 1 before the first of them. out : `(series, time, 2)`; its rows in warm-up stay. Only
    the growth is sure to be NaN with a NaN in the window.
    """
    size = block.shape[1]
    growths, peaks, losses = np.ones(window + 1), np.ones(window + 1), np.zeros(window + 1)
    for series in range(block.shape[0]):
        x, found = block[series], out[series]
        for begin in range(0, size, window):
            growth, peak, bottom, worst = 1.0, 1.0, 1.0, 0.0
            for place in range(min(window, size - begin)):
                row = begin + place
                growth *= 1.0 + x[row]
                peak, bottom = max(peak, growth), min(bottom, growth)
                worst = min(worst, growth / peak - 1.0)
                if row >= window - 1:
                    fall = growths[place + 1] * bottom / peaks[place + 1] - 1.0
                    found[row, 0] = growths[place + 1] * growth - 1.0
                    found[row, 1] = min(losses[place + 1], worst, fall)
            growth, peak, bottom, worst = 1.0, 1.0, 1.0, 0.0
            for place in range(min(window, size - begin) - 1, -1, -1):
                step = 1.0 + x[begin + place]
                worst = min(worst, step * bottom - 1.0)
                growth, peak, bottom = step * growth, max(1.0, step * peak), min(1.0, step * bottom)
                growths[place], peaks[place], losses[place] = growth, peak, worst


def warm_up() -> None:
    """Compile every kernel for the types that `rolling.py` passes."""
    block = np.array([[0.1, -0.1, 0.2]])
    rolling_pairs(block, block, 2, np.empty((1, 3, 7)))
    rolling_paths(block, 2, np.empty((1, 3, 2)))
