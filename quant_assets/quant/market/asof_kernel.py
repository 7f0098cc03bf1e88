"""Compiled loops of `timeframes`: runs of clock rows that one source row is the latest for.

Import this module lazily: it loads numba, whose disk cache notices changes of one file only; that
is why all compiled functions of the alignment live here. Instants are microseconds since 1970.
'Clock order' is sorted by (symbol, available_at); `starts[s]` is where symbol s begins in it.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

Function = TypeVar("Function", bound=Callable[..., Any])
compiled = cast("Callable[[Function], Function]", njit(cache=True, error_model="numpy", nogil=True))

BEFORE_ALL, AFTER_ALL = np.iinfo(np.int64).min, np.iinfo(np.int64).max


class Runs(NamedTuple):
    """Clock rows [first, after) whose latest source row is `row`, all in clock order."""

    first: Integers
    after: Integers
    row: Integers


class Known(NamedTuple):
    """A source in clock order; rows [begins[s], ends[s]) are those of the clock's symbol s."""

    available_at: Integers
    ts: Integers
    begins: Integers
    ends: Integers


class Facts(NamedTuple):
    """About the rows of a series.

    unsorted : the first row out of order, -1 when there is none.
    step, delay : smallest difference of `ts` within a symbol, and from `ts` to `available_at`.
    """

    unsorted: int
    step: int
    delay: int
    in_clock_order: bool


@compiled
def inspect(code: Integers, ts: Integers, available_at: Integers, counts: Integers) -> Facts:
    """Facts of the rows, and the rows per symbol in `counts`.

    Rows are in order when sorted by (code, ts) or by (ts, code), without repetition.
    """
    last = np.full(counts.size, BEFORE_ALL)
    counts[:] = 0
    by_symbol, by_time, in_clock_order = -1, -1, True
    step, delay = AFTER_ALL, AFTER_ALL
    for i in range(ts.size):
        symbol, moment = code[i], ts[i]
        if i > 0:
            grows, same = moment > ts[i - 1], symbol == code[i - 1]
            if by_symbol < 0 and not (symbol > code[i - 1] or (same and grows)):
                by_symbol = i
            if by_time < 0 and not (grows or (moment == ts[i - 1] and symbol > code[i - 1])):
                by_time = i
            late = same and available_at[i] < available_at[i - 1]
            in_clock_order = in_clock_order and symbol >= code[i - 1] and not late
        if counts[symbol] > 0:
            step = min(step, moment - last[symbol])
        last[symbol] = moment
        counts[symbol] += 1
        delay = min(delay, available_at[i] - moment)
    unsorted = -1 if min(by_symbol, by_time) < 0 else max(by_symbol, by_time)
    return Facts(unsorted, step, delay, in_clock_order)


@compiled
def by_symbol(code: Integers, starts: Integers) -> Integers:
    """Positions of the rows sorted by code, keeping their order within one."""
    order = np.empty(code.size, dtype=np.int64)
    free = starts[:-1].copy()
    for i in range(code.size):
        order[free[code[i]]] = i
        free[code[i]] += 1
    return order


@compiled
def _first_not_before(at: Integers, start: int, stop: int, moment: int) -> int:
    """First position from `start` with at >= moment; near ones are found in few steps."""
    step, low, high = 1, start, start
    while high < stop and at[high] < moment:
        low = high + 1
        high += step
        step *= 2
    high = min(high, stop)
    while low < high:
        middle = (low + high) // 2
        if at[middle] < moment:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def match(at: Integers, at_starts: Integers, source: Known, max_age: int, runs: Runs) -> int:
    """Write the runs in the clock's order and return their number.

    Among the rows known at an instant the one with the latest `ts` counts, so a row that is
    published late does not push out a newer one.
    """
    n_runs = 0
    for symbol in range(at_starts.size - 1):
        position, stop = at_starts[symbol], at_starts[symbol + 1]
        begin, end = source.begins[symbol], source.ends[symbol]
        best = begin
        for j in range(begin, end):
            position = _first_not_before(at, position, stop, source.available_at[j])
            if j > begin:
                oldest = source.available_at[best] + max_age
                runs.after[n_runs - 1] = _cut(at, runs.first[n_runs - 1], position, oldest)
            if source.ts[j] >= source.ts[best]:
                best = j
            runs.first[n_runs], runs.row[n_runs] = position, best
            n_runs += 1
        if end > begin:
            oldest = source.available_at[best] + max_age
            runs.after[n_runs - 1] = _cut(at, runs.first[n_runs - 1], stop, oldest)
    return n_runs


@compiled
def _cut(at: Integers, first: int, after: int, oldest: int) -> int:
    """End of the clock rows [first, after) with at <= oldest; mostly they all are."""
    if after == first or at[after - 1] <= oldest:
        return after
    return _first_not_before(at, first, after, oldest + 1)


@compiled
def spread(runs: Runs, values: Floats, aligned: Floats) -> None:
    """`values` (in clock order) on the rows of the clock; NaN where there is none."""
    done = 0
    for j in range(runs.first.size):
        if runs.after[j] > runs.first[j]:
            aligned[done : runs.first[j]] = np.nan
            aligned[runs.first[j] : runs.after[j]] = values[runs.row[j]]
            done = runs.after[j]
    aligned[done:] = np.nan
