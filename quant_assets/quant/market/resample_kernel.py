"""Compiled loops of `resample`: one pass over the rows, nothing allocated.

Import this module lazily: it loads numba, whose disk cache notices changes of one file only; that
is why all compiled functions of the resampling live here. Instants are microseconds since 1970.
`starts[k]` begins session k, the last entry ends the last session; a session is cut into bars of
`step`, its last one may be shorter. A row without close is a gap: it is seen but adds nothing.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Counts = npt.NDArray[np.int32]
Codes = npt.NDArray[np.integer]

Function = TypeVar("Function", bound=Callable[..., Any])
compiled = cast("Callable[[Function], Function]", njit(cache=True, error_model="numpy", nogil=True))

# For what is called once a row: a true call counts references of all its arrays, 12 times slower.
inlined = cast("Callable[[Function], Function]", njit(cache=True, inline="always"))

# Keys and fields are read in turns of this many bars: 17 streams at once are too many to prefetch.
BLOCK = 65_536
BEFORE_ALL = np.iinfo(np.int64).min


class Clock(NamedTuple):
    """Session starts (n_sessions + 1,), bar length inside a session, length of one source row.

    `reach` is how far a row must lie inside its bar (0 for rows of a day or longer, whose length
    is not the same on all days); `rows_per_bar` is 0 where a bar's span tells it.
    """

    starts: Integers
    step: int
    row_length: int
    reach: int
    rows_per_bar: int


class Fields(NamedTuple):
    """Prices and volume, shape (n,) each; NaN where there is none."""

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats


class Keys(NamedTuple):
    """Symbol, open time and publication of each row; rows of panels have no `code`."""

    code: Codes
    ts: Integers
    available_at: Integers


class Stamps(NamedTuple):
    """What bars carry beside `Fields`."""

    code: Codes
    ts: Integers
    available_at: Integers
    n_rows: Counts


@compiled
def _bar_at(moment: int, end: int, session: int, clock: Clock) -> tuple[int, int, int]:
    """Begin and end of the bar that holds `moment`, and its session.

    `end` and `session` are those of an earlier bar; mostly the bar asked for is the next one. A
    moment of unsorted rows that lies outside the sessions gets a bar of the last one.
    """
    starts, step = clock.starts, clock.step
    if end <= moment < end + step <= starts[session + 1]:
        return end, end + step, session
    while session + 2 < starts.size and moment >= starts[session + 1]:
        session += 1
    first = starts[session]
    begin = first + (moment - first) // step * step
    return begin, min(begin + step, starts[session + 1]), session


@compiled
def _expected(begin: int, end: int, clock: Clock) -> int:
    """How many rows a whole bar has; a session of 23 hours has 23 rows of an hour."""
    if clock.rows_per_bar > 0:
        return clock.rows_per_bar
    return (end - begin + clock.row_length // 2) // clock.row_length


@compiled
def _known_at(latest: int, end: int, seen: int, expected: int) -> int:
    """A bar that lacks rows is not known before its end: another row might still have come."""
    return latest if seen >= expected else max(latest, end)


@compiled
def _higher(high: float, other: float) -> float:
    """The higher one; `high` when the other is NaN, which `max` does not promise."""
    return other if other > high else high


@compiled
def _lower(low: float, other: float) -> float:
    """The lower one; `low` when the other is NaN."""
    return other if other < low else low


@inlined
def _open_slot(bars: Fields, n_rows: Counts, slot: int) -> None:
    bars.open[slot], bars.close[slot], bars.volume[slot] = np.nan, np.nan, np.nan
    bars.high[slot], bars.low[slot] = -np.inf, np.inf
    n_rows[slot] = 0


@inlined
def _add_row(rows: Fields, i: int, bars: Fields, n_rows: Counts, slot: int) -> None:
    close = rows.close[i]
    if np.isnan(close):
        return
    n_rows[slot] += 1
    bars.close[slot] = close
    if np.isnan(bars.open[slot]):
        bars.open[slot] = rows.open[i]
    bars.high[slot] = _higher(bars.high[slot], rows.high[i])
    bars.low[slot] = _lower(bars.low[slot], rows.low[i])
    traded = rows.volume[i]
    if not np.isnan(traded):
        volume = bars.volume[slot]
        bars.volume[slot] = traded if np.isnan(volume) else volume + traded


@inlined
def _close_slot(bars: Fields, n_rows: Counts, slot: int) -> None:
    if bars.high[slot] == -np.inf:
        bars.high[slot] = np.nan
    if bars.low[slot] == np.inf:
        bars.low[slot] = np.nan
    if n_rows[slot] == 0:
        bars.volume[slot] = 0.0


@inlined
def _end_of_run(keys: Keys, first: int, end: int) -> int:
    """Position after the rows from `first` on of one symbol, in order and before `end`."""
    code, ts, _ = keys
    i = first + 1
    while i < ts.size and ts[i] < end and code[i] == code[first] and ts[i] > ts[i - 1]:
        i += 1
    return i


@inlined
def _fill_whole(rows: Fields, first: int, after: int, bars: Fields, slot: int) -> bool:
    """The bar of rows [first, after); False, and nothing right, when something in them is NaN."""
    high, low, volume = rows.high[first], rows.low[first], rows.volume[first]
    closes = rows.close[first]
    for i in range(first + 1, after):
        high = _higher(high, rows.high[i])
        low = _lower(low, rows.low[i])
        volume += rows.volume[i]
        closes += rows.close[i]
    bars.open[slot], bars.high[slot], bars.low[slot] = rows.open[first], high, low
    bars.close[slot], bars.volume[slot] = rows.close[after - 1], volume
    return not np.isnan(rows.open[first] + high + low + volume + closes)


@inlined
def _fill_block(
    rows: Fields, begins: Integers, n_rows: Counts, bars: Fields, done: int, slots: int
) -> None:
    """Fields of the bars [done, slots), whose first rows are `begins`."""
    for slot in range(done, slots):
        first, after = begins[slot - done], begins[slot - done + 1]
        if not _fill_whole(rows, first, after, bars, slot):
            _open_slot(bars, n_rows, slot)
            for row in range(first, after):
                _add_row(rows, row, bars, n_rows, slot)
            _close_slot(bars, n_rows, slot)


@compiled
def fill_by_symbol(
    keys: Keys, rows: Fields, clock: Clock, stamps: Stamps, bars: Fields
) -> tuple[int, int]:
    """Bars of rows sorted by (code, ts), in the same order; their number, and the first bad row.

    The latter is -1, or the row that is out of order or lies across a bar's end; then the bars are
    worth nothing. Outputs that are too short for sorted rows count as a bad row.
    """
    code, ts, available_at = keys
    i, slot, session, end = 0, 0, 0, BEFORE_ALL
    span, expected, done = 0, 0, 0
    begins = np.empty(BLOCK + 1, dtype=np.int64)
    while i < ts.size:
        first = i
        if i > 0 and code[i] != code[i - 1]:
            session, end = 0, BEFORE_ALL
        if slot == stamps.ts.size or (i > 0 and code[i] < code[i - 1]) or ts[i] < end:
            return slot, i
        begin, end, session = _bar_at(ts[i], end, session, clock)
        if end - begin != span:
            span, expected = end - begin, _expected(begin, end, clock)
        i = _end_of_run(keys, first, end)
        if ts[i - 1] + clock.reach > end:
            return slot, i - 1
        latest = available_at[first]
        for row in range(first + 1, i):
            latest = max(latest, available_at[row])
        stamps.ts[slot] = begin
        stamps.available_at[slot] = _known_at(latest, end, i - first, expected)
        stamps.code[slot] = code[first]
        stamps.n_rows[slot] = i - first
        begins[slot - done] = first
        slot += 1
        if slot - done == BLOCK or i == ts.size:
            begins[slot - done] = i
            _fill_block(rows, begins, stamps.n_rows, bars, done, slot)
            done = slot
    return slot, -1


@compiled
def count_by_time(code: Codes, ts: Integers, clock: Clock, n_symbols: int) -> tuple[int, int]:
    """Bars in rows sorted by (ts, code), 0 <= code < n_symbols; and the first bad row or -1.

    A bad row is out of order, or lies across a bar's end.
    """
    bars, session, end = 0, 0, BEFORE_ALL
    begins = np.full(n_symbols, BEFORE_ALL)
    begin = BEFORE_ALL
    for i in range(ts.size):
        if i > 0 and (ts[i] < ts[i - 1] or (ts[i] == ts[i - 1] and code[i] <= code[i - 1])):
            return bars, i
        if ts[i] >= end:
            begin, end, session = _bar_at(ts[i], end, session, clock)
        if ts[i] + clock.reach > end:
            return bars, i
        if begins[code[i]] != begin:
            begins[code[i]] = begin
            bars += 1
    return bars, -1


@compiled
def fill_by_time(
    keys: Keys, rows: Fields, clock: Clock, n_symbols: int, stamps: Stamps, bars: Fields
) -> None:
    """Bars of rows sorted by (ts, code), sorted by (bar, code)."""
    code, ts, available_at = keys
    seen = np.zeros(n_symbols, dtype=np.int64)
    slots = np.zeros(n_symbols, dtype=np.int64)
    i, slot, session, end = 0, 0, 0, BEFORE_ALL
    while i < ts.size:
        begin, end, session = _bar_at(ts[i], end, session, clock)
        expected = _expected(begin, end, clock)
        after = i
        seen[:] = 0
        while after < ts.size and ts[after] < end:
            seen[code[after]] += 1
            after += 1
        first = slot
        for symbol in range(n_symbols):
            if seen[symbol] > 0:
                slots[symbol] = slot
                stamps.ts[slot] = begin
                stamps.code[slot] = symbol
                stamps.available_at[slot] = BEFORE_ALL
                _open_slot(bars, stamps.n_rows, slot)
                slot += 1
        while i < after:
            at = slots[code[i]]
            stamps.available_at[at] = max(stamps.available_at[at], available_at[i])
            _add_row(rows, i, bars, stamps.n_rows, at)
            i += 1
        for at in range(first, slot):
            _close_slot(bars, stamps.n_rows, at)
            count = seen[stamps.code[at]]
            stamps.available_at[at] = _known_at(stamps.available_at[at], end, count, expected)


@compiled
def fill_panel(keys: Keys, rows: Fields, clock: Clock, stamps: Stamps, bars: Fields) -> None:
    """Bars of panels with a common clock, raveled (time, symbol) in and (bar, symbol) out.

    `stamps.n_rows` is (n_bars x n_symbols,), the other stamps (n_bars,); no `code` is written.
    """
    _, ts, available_at = keys
    n_symbols = rows.close.size // max(ts.size, 1)
    i, bar, session, end = 0, 0, 0, BEFORE_ALL
    while i < ts.size:
        begin, end, session = _bar_at(ts[i], end, session, clock)
        expected = _expected(begin, end, clock)
        first, latest = i, BEFORE_ALL
        slots = bar * n_symbols
        for symbol in range(n_symbols):
            _open_slot(bars, stamps.n_rows, slots + symbol)
        while i < ts.size and ts[i] < end:
            latest = max(latest, available_at[i])
            for symbol in range(n_symbols):
                _add_row(rows, i * n_symbols + symbol, bars, stamps.n_rows, slots + symbol)
            i += 1
        stamps.ts[bar] = begin
        stamps.available_at[bar] = _known_at(latest, end, i - first, expected)
        for slot in range(slots, slots + n_symbols):
            _close_slot(bars, stamps.n_rows, slot)
        bar += 1
