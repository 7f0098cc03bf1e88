"""The one rule of purging, and the folds that share it.

A row's label spans the closed interval from `start` to `end`, in whole bars. It leaks into a test
block when it touches the block's own interval, from its first start to its last end. Touching
counts. An embargo keeps further bars free: before the test where training precedes it, after
the test where training follows. Lopez de Prado (2018), Advances in Financial Machine Learning, 7.4.
"""

from collections.abc import Iterator, Sized
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError, DataError

Rows = npt.NDArray[np.intp]
Bars = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class LabelSpans(NamedTuple):
    """Bars at which each row's label begins and is known, (row,) each."""

    start: Bars
    end: Bars


def label_spans(start: npt.ArrayLike, end: npt.ArrayLike, x: object) -> LabelSpans:
    """Both as integers, one per row of `x` (unless it is None); `DataError` if they cannot be."""
    spans = LabelSpans(np.asarray(start, dtype=np.int64), np.asarray(end, dtype=np.int64))
    rows = len(x) if isinstance(x, Sized) else len(spans.start)
    if spans.start.shape != spans.end.shape or spans.start.shape != (rows,):
        raise DataError(
            f"label_start {spans.start.shape}, label_end {spans.end.shape} and X ({rows} rows) "
            "must have one row each"
        )
    if np.any(spans.end < spans.start):
        row = int(np.flatnonzero(spans.end < spans.start)[0])
        raise DataError(
            f"row {row}: label ends at bar {spans.end[row]}, before its start {spans.start[row]}: "
            "swap the two arrays or mend the labels"
        )
    return spans


def clear_before(end: Bars, opening: int, embargo: int) -> Mask:
    """Labels that end, with `embargo` bars to spare, before a test that opens at `opening`."""
    return np.asarray(end + embargo < opening)


def clear_after(start: Bars, closing: int, embargo: int) -> Mask:
    """Labels that start, with `embargo` bars to spare, after a test that closes at `closing`."""
    return np.asarray(start > closing + embargo)


class PurgedFolds:
    """Folds of consecutive times, some of them the test, the rest purged of them to train on.

    The distinct label starts are cut into `n_folds` folds as by scikit-learn's `KFold`: the first
    ones are one longer when the division leaves a rest. A row trains unless its label touches a
    test fold's interval, or starts within `embargo` bars after it.

    Parameters
    ----------
    n_folds : int
        At least 2.
    purge : int
        Bars by which every label is longer than it says. Without label times the label of row i
        spans rows i to i + purge, so that `purge` rows are dropped on both sides of a test.
    embargo : int
        Further bars kept free after a test.
    label_start, label_end : shape (row,), integers, optional
        Bars at which a row's label begins and is known; several rows may share them, as in a
        panel. None: row numbers.
    """

    def __init__(
        self,
        n_folds: int = 5,
        *,
        purge: int = 0,
        embargo: int = 0,
        label_start: npt.ArrayLike | None = None,
        label_end: npt.ArrayLike | None = None,
    ) -> None:
        self.n_folds = n_folds
        self.purge = purge
        self.embargo = embargo
        self.label_start = label_start
        self.label_end = label_end

    def test_folds(self) -> list[tuple[int, ...]]:
        """Folds that are the test of each split."""
        return [(fold,) for fold in range(self.n_folds)]

    def split(
        self,
        X: Sized | None = None,
        y: object = None,  # noqa: ARG002 - part of scikit-learn's protocol
        groups: object = None,  # noqa: ARG002 - part of scikit-learn's protocol
    ) -> Iterator[tuple[Rows, Rows]]:
        """Row numbers `(train, test)` of each split; train may be empty."""
        spans = self._spans(X)
        fold = self._fold_of(spans)
        clear = [self._clear_of(spans, fold == number) for number in range(self.n_folds)]
        for folds in self.test_folds():
            test = np.isin(fold, folds)
            train = np.logical_and.reduce([clear[number] for number in folds]) & ~test
            yield np.flatnonzero(train), np.flatnonzero(test)

    def get_n_splits(
        self,
        X: object = None,  # noqa: ARG002 - part of scikit-learn's protocol
        y: object = None,  # noqa: ARG002 - part of scikit-learn's protocol
        groups: object = None,  # noqa: ARG002 - part of scikit-learn's protocol
    ) -> int:
        """Count the splits."""
        return len(self.test_folds())

    def folds(self, X: Sized | None = None) -> Rows:
        """Fold of each row, shape (row,)."""
        return self._fold_of(self._spans(X))

    def _spans(self, x: Sized | None) -> LabelSpans:
        if self.n_folds < 2 or self.purge < 0 or self.embargo < 0:
            raise ConfigError(
                f"n_folds {self.n_folds} must be >= 2, purge {self.purge} and embargo "
                f"{self.embargo} >= 0"
            )
        if self.label_start is not None and self.label_end is not None:
            return label_spans(self.label_start, self.label_end, x)
        if self.label_start is not None or self.label_end is not None:
            raise ConfigError("label_start and label_end belong together: give both or neither")
        if x is None:
            raise ConfigError("without label times, rows are counted: pass X")
        rows = np.arange(len(x), dtype=np.int64)
        return LabelSpans(rows, rows)

    def _fold_of(self, spans: LabelSpans) -> Rows:
        moments, moment = np.unique(spans.start, return_inverse=True)
        if len(moments) < self.n_folds:
            raise DataError(
                f"{len(moments)} distinct label starts cannot be cut into {self.n_folds} folds: "
                "use fewer folds or more dates"
            )
        parts = np.array_split(np.arange(len(moments)), self.n_folds)
        return np.repeat(np.arange(self.n_folds), [len(part) for part in parts])[moment]

    def _clear_of(self, spans: LabelSpans, test: Mask) -> Mask:
        opening, closing = int(spans.start[test].min()), int(spans.end[test].max()) + self.purge
        before = clear_before(spans.end + self.purge, opening, 0)
        return before | clear_after(spans.start, closing, self.embargo)
