"""Compiled loops of `event_effects`: calendar-time variances of outcomes in cells.

Import this module lazily: it loads numba, whose disk cache notices changes of one file only; that
is why all compiled functions of the event tests live here.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]

Function = TypeVar("Function", bound=Callable[..., Any])
compiled = cast("Callable[[Function], Function]", njit(cache=True, error_model="numpy", nogil=True))

# Spreads below this share of the squared mean are rounding of a constant.
CONSTANT = 1e-28
# Weighted sums of products below this share of the plain squares are rounding of 0.
ROUNDING = 1e-12


class Events(NamedTuple):
    """One row per event, shape (event,): column of its symbol, kind and bar, all from 0."""

    symbol: Codes
    kind: Codes
    bar: Codes


class Panel(NamedTuple):
    """`prices` and `bucket` (symbol, time): log prices, and the condition's code, < 0 for none.

    day : (time,), not decreasing, from 0. group : (symbol,): symbols of one group share cells.
    """

    prices: Floats
    bucket: npt.NDArray[np.int8]
    day: Codes
    group: Codes


class Cells(NamedTuple):
    """Events of one group sorted by cell and bar, those of cell c at `starts[c]:starts[c + 1]`.

    symbol, bar, day : (event,) each; day is that of the bar. cell, free : work space.
    """

    symbol: Codes
    bar: Codes
    day: Codes
    starts: Integers
    cell: Codes
    free: Integers


def cells_for(n_events: int, n_cells: int) -> Cells:
    """Room for the events of one group."""
    symbol, bar, day, cell = (np.empty(n_events, dtype=np.int32) for _ in range(4))
    starts, free = np.empty(n_cells + 1, dtype=np.int64), np.empty(n_cells, dtype=np.int64)
    return Cells(symbol, bar, day, starts, cell, free)


class Outputs(NamedTuple):
    """Shape (group, cell, horizon) each."""

    n: Integers
    mean: Floats
    variance: Floats
    days: Floats


class Scratch(NamedTuple):
    """Work space of one cell: its known outcomes with their bars and days, and sums per bar."""

    value: Floats
    bar: Codes
    day: Codes
    sums: Floats
    at: Codes


def scratch(size: int) -> Scratch:
    """Room for `size` events of one cell."""
    codes = [np.empty(size, dtype=np.int32) for _ in range(3)]
    return Scratch(np.empty(size), codes[0], codes[1], np.empty(size), codes[2])


class Room(NamedTuple):
    """Work space of one group, and the number of buckets."""

    cells: Cells
    work: Scratch
    n_buckets: int


@compiled
def effective_days(count: int, day: Codes) -> float:
    """`(sum of n_day)^2 / sum of n_day^2` of `count` events, sorted by day."""
    squares, in_day = 0.0, 1.0
    for i in range(1, count):
        if day[i] == day[i - 1]:
            in_day += 1.0
        else:
            squares += in_day * in_day
            in_day = 1.0
    return np.float64(count) * count / (squares + in_day * in_day)


@compiled
def variance_of_mean(count: int, mean: float, lag: int, work: Scratch) -> float:
    """Calendar-time variance of the mean of `count` outcomes sorted by bar, of which there is one.

    Outcomes of one bar are summed first; bars d apart have weight `1 - d / (lag + 1)`. NaN where
    it cannot be told from rounding. `work.value` ends demeaned.
    """
    value, bar, sums, at = work.value, work.bar, work.sums, work.at
    for i in range(count):
        value[i] -= mean
    repeats = 0
    for i in range(1, count):
        repeats += bar[i] == bar[i - 1]
    if repeats == 0:
        squares, cross = _pairs(count, lag + 1, value, bar)
    else:
        bars = 0
        for i in range(count):
            if bars > 0 and at[bars - 1] == bar[i]:
                sums[bars - 1] += value[i]
            else:
                sums[bars], at[bars] = value[i], bar[i]
                bars += 1
        squares, cross = _pairs(bars, lag + 1, sums, at)
    total = squares + cross
    known = squares > CONSTANT * count * mean * mean and total > ROUNDING * squares
    return total / (np.float64(count) * count) if known else np.nan


@compiled
def _pairs(bars: int, width: int, sums: Floats, at: Codes) -> tuple[float, float]:
    """Sum of squares, and of `2 (1 - distance / width) sums[i] sums[j]` where positive."""
    squares, cross = 0.0, 0.0
    for i in range(bars):
        squares += sums[i] * sums[i]
        j = i + 1
        while j < bars and at[j] - at[i] < width:
            cross += np.float64(width - (at[j] - at[i])) * sums[i] * sums[j]
            j += 1
    return squares, 2.0 * cross / width


@compiled
def edges_of(events: Events, group: Codes, edges: Integers) -> int:
    """Write where each group's events begin; return 0 when they are not sorted by group."""
    edges[:] = 0
    last, ordered = 0, 1
    for i in range(events.symbol.size):
        here = group[events.symbol[i]]
        if here < last:
            ordered = 0
        last = here
        edges[here + 1] += 1
    for g in range(edges.size - 1):
        edges[g + 1] += edges[g]
    return ordered


