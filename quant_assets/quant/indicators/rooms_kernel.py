"""Copies between tables (lane, time, symbol) and blocks (rows, lane times symbol and padding).

Places are counted by unsigned integers: numba lets signed ones count from the end, and a test of
each keeps the compiler from moving whole vectors.
"""

import numpy as np

from quant_assets.quant.indicators.compiled import Block, Cube, compiled, sample

LINE = 8  # numbers of a cache line


@compiled
def _strip(width: int, n_rows: int) -> int:
    """Rows copied of one lane before the next: all, or so few that lanes fill cache lines."""
    return LINE if width < LINE else max(1, n_rows)


@compiled
def take(table: Cube, first: int, left: int, width: int, block: Block) -> None:
    """Fill the block with a piece of the table, NaN for infinities.

    The piece: rows from `first`, `width` symbols from `left`.
    """
    start, symbol, count = np.uintp(first), np.uintp(left), np.uintp(width)
    n_rows = block.shape[0]
    strip = _strip(width, n_rows)
    for top in range(0, n_rows, strip):
        rows = range(np.uintp(top), np.uintp(min(top + strip, n_rows)))
        if width == 1:
            for t in rows:
                for lane in range(np.uintp(table.shape[0])):
                    value = table[lane, start + t, symbol]
                    block[t, lane] = value if abs(value) < np.inf else np.nan
            continue
        for lane in range(np.uintp(table.shape[0])):
            at = lane * count
            for t in rows:
                for j in range(count):
                    value = table[lane, start + t, symbol + j]
                    block[t, at + j] = value if abs(value) < np.inf else np.nan


@compiled
def give(block: Block, table: Cube, first: int, left: int, width: int) -> None:
    """Fill a piece of the table with the block, without its padding."""
    start, symbol, count = np.uintp(first), np.uintp(left), np.uintp(width)
    n_rows = block.shape[0]
    strip = _strip(width, n_rows)
    for top in range(0, n_rows, strip):
        rows = range(np.uintp(top), np.uintp(min(top + strip, n_rows)))
        if width == 1:
            for lane in range(np.uintp(table.shape[0])):
                for t in rows:
                    table[lane, start + t, symbol] = block[t, lane]
            continue
        for lane in range(np.uintp(table.shape[0])):
            at = lane * count
            for t in rows:
                for j in range(count):
                    table[lane, start + t, symbol + j] = block[t, at + j]


def warm_up() -> None:
    """Compile every kernel of this file."""
    block, table = sample(), np.ones((1, 3, 2))
    take(table, 0, 0, 2, block)
    give(block, table, 0, 0, 2)
