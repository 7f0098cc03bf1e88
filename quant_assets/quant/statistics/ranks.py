"""Ranks and rank correlations along one axis, NaN-aware; compiled, a block of rows at a time."""

from collections.abc import Iterator
from math import prod
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from quant_assets.quant.market.panel import Floats

if TYPE_CHECKING:
    from quant_assets.quant.statistics.ranks_kernel import Side

__all__ = ["average_ranks", "cross_sectional_ic", "rank_percentiles", "rank_shares", "spearman"]

MIN_PAIRS = 3


def average_ranks(values: npt.ArrayLike, axis: int = -1) -> Floats:
    """Ranks 1..n along `axis` among the values that are not NaN; ties get their average rank.

    Same shape as `values`; NaN stays NaN. Ranks are exact multiples of 0.5.
    """
    return _ranks(values, axis)


def rank_percentiles(values: npt.ArrayLike, axis: int = -1) -> Floats:
    """Average ranks mapped into (0, 1): `(rank - 0.5) / n`, n = values that are not NaN.

    Same shape as `values`; NaN stays NaN. A lone value is at 0.5, and so are values that all tie.
    """
    return _ranks(values, axis, less=0.5)


def rank_shares(values: npt.ArrayLike, axis: int = -1) -> Floats:
    """Average ranks mapped into (0, 1]: `rank / n`, n = values that are not NaN.

    Same shape as `values`; NaN stays NaN.
    """
    return _ranks(values, axis, less=0.0)


def cross_sectional_ic(x: npt.ArrayLike, y: npt.ArrayLike) -> Floats:
    """Spearman correlation of each row of `x` with the same row of `y`.

    x, y : shape (..., n), broadcast against each other. A pair with a NaN is dropped. Returns
    shape (...,); NaN where fewer than 3 pairs remain or one side is constant.
    """
    from quant_assets.quant.statistics.ranks_kernel import correlate_rows

    left, right = np.broadcast_arrays(
        np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    )
    first, second = _rows(left), _rows(right)
    ic = np.full(len(first), np.nan)
    sides = zip(sorted_blocks(first), sorted_blocks(second), strict=True)
    for (rows, bits, one), (_, _, other) in sides:
        correlate_rows(one, other, bits, MIN_PAIRS, ic[rows])
    return ic.reshape(left.shape[:-1])


def sorted_blocks(matrix: Floats) -> Iterator[tuple[slice, int, "Side"]]:
    """Blocks of rows that fit the cache: which rows, bits of a column, and their sorted keys.

    matrix : (rows, width), C-contiguous. The arrays of a block are overwritten by the next one.
    """
    from quant_assets.quant.statistics.ranks_kernel import BLOCK, pack

    width = matrix.shape[1]
    if matrix.size == 0:
        return
    size, bits = max(1, min(BLOCK // width, len(matrix))), max(1, (width - 1).bit_length())
    values, keys = np.empty((size, width)), np.empty((size, width), dtype=np.uint64)
    drops, counts = np.empty(size, dtype=np.int64), np.empty(size, dtype=np.int64)
    for begin in range(0, len(matrix), size):
        rows = slice(begin, min(begin + size, len(matrix)))
        block, used = values[: rows.stop - rows.start], keys[: rows.stop - rows.start]
        block[:] = matrix[rows]
        pack(block, bits, used, drops, counts)
        used.sort(axis=1)
        yield rows, bits, (block, used, drops, counts)


def _rows(array: Floats) -> Floats:
    """`array` (..., n) as a C-contiguous matrix (rows, n)."""
    return np.ascontiguousarray(array.reshape(prod(array.shape[:-1]), array.shape[-1]))


def _ranks(values: npt.ArrayLike, axis: int, *, less: float | None = None) -> Floats:
    """Average ranks; with `less`: (rank - less) / n."""
    from quant_assets.quant.statistics.ranks_kernel import FEW, NARROW

    array = np.moveaxis(np.asarray(values, dtype=np.float64), axis, -1)
    if array.size == 0:
        return np.moveaxis(array.copy(), -1, axis)
    matrix = _rows(array)
    width, ranks = matrix.shape[1], np.empty_like(matrix)
    fill = _count if width <= FEW else (_sort_narrow if width <= NARROW else _sort)
    fill(matrix, less or 0.0, less is not None, ranks)
    return np.moveaxis(ranks.reshape(array.shape), -1, axis)


def _sort(matrix: Floats, less: float, share: bool, ranks: Floats) -> None:
    """Fill the ranks, block after block, by sorting."""
    from quant_assets.quant.statistics.ranks_kernel import rank_rows

    for rows, bits, side in sorted_blocks(matrix):
        rank_rows(side, bits, less, share, ranks[rows])


def _sort_narrow(matrix: Floats, less: float, share: bool, ranks: Floats) -> None:
    """As `_sort`, with keys of half the room; those that share a place are told apart by value."""
    from quant_assets.quant.statistics.ranks_kernel import (
        BLOCK,
        measure_rows,
        pack_narrow,
        rank_rows,
    )

    n_rows, width = matrix.shape
    size, bits = min(BLOCK // width, n_rows), (width - 1).bit_length()
    room = np.empty((size, width), dtype=np.uint32)
    ends, places = np.empty((2, size), dtype=np.int64), (1 << (32 - bits)) - 2
    lowest, greatest = ends.view(np.float64)
    drops, counts = np.ones(size, dtype=np.int64), np.empty(size, dtype=np.int64)
    for begin in range(0, n_rows, size):
        block = matrix[begin : begin + size]
        keys = room[: len(block)]
        measure_rows(block, ends, counts)
        with np.errstate(all="ignore"):
            scale = places / (greatest - lowest)
        scale[~np.isfinite(scale)] = 0.0
        pack_narrow(block, bits, lowest, scale, keys)
        keys.sort(axis=1)
        rank_rows((block, keys, drops, counts), bits, less, share, ranks[begin : begin + size])


def _count(matrix: Floats, less: float, share: bool, ranks: Floats) -> None:
    """Fill the ranks, block after block, by counting."""
    from quant_assets.quant.statistics.ranks_kernel import BLOCK, count_ranks

    n_rows, width = matrix.shape
    size = min(max(1, BLOCK // width), n_rows)
    columns, found = np.full((width, size), np.nan), np.empty((width, size))
    for begin in range(0, n_rows, size):
        rows = slice(begin, min(begin + size, n_rows))
        columns[:, : rows.stop - begin] = matrix[rows].T
        count_ranks(columns, less, share, found)
        ranks[rows] = found[:, : rows.stop - begin].T


def spearman(x: npt.ArrayLike, y: npt.ArrayLike) -> float:
    """Rank information coefficient of two arrays of shape (n,): Spearman's rho.

    A pair with a NaN is dropped; NaN when fewer than 3 pairs remain or one side is constant.
    """
    return float(cross_sectional_ic(x, y))