@compiled
def by_cell(
    events: Events, first: int, after: int, panel: Panel, n_buckets: int, cells: Cells
) -> int:
    """Copy events [first, after) into `cells`, in order; return 0 if a bar is before its last.

    The cell of an event is its kind times `n_buckets` plus its bucket; outside all buckets it is
    left out.
    """
    starts = cells.starts
    starts[:] = 0
    for i in range(first, after):
        bucket = panel.bucket[events.symbol[i], events.bar[i]]
        cells.cell[i - first] = -1
        if 0 <= bucket < n_buckets:
            cells.cell[i - first] = np.int64(events.kind[i]) * n_buckets + bucket
            starts[cells.cell[i - first] + 1] += 1
    for c in range(starts.size - 1):
        starts[c + 1] += starts[c]
    cells.free[:] = starts[:-1]
    ordered = 1
    for i in range(first, after):
        c, bar = cells.cell[i - first], events.bar[i]
        if c < 0:
            continue
        k = cells.free[c]
        if k > starts[c] and cells.bar[k - 1] > bar:
            ordered = 0
        cells.symbol[k], cells.bar[k], cells.day[k] = events.symbol[i], bar, panel.day[bar]
        cells.free[c] = k + 1
    return ordered


@compiled
def known(
    cells: Cells, c: int, prices: Floats, steps: Integers, work: Scratch
) -> tuple[int, float]:
    """Collect the known outcomes of cell c in `work`; return their number and sum."""
    ahead, delay = steps[0] + steps[2], steps[2]
    n_times = prices.shape[1]
    count, total = 0, 0.0
    for k in range(cells.starts[c], cells.starts[c + 1]):
        symbol, bar = cells.symbol[k], cells.bar[k]
        if bar + ahead >= n_times:
            continue
        outcome = prices[symbol, bar + ahead] - prices[symbol, bar + delay]
        if outcome == outcome:  # noqa: PLR0124 - NaN differs from itself
            work.value[count], work.bar[count], work.day[count] = outcome, bar, cells.day[k]
            total += outcome
            count += 1
    return count, total


@compiled
def scan_group(cells: Cells, prices: Floats, plan: Integers, out: Outputs, work: Scratch) -> None:
    """Effects of every cell of one group; rows of `plan` are horizon, lag and delay, in bars.

    An event whose outcome is not known (history too short, NaN) is left out of that horizon.
    """
    for c in range(cells.starts.size - 1):
        size = cells.starts[c + 1] - cells.starts[c]
        whole = -1  # an earlier horizon that knows all outcomes, as most do: the same days
        for h in range(plan.shape[0]):
            count, total = known(cells, c, prices, plan[h], work)
            out.n[c, h] = count
            if count == 0:
                out.mean[c, h] = out.variance[c, h] = out.days[c, h] = np.nan
                continue
            out.mean[c, h] = total / count
            out.variance[c, h] = variance_of_mean(count, total / count, plan[h, 1], work)
            if count == size and whole >= 0:
                out.days[c, h] = out.days[c, whole]
            else:
                out.days[c, h] = effective_days(count, work.day)
            whole = h if count == size else whole


@compiled
def _read_through(row: Floats) -> float:
    """Touch each cache line in order: much faster than meeting them at random afterwards."""
    total = 0.0
    for i in range(0, row.size, 8):
        total += row[i]
    return total


@compiled
def scan(
    events: Events, edges: Integers, panel: Panel, plan: Integers, out: Outputs, room: Room
) -> int:
    """Effects of every group's cells, a group at a time; 0 when events of a cell go back in time.

    out : shape (group, cell, horizon) each. A group's events and outcomes stay in the cache.
    """
    for g in range(edges.size - 1):
        first, after = edges[g], edges[g + 1]
        if after > first:
            room.work.sums[0] = _read_through(panel.prices[events.symbol[first]])
        if not by_cell(events, first, after, panel, room.n_buckets, room.cells):
            return 0
        here = Outputs(out.n[g], out.mean[g], out.variance[g], out.days[g])
        scan_group(room.cells, panel.prices, plan, here, room.work)
    return 1


def warm_up() -> None:
    """Compile every function of this module for the types that `event_effects` passes."""
    codes = np.zeros(2, dtype=np.int32)
    events = Events(codes, codes.copy(), np.array([0, 1], dtype=np.int32))
    bucket = np.zeros((1, 3), dtype=np.int8)
    panel = Panel(np.zeros((1, 3)), bucket, np.zeros(3, dtype=np.int32), codes[:1].copy())
    edges = np.empty(2, dtype=np.int64)
    edges_of(events, panel.group, edges)
    n = np.empty((1, 1, 1), dtype=np.int64)
    out = Outputs(n, np.empty((1, 1, 1)), np.empty((1, 1, 1)), np.empty((1, 1, 1)))
    room = Room(cells_for(2, 1), scratch(2), 1)
    scan(events, edges, panel, np.array([[1, 2, 0]], dtype=np.int64), out, room)
    work = scratch(2)
    work.value[:], work.bar[:], work.day[:] = 1.0, 0, 0
    variance_of_mean(2, 1.0, 1, work)
    effective_days(2, work.day)
