"""Other futures for the same past: none, noise, nothing but gaps.

Each gives a sample whose rows up to the cut are those of the original; what was known at the
decision of the cut is the same to the last bit.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from quant_assets.quant.leaks.outputs import identical
from quant_assets.quant.leaks.samples import KNOWN, PRICE_NAMES, Array, Sample
from quant_assets.quant.market.bars import microseconds

Kind = Literal["truncated", "noise", "missing"]
JUMP = 1.1  # log units: prices triple or fall to a third at once
MAX_DELAY = 3  # rows by which an unknown row may come later still
DAY = 86_400_000_000  # microseconds
MOST_DELAYED = 8
LEVEL_ROWS = 256
VANISH, APPEAR = 0.1, 0.5  # shares of future cells that lose, and of gaps that get, a value


@dataclass(frozen=True)
class Probe:
    """One other future: from the row after `cut` on, for `tail` rows (truncated: none).

    turn : +1 or -1, which symbols jump up and which down; two probes of opposite turn are a pair.
    newcomers : truncated data keep the columns of symbols of which nothing was known yet.
    """

    kind: Kind
    cut: int
    tail: int
    turn: int = 1
    newcomers: bool = False

    @property
    def rows(self) -> int:
        """Rows that it computes."""
        return self.cut + 1 + self.tail


class Futures:
    """Makes samples with another future, in one copy of the data: only what is hidden is written.

    A sample is good until the next one is made. Truncated data also lack the symbols of which
    nothing was known yet, unless the probe asks otherwise. Data that are read-only are shown as
    they are, and copied as far as futures of them are made: `rows` says how far that may be.
    """

    def __init__(self, sample: Sample, generator: np.random.Generator) -> None:
        self.original = sample
        self.rows = 0
        self._work = sample.rows(slice(0, 0)) if sample.read_only else sample.copied()
        self._generator = generator
        self._first_known = sample.first_known()
        self._written: npt.NDArray[np.intp] = np.empty(0, dtype=np.intp)

    def restored(self) -> Sample:
        """The whole sample, as it was."""
        self._take_back()
        return self.original if self.original.read_only else self._work

    def _take_back(self) -> None:
        if self._written.size:
            for name, array in self.original.arrays.items():
                self._work.arrays[name][self._written] = array[self._written]
            self._written = self._written[:0]

    def untouched(self) -> bool:
        """Whether nobody else has written to the copy, or to what was copied."""
        self._take_back()
        rows = len(self._work)
        return all(
            _same(array[:rows], self._work.arrays[name])
            for name, array in self.original.arrays.items()
        )

    def copy_of(self, rows: int) -> Sample:
        """The first rows, as they were, in arrays that may be written to."""
        self._take_back()
        if len(self._work) < rows:
            self._work = self.original.rows(slice(0, max(rows, self.rows))).copied()
        return self._work.rows(slice(0, rows))

    def changed(self, probe: Probe) -> Sample:
        """The sample of a probe."""
        part = self.copy_of(probe.rows)
        rows = np.flatnonzero(self.original.hidden(probe.cut)[: probe.rows])
        self._written = rows
        if probe.kind == "missing":
            for array in part.arrays.values():
                if array.dtype.kind == "f":
                    array[rows] = np.nan
        elif rows.size:
            write_noise(part, rows, self._generator, np.full(len(rows), probe.turn))
            write_delays(part, rows, self._generator)
        known = self._first_known <= probe.cut
        drop = probe.kind == "truncated" and not probe.newcomers and known.any()
        return part.select(known) if drop and not known.all() else part

    def scattered(self, rows: npt.NDArray[np.intp], n_rows: int, turns: Array) -> Sample:
        """The first rows with noise in some of them; `turns` (row,) as of a probe."""
        part = self.copy_of(n_rows)
        self._written = rows
        write_noise(part, rows, self._generator, turns)
        return part

    def only(self, start: int, stop: int, begin: int = 0) -> Sample:
        """Rows `[begin, stop)` of what `scattered` gave, with noise from `start` on alone."""
        before = self._written[self._written < start]
        for name, array in self.original.arrays.items():
            self._work.arrays[name][before] = array[before]
        return self._work.rows(slice(begin, stop))


def _same(one: Array, other: Array) -> bool:
    return identical(one, other) or bool(
        np.array_equal(one, other, equal_nan=one.dtype.kind in "fcmM")
    )


def write_noise(
    sample: Sample, rows: npt.NDArray[np.intp], generator: np.random.Generator, turns: Array
) -> None:
    """Rows in another order, prices of a row and symbol times one factor, gaps elsewhere.

    turns : +1 or -1 for each row: which half of the symbols jumps up, and which down.
    """
    order = generator.permutation(rows)
    columns = max(len(sample.symbols), 1)
    signs = np.where(generator.permutation(columns) % 2, -1.0, 1.0)
    walk = generator.normal(0.0, 0.05, (len(rows), columns)).cumsum(axis=0)
    factors = np.exp(np.clip(JUMP * turns[:, None] * signs + walk, -2.0, 2.0))
    cells = generator.random((2, len(rows), columns))
    gaps = cells[0] < VANISH, cells[1] < APPEAR
    for name, array in sample.arrays.items():
        if name == KNOWN:
            continue
        if array.dtype.kind in "iub" and name != "index":
            array[rows] = array[order]
        elif array.dtype.kind == "f":
            wide = sample.has_symbols(array)
            own = factors if wide and name in PRICE_NAMES else _other_factors(factors, generator)
            level = _level(array[max(0, rows[0] - LEVEL_ROWS) : rows[0] + 1])
            array[rows] = _cells(array[order], own, level, gaps if wide else None)


def write_delays(
    sample: Sample, rows: npt.NDArray[np.intp], generator: np.random.Generator
) -> None:
    """Some rows become known later; bars that come one after the other go on to do so."""
    if KNOWN not in sample.arrays:
        return
    array = sample.arrays[KNOWN]
    late = rows[generator.permutation(len(rows))[:MOST_DELAYED]]
    step = np.diff(microseconds(sample.ts.astype("datetime64[us]"))).min(initial=DAY)
    delay = step * generator.integers(0, MAX_DELAY + 1, len(late))
    in_order = not (array[1:] < array[:-1]).any()
    array[late] += delay.astype("timedelta64[us]")
    if in_order:
        array[rows[0] :] = np.maximum.accumulate(array[rows[0] :])


def _other_factors(factors: Array, generator: np.random.Generator) -> Array:
    return np.exp(generator.normal(0.0, 0.5, factors.shape)) * np.sqrt(factors)


def _level(array: Array) -> Any:
    """Mean of the known values of each column."""
    known = np.isfinite(array)
    return np.where(known, array, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)


def _cells(values: Array, factors: Array, level: Any, gaps: tuple[Array, Array] | None) -> Any:
    """Noise made of the values of other rows; constants move, some gaps are filled, some made."""
    narrow = factors[:, 0].reshape(-1, *[1] * (values.ndim - 1))
    shaped = narrow if gaps is None else factors
    noisy = values * shaped
    if not np.fmax.reduce(np.abs(values), axis=None, initial=0.0) > 0.0:
        noisy = np.where(np.isnan(values), np.nan, shaped * np.ones_like(values))
    if gaps is None:
        return noisy
    lost, found = gaps
    filled = np.where(np.isnan(noisy) & found & (level != 0.0), level * shaped, noisy)
    return np.where(lost, np.nan, filled)
