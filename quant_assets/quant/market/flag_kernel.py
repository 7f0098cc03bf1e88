"""The compiled walk that judges each close by the ones before it.

Import this module lazily: it loads numba, whose disk cache notices changes of one file only.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Function = TypeVar("Function", bound=Callable[..., Any])
compiled = cast("Callable[[Function], Function]", njit(cache=True, error_model="numpy"))

ROBUST = 1.4826  # standard deviation of a normal variable per median of its absolute value


@compiled
def replace(ordered: Floats, count: int, old: float, new: float) -> None:
    """Take `old` (NaN: nothing) out of the sorted first `count` values and put `new` in."""
    if np.isnan(old):
        at, last = count, count
        ordered[count] = np.inf
    else:
        at, last = int(np.searchsorted(ordered[:count], old)), count - 1
    while at > 0 and ordered[at - 1] > new:
        ordered[at] = ordered[at - 1]
        at -= 1
    while at < last and ordered[at + 1] < new:
        ordered[at] = ordered[at + 1]
        at += 1
    ordered[at] = new


@compiled
def median(ordered: Floats, count: int) -> float:
    """Median of the sorted first `count` values."""
    middle = count // 2
    return float(ordered[middle] if count % 2 else (ordered[middle - 1] + ordered[middle]) / 2.0)


@compiled
def furthest(low: float, close: float, high: float, reference: float) -> float:
    """Log ratio to `reference` of the price that lies furthest from it; NaN prices are left out."""
    distance = np.log(close / reference)
    for price in (low, high):
        if abs(np.log(price / reference)) > abs(distance):
            distance = np.log(price / reference)
    return float(distance)


@compiled
def spikes(
    prices: tuple[Floats, Floats, Floats, Floats],
    joined: Flags,
    begins: Integers,
    sizes: tuple[int, int],
    limits: tuple[float, float, float],
) -> tuple[Floats, Floats, Flags]:
    """Robust z of every row, the close before it that it is compared with, whether it is a spike.

    prices : low, close, high and the factor that makes earlier prices comparable, each (rows,),
        symbol after symbol, in time; rows have a close.
    joined : whether the row follows the one before it without a gap; the others have no z.
    begins : first row of each symbol, and the number of rows.
    sizes : rows of the trailing window, and the least of them that give a scale.
    limits : z and log move that make a spike, and the least scale.

    The scale is the median of the absolute log returns before the row. A close is compared with
    the one before it or, where that was a spike, with the last that was none, if it is nearer.
    """
    low, close, high, factor = prices
    window, least = sizes
    z, references = np.full(close.size, np.nan), np.full(close.size, np.nan)
    flagged = np.zeros(close.size, dtype=np.bool_)
    ordered, queue = np.empty(window + 1), np.empty(window)
    for symbol in range(begins.size - 1):
        count, head = 0, 0
        sound = close[begins[symbol]]
        for row in range(begins[symbol] + 1, begins[symbol + 1]):
            before, sound = close[row - 1] * factor[row], sound * factor[row]
            change = np.log(close[row] / before)
            reference = before
            if abs(np.log(close[row] / sound)) < abs(change):
                reference = sound
            references[row] = reference
            is_spike = False
            if joined[row] and count >= least:
                move = furthest(low[row], close[row], high[row], reference)
                z[row] = move / max(ROBUST * median(ordered, count), limits[2])
                is_spike = abs(z[row]) > limits[0] and abs(move) > limits[1]
            if not is_spike:
                sound = close[row]
                if joined[row]:
                    old = queue[head] if count == window else np.nan
                    replace(ordered, count, old, abs(change))
                    queue[head] = abs(change)
                    head = (head + 1) % window
                    count = min(count + 1, window)
            else:
                flagged[row] = True
    return z, references, flagged
