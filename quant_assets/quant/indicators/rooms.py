"""Rows to work in: they begin on a cache line and fill whole ones, as vector registers want them.

A vector that lies across two lines is loaded and stored in two steps; with every row in its place
the windows take a quarter less time.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Table = npt.NDArray[Any]
LINE = 8  # numbers of a cache line


def aligned(n_rows: int, n_values: int, value: float | None = None) -> Floats:
    """An array (n_rows, n_values) that begins on a cache line, filled with `value` if there is one.

    Its rows do as well where `n_values` is from `padded`.
    """
    size = n_rows * n_values
    room = np.empty(size + LINE)
    first = -(room.__array_interface__["data"][0] // room.itemsize) % LINE
    if value is not None:
        room.fill(value)
    return room[first : first + size].reshape(n_rows, n_values)


def padded(n_values: int) -> int:
    """Width of a row of so many values: whole lines, but for less than one."""
    return n_values if n_values < LINE else -(-n_values // LINE) * LINE


class Room:
    """Rows of some symbols of one column, (rows, lane, symbol) in a block (rows, value)."""

    def __init__(self, n_rows: int, lanes: int, symbols: range) -> None:
        self._symbols = symbols
        self._block = aligned(n_rows, padded(lanes * len(symbols)), 1.0)

    def take(self, table: Table, first: int, last: int) -> Floats:
        """Rows `first` to `last` of a table (lane, time, symbol), NaN for infinities."""
        from quant_assets.quant.indicators.rooms_kernel import take

        block, left, width = self._block[: last - first], self._symbols.start, len(self._symbols)
        if _is_flat(block, table) and _plain(table):
            take(table.reshape(1, 1, -1), 0, first * width, block.size, block.reshape(1, -1))
            return block
        if _plain(table):
            take(table, first, left, width, block)
            return block
        copied = np.array(table[:, first:last, left : left + width], np.float64, order="C")
        take(copied, 0, 0, width, block)
        return block


def give(block: Floats, table: Table, first: int, symbols: range) -> None:
    """Put a block into the rows from `first` of a table (lane, time, symbol) of our own."""
    from quant_assets.quant.indicators.rooms_kernel import give as kernel

    if _is_flat(block, table):
        width = len(symbols)
        kernel(block.reshape(1, -1), table.reshape(1, 1, -1), 0, first * width, block.size)
        return
    kernel(block, table, first, symbols.start, len(symbols))


def _is_flat(block: Floats, table: Table) -> bool:
    """Whether the rows of both follow each other without a gap: one long row."""
    return bool(table.shape[0] == 1 and table.shape[2] == block.shape[1])


def _plain(table: Table) -> bool:
    """Whether the kernels take it as it is."""
    flags = table.flags
    return bool(table.dtype == np.float64 and flags.c_contiguous and flags.writeable)
