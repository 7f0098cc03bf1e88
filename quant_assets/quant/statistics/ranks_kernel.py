"""Compiled ranks of the rows of a matrix, and their rank correlation.

Import this module lazily: it loads numba, whose disk cache notices changes of one file only.

A row is ordered by sorting whole numbers: the bits of a double, taken as an integer, have the
order of the doubles; counted from the least value of the row and shifted up, they leave room for
the column in the lowest bits. numpy sorts such keys with vector instructions. Where the values of
a row span so many powers of two that bits had to be dropped for the column, neighbours that share
the remaining bits are put in order by their values, so that ranks are exact for every input.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]
Function = TypeVar("Function", bound=Callable[..., Any])
compiled = cast("Callable[[Function], Function]", njit(cache=True, error_model="numpy"))
# Sums of products of ranks are whole multiples of 1/4 below 2**53: exact in any order.
reassociated = cast(
    "Callable[[Function], Function]",
    njit(cache=True, error_model="numpy", fastmath={"reassoc", "contract"}),
)

NarrowKeys = npt.NDArray[np.uint32]
AnyKeys = Keys | NarrowKeys
Side = tuple[Floats, Keys, Integers, Integers]  # values, sorted keys, drops, counts
AnySide = Side | tuple[Floats, NarrowKeys, Integers, Integers]
FEW = 32  # columns up to which ranks are counted, not sorted
BLOCK = 16_384  # values of a block: with its keys it stays in the second-level cache
NARROW = 512  # columns up to which keys of half the room seldom share a place
NARROW_MISSING = 0xFFFFFFFF
MISSING = np.uint64(0xFFFFFFFFFFFFFFFF)
SIGN = np.int64(63)
MAGNITUDE = np.int64(0x7FFFFFFFFFFFFFFF)
ONE = np.uint64(1)


@compiled
def pack(values: Floats, bits: int, keys: Keys, drops: Integers, counts: Integers) -> None:
    """Keys of each row: distance from its least value, `bits` bits of column; NaN comes last.

    values, keys : (rows, width). drops : (rows,), bits lost to the column. counts : (rows,),
    values that are not NaN.
    """
    for row in range(values.shape[0]):
        least, greatest, count = MAGNITUDE, -MAGNITUDE, 0
        as_integers = (values[row] + 0.0).view(np.int64)  # -0.0 becomes 0.0
        for column in range(values.shape[1]):
            raw = as_integers[column]
            ordered = raw ^ ((raw >> SIGN) & MAGNITUDE)
            known = values[row, column] == values[row, column]
            least = min(least, ordered if known else MAGNITUDE)
            greatest = max(greatest, ordered if known else -MAGNITUDE)
            count += known
        counts[row] = count
        spread, drop = np.uint64(greatest - least) if count > 0 else np.uint64(0), 0
        while (spread >> np.uint64(drop)) >= (ONE << np.uint64(63 - bits)):
            drop += 1
        drops[row] = drop
        for column in range(values.shape[1]):
            raw = as_integers[column]
            ordered = raw ^ ((raw >> SIGN) & MAGNITUDE)
            key = (np.uint64(ordered - least) >> np.uint64(drop)) << np.uint64(bits)
            known = values[row, column] == values[row, column]
            keys[row, column] = (key | np.uint64(column)) if known else MISSING


@compiled
def measure_rows(values: Floats, ends: Integers, counts: Integers) -> None:
    """Bits of the least and of the greatest value of each row, (2, rows); values not NaN."""
    for row in range(values.shape[0]):
        least, greatest, count = MAGNITUDE, -MAGNITUDE, 0
        as_integers = values[row].view(np.int64)
        for column in range(values.shape[1]):
            raw = as_integers[column]
            ordered = raw ^ ((raw >> SIGN) & MAGNITUDE)
            known = values[row, column] == values[row, column]
            least = min(least, ordered if known else MAGNITUDE)
            greatest = max(greatest, ordered if known else -MAGNITUDE)
            count += known
        counts[row] = count
        ends[0, row] = least
        ends[1, row] = greatest
    for end in range(2):
        for row in range(values.shape[0]):
            ends[end, row] ^= (ends[end, row] >> SIGN) & MAGNITUDE


@compiled
def pack_narrow(values: Floats, bits: int, lowest: Floats, scale: Floats, keys: NarrowKeys) -> None:
    """As `pack`, in half the room: the rest of a key is the value's place in the range of its row.

    Values keep their order and may share a place; all do where the range is not finite.
    """
    for row in range(values.shape[0]):
        source, target, least, per_unit = values[row], keys[row], lowest[row], scale[row]
        if per_unit == 0.0:
            for column in range(source.size):
                known = source[column] == source[column]
                target[column] = np.uint32(column if known else NARROW_MISSING)
            continue
        for column in range(source.size):
            known = source[column] == source[column]
            place = np.int64((source[column] - least) * per_unit if known else 0.0)
            target[column] = np.uint32((place << bits) | column if known else NARROW_MISSING)


@compiled
def _sort_run(values: Floats, order: Integers, start: int, end: int) -> None:
    """Put the columns `order[start:end]` in the order of their values (Shell's sort)."""
    gap = (end - start) // 2
    while gap > 0:
        for at in range(start + gap, end):
            column, place = order[at], at
            while place >= start + gap and values[order[place - gap]] > values[column]:
                order[place] = order[place - gap]
                place -= gap
            order[place] = column
        gap //= 2


@compiled
def settle(
    values: Floats, keys: AnyKeys, bits: int, shape: tuple[int, int], order: Integers
) -> None:
    """Columns of one row in the order of their values; keys : (width,), sorted.

    shape : values that are not NaN, bits dropped. Fills `order[:count]`.
    """
    count, drop = shape
    mask, shift = (ONE << np.uint64(bits)) - ONE, np.uint64(bits)
    for at in range(count):
        order[at] = np.int64(keys[at] & mask)
    if drop == 0:
        return
    start = 0
    for at in range(1, count + 1):
        if at < count and keys[at] >> shift == keys[start] >> shift:
            continue
        if at - start > 1:
            _sort_run(values, order, start, at)
        start = at


@compiled
def assign(values: Floats, order: Integers, count: int, ranks: Floats) -> None:
    """Average ranks 1..count of the columns `order[:count]`; the others are left alone."""
    tied, before = False, np.nan
    for at in range(count):
        column = order[at]
        value = values[column]
        tied |= value == before
        before = value
        ranks[column] = at + 1.0
    start = 0
    while tied and start < count:
        value, end = values[order[start]], start + 1
        while end < count and values[order[end]] == value:
            end += 1
        for at in range(start, end):
            ranks[order[at]] = (start + end + 1) / 2.0
        start = end


@compiled
def _distinct_ranks(keys: AnyKeys, bits: int, steps: Floats, count: int, ranks: Floats) -> bool:
    """Ranks straight from the sorted keys of a row; whether no two of them share their bits.

    steps : what the place of each key is worth.
    """
    mask, shift = (ONE << np.uint64(bits)) - ONE, np.uint64(bits)
    before, shared = MISSING, False
    for at in range(count):
        key = keys[at]
        shared |= key >> shift == before
        before = key >> shift
        ranks[key & mask] = steps[at]
    return not shared


@compiled
def rank_rows(side: AnySide, bits: int, less: float, share: bool, ranks: Floats) -> None:
    """Average ranks of each row from its sorted keys, minus `less`; NaN stays NaN.

    With `share`, divided by the number of known values.
    """
    values, keys, drops, counts = side
    order, steps = np.empty(values.shape[1], dtype=np.int64), np.empty(values.shape[1])
    known = -1
    for row in range(values.shape[0]):
        count = counts[row]
        divisor = float(count) if share else 1.0
        if count < values.shape[1]:
            ranks[row, :] = np.nan
        if count != known:
            for at in range(count):
                steps[at] = (at + 1.0 - less) / divisor
            known = count
        if _distinct_ranks(keys[row], bits, steps, count, ranks[row]):
            continue
        settle(values[row], keys[row], bits, (count, drops[row]), order)
        assign(values[row], order, count, ranks[row])
        for at in range(count):
            column = order[at]
            ranks[row, column] = (ranks[row, column] - less) / divisor


@compiled
def count_ranks(columns: Floats, less: float, share: bool, ranks: Floats) -> None:
    """As `rank_rows`, by comparing each pair of values: quicker than sorting for few.

    columns, ranks : (width, rows), a row's values below each other: rows fill the vector registers.
    """
    width, n_rows = columns.shape
    known = np.zeros(n_rows)
    for column in range(width):
        balance = ranks[column]  # smaller values less larger ones, which is twice the rank - n - 1
        for row in range(n_rows):
            balance[row] = 0.0
            known[row] += 0.0 if np.isnan(columns[column, row]) else 1.0
    for column in range(width):
        values, balance = columns[column], ranks[column]
        for rival in range(column + 1, width):
            others, other_balance = columns[rival], ranks[rival]
            for row in range(n_rows):
                above = 1.0 if values[row] > others[row] else 0.0
                above -= 1.0 if values[row] < others[row] else 0.0
                balance[row] += above
                other_balance[row] -= above
        for row in range(n_rows):
            rank = (balance[row] + known[row] + 1.0) / 2.0 - less
            rank = rank / known[row] if share else rank
            balance[row] = np.nan if np.isnan(values[row]) else rank


@compiled
def keep_pairs(order: Integers, count: int, other: Floats, kept: Integers) -> int:
    """Copy into `kept` the columns of `order` where `other` is known; their number."""
    pairs = 0
    for at in range(count):
        column = order[at]
        kept[pairs] = column
        pairs += other[column] == other[column]
    return pairs


@reassociated
def correlation(left: Floats, right: Floats, pairs: int, least: int) -> float:
    """Correlation of two rows of average ranks with mean (pairs + 1) / 2; NaN is passed over.

    NaN with fewer than `least` pairs or where one side is constant.
    """
    if pairs < least:
        return np.nan
    middle = (pairs + 1) / 2.0
    both, first, second = 0.0, 0.0, 0.0
    for column in range(left.size):
        a, b = left[column] - middle, right[column] - middle
        known = not (np.isnan(a) or np.isnan(b))
        both += a * b if known else 0.0
        first += a * a if known else 0.0
        second += b * b if known else 0.0
    scale = first * second
    if scale <= 0.0:
        return np.nan
    return float(min(1.0, max(-1.0, both / np.sqrt(scale))))


@compiled
def correlate_rows(left: Side, right: Side, bits: int, least: int, out: Floats) -> None:
    """Spearman correlation of each row of `left` with that of `right`, over whole pairs."""
    rows, width = left[0].shape
    order, pairs = np.empty(width, dtype=np.int64), np.empty(width, dtype=np.int64)
    first, second = np.empty(width), np.empty(width)
    for row in range(rows):
        x, y = left[0][row], right[0][row]
        first[:], second[:] = np.nan, np.nan
        settle(x, left[1][row], bits, (left[3][row], left[2][row]), order)
        count = keep_pairs(order, left[3][row], y, pairs)
        assign(x, pairs, count, first)
        settle(y, right[1][row], bits, (right[3][row], right[2][row]), order)
        count = keep_pairs(order, right[3][row], x, pairs)
        assign(y, pairs, count, second)
        out[row] = correlation(first, second, count, least)


@compiled
def forward_returns(close: Floats, begin: int, horizon: int, out: Floats) -> None:
    """Simple returns of the rows from `begin` over `horizon` rows; NaN where the end lies ahead.

    close : (time, width). out : (rows, width). Infinite returns (a price of 0) become NaN.
    """
    for row in range(out.shape[0]):
        start, end = begin + row, begin + row + horizon
        if end >= close.shape[0]:
            out[row, :] = np.nan
            continue
        for column in range(close.shape[1]):
            change = close[end, column] / close[start, column] - 1.0
            out[row, column] = change if abs(change) < np.inf else np.nan


@compiled
def score_rows(
    left: Side,
    right: Side,
    bits: int,
    least: int,
    out: tuple[Floats, Floats, Integers],
) -> None:
    """Rank correlation and mean of `right` per quantile of `left`, for each row.

    out : correlation (rows,), means (rows, quantile), pairs (rows, quantile). Quantile of a pair:
    floor((average rank - 1) quantiles / pairs).
    """
    rows, width = left[0].shape
    ic, means, members = out
    quantiles = means.shape[1]
    order, pairs = np.empty(width, dtype=np.int64), np.empty(width, dtype=np.int64)
    first, second = np.empty(width), np.empty(width)
    for row in range(rows):
        x, y = left[0][row], right[0][row]
        first[:], second[:] = np.nan, np.nan
        settle(y, right[1][row], bits, (right[3][row], right[2][row]), order)
        count = keep_pairs(order, right[3][row], x, pairs)
        assign(y, pairs, count, second)
        settle(x, left[1][row], bits, (left[3][row], left[2][row]), order)
        count = keep_pairs(order, left[3][row], y, pairs)
        assign(x, pairs, count, first)
        ic[row] = correlation(first, second, count, least)
        means[row, :], members[row, :] = 0.0, 0
        for at in range(count):
            column = pairs[at]
            quantile = int((first[column] - 1.0) * quantiles / count)
            means[row, quantile] += y[column]
            members[row, quantile] += 1
        for quantile in range(quantiles):
            size = members[row, quantile]
            means[row, quantile] = means[row, quantile] / size if size > 0 else np.nan


def warm_up() -> None:
    """Compile every function of this module with the types that production uses."""
    values = np.array([[2.0, 1.0, np.nan, 2.0], [1e300, 1e-300, 1.0, -1.0]])
    keys, drops = np.empty((2, 4), dtype=np.uint64), np.empty(2, dtype=np.int64)
    counts, out = np.empty(2, dtype=np.int64), np.empty(2)
    pack(values, 2, keys, drops, counts)
    keys.sort(axis=1)
    side = (values, keys, drops, counts)
    count_ranks(values, 0.5, True, np.empty((2, 4)))
    rank_rows(side, 2, 0.5, True, np.empty((2, 4)))
    narrow = np.empty((2, 4), dtype=np.uint32)
    measure_rows(values, np.empty((2, 2), dtype=np.int64), counts)
    pack_narrow(values, 2, out, np.empty(2), narrow)
    narrow.sort(axis=1)
    rank_rows((values, narrow, np.ones(2, dtype=np.int64), counts), 2, 0.5, True, np.empty((2, 4)))
    correlate_rows(side, side, 2, 3, out)
    quantiles = np.empty((2, 2)), np.empty((2, 2), dtype=np.int64)
    score_rows(side, side, 2, 3, (out, *quantiles))
    for writable in (True, False):
        close = values.copy()
        close.setflags(write=writable)
        forward_returns(close, 0, 1, np.empty((2, 4)))
