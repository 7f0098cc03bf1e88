"""What a function gave, as named arrays, and where two of them differ before a cut."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.core.errors import DataError
from quant_assets.quant.leaks.samples import Sample

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]
EPSILON = float(np.finfo(np.float64).eps)
# Sums over symbols may be taken in another order when a symbol is not there yet, transforms by FFT
# and BLAS in another order for another length: some units in the last place of the largest value.
# A fact about the future that hides below 1.4e-14 of a column's magnitude moves no decision.
ROUNDING_ULPS = 64
SELDOM = 0.1
FEW_COLUMNS = 32  # so many are joined column by column: numpy takes ten times longer along rows
# How names of outputs begin that a plan or a simulated account gives.
PLAN, RUN = "plan ", "run "


@dataclass(frozen=True)
class Difference:
    """Rows up to the cut that changed: which, by how much beyond rounding, one example."""

    cells: Mask
    rounding: float
    example: tuple[int, int]
    expected: Any
    found: Any

    @property
    def rows(self) -> npt.NDArray[np.intp]:
        """Rows with a changed value."""
        return np.flatnonzero(in_any(self.cells))


def outputs_of(result: Any, sample: Sample) -> dict[str, Array]:
    """Named arrays, time on axis 0, of what a function returned for a sample.

    Arrays, series and frames, and tuples, mappings and dataclasses of them; what is None is left
    out. Frames and series are put on the sample's rows by their index where that has other rows.
    Raises `DataError` for anything that does not have one row per row of the sample.
    """
    named = {name: _array(value, sample) for name, value in parts_of(result, "value")}
    for name, array in named.items():
        if len(array) != len(sample):
            raise DataError(
                f"output {name!r} has {len(array)} rows for {len(sample)} rows of data; it must "
                "have one row for each"
            )
    return named


def parts_of(result: Any, name: str) -> list[tuple[str, Any]]:
    """What a result is made of, by name; a value that is no container is called `name`."""
    if result is None:
        return []
    if isinstance(result, Mapping):
        items = [(str(key), value) for key, value in result.items()]
    elif is_dataclass(result) and not isinstance(result, type):
        items = [(f.name, getattr(result, f.name)) for f in fields(result)]
    elif isinstance(result, tuple):
        names = getattr(result, "_fields", tuple(f"{name}_{n}" for n in range(len(result))))
        items = list(zip(names, result, strict=True))
    else:
        return [(name, result)]
    return [part for key, value in items for part in parts_of(value, key)]


def _array(value: Any, sample: Sample) -> Array:
    if isinstance(value, pd.DataFrame | pd.Series):
        if len(value) != len(sample) and "index" in sample.arrays:
            whole = sample.value().index
            if value.index.is_unique:
                value = value.reindex(whole)
        value = value.to_numpy()
    array = np.asarray(value)
    if array.ndim == 0:
        raise DataError(f"an output is the single value {value!r}; it must have a row per time")
    return array.reshape(len(array), -1)


def in_any(cells: Mask) -> Mask:
    """Rows, shape (time,), of which any cell is set."""
    if 0 < cells.shape[1] <= FEW_COLUMNS:
        return np.asarray(np.logical_or.reduce([cells[:, n] for n in range(cells.shape[1])]))
    return np.asarray(cells.any(axis=1))


def activity(array: Array) -> Mask:
    """Rows, shape (time,), on which an output says something.

    A flag that is set; a number that is not the one of the row before, or, where that is seldom,
    any that is neither missing nor 0.
    """
    if array.dtype.kind == "b":
        return in_any(array)
    said = np.asarray(~pd.isna(array))
    if array.dtype.kind in "fiu":
        said &= array != 0
    often = in_any(said & _moved(array))
    return often if often.sum() >= SELDOM * len(array) else in_any(said)


def moves(array: Array) -> Mask:
    """Rows, shape (time,), on which an output is another than on the row before."""
    return in_any(_moved(array))


def _moved(array: Array) -> Mask:
    moved = np.zeros(array.shape, dtype=bool)
    moved[1:] = array[1:] != array[:-1]
    if array.dtype.kind == "f":
        moved[1:] &= ~(np.isnan(array[1:]) & np.isnan(array[:-1]))
    return moved


def magnitude(array: Array) -> Array:
    """Largest finite magnitude of each column, shape (column,); 0 where there is none."""
    if array.dtype.kind not in "fiub":
        return np.zeros(array.shape[1])
    return np.asarray(np.abs(np.where(np.isfinite(array), array, 0.0)).max(axis=0, initial=0.0))


def identical(one: Array, other: Array) -> bool:
    """Whether two arrays of floats, times, numbers or flags have the same bits."""
    if one.shape != other.shape or one.dtype != other.dtype or one.dtype.kind not in "fiubmM":
        return False
    if not (one.flags.c_contiguous and other.flags.c_contiguous):
        return False
    return np.array_equal(_bits(one), _bits(other))


def _bits(array: Array) -> Array:
    return array.view(f"u{array.dtype.itemsize}")


def difference(
    expected: Array,
    found: Array,
    *,
    ulps: float = ROUNDING_ULPS,
    size: Callable[[], Array] | None = None,
) -> Difference | None:
    """Where two outputs of the same rows and columns differ beyond rounding; None: nowhere at all.

    Flags, whole numbers and text must be equal. Floats may differ by `ulps` units in the last place
    of the column's `size`, its largest magnitude; the largest such one is told in `rounding`.
    """
    if identical(expected, found):
        return None
    if expected.dtype.kind == "f" and found.dtype.kind in "fiub":
        found = found.astype(np.float64)
        same = (expected == found) | (np.isnan(expected) & np.isnan(found))
        if same.all():
            return None
        largest = magnitude(expected) if size is None else size()
        wrong, rounding = _beyond(expected, found, ~same, ulps * EPSILON * largest)
    else:
        same = np.asarray(expected == found) | (pd.isna(expected) & pd.isna(found))
        if same.all():
            return None
        wrong, rounding = ~same, 0.0
    row, column = (int(i) for i in np.argwhere(wrong if wrong.any() else ~same)[0])
    return Difference(wrong, rounding, (row, column), expected[row, column], found[row, column])


def _beyond(expected: Array, found: Array, differs: Mask, limit: Array) -> tuple[Mask, float]:
    """Cells that differ by more than `limit` (column,), and the largest other difference."""
    both = np.isfinite(expected) & np.isfinite(found)
    gap = np.abs(np.where(both, expected, 0.0) - np.where(both, found, 0.0))
    small = both & (gap <= limit)
    return differs & ~small, float(gap[differs & small].max(initial=0.0))
