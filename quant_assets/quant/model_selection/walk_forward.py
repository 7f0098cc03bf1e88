"""Walk-forward splits by row count, in scikit-learn's `split` protocol."""

from collections.abc import Iterator, Sized
from typing import Literal

import numpy as np

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.model_selection.purging import Rows, clear_before

__all__ = ["WalkForward"]


class WalkForward:
    """Train on `train_size` rows, test on the next `test_size`, step by `test_size`.

    The last `purge + embargo` rows of each training span are dropped, so that a training label
    of `purge` rows ends before the test and serial dependence has `embargo` more rows to fade.
    Training rows always precede the test, hence both act on the end of train. With `expanding`
    the training span starts at row 0. A short last test span is left out (`last="drop"`), unless
    `last` is "short".

    skfolio counts `train_size` after purging: its `train_size` is ours minus `purge`.
    """

    def __init__(
        self,
        train_size: int,
        test_size: int,
        *,
        purge: int = 0,
        embargo: int = 0,
        expanding: bool = False,
        last: Literal["drop", "short"] = "drop",
    ) -> None:
        self.train_size = train_size
        self.test_size = test_size
        self.purge = purge
        self.embargo = embargo
        self.expanding = expanding
        self.last = last

    def split(
        self,
        X: Sized,
        y: object = None,  # noqa: ARG002 - part of scikit-learn's protocol
        groups: object = None,  # noqa: ARG002 - part of scikit-learn's protocol
    ) -> Iterator[tuple[Rows, Rows]]:
        """Row numbers `(train, test)` of each split, in time order."""
        rows = np.arange(len(X))
        for number in range(self.get_n_splits(X)):
            test = self.train_size + number * self.test_size
            first = 0 if self.expanding else test - self.train_size
            span = rows[first:test]
            train = span[clear_before(span + self.purge, test, self.embargo)]
            yield train, rows[test : test + self.test_size]

    def get_n_splits(
        self,
        X: Sized | None = None,
        y: object = None,  # noqa: ARG002 - part of scikit-learn's protocol
        groups: object = None,  # noqa: ARG002 - part of scikit-learn's protocol
    ) -> int:
        """Count the test spans in `X`, a short last one if asked for; none is a `DataError`."""
        self._check()
        if X is None:
            raise ConfigError("WalkForward counts splits from the number of rows: pass X")
        left = len(X) - self.train_size
        n_splits = left // self.test_size
        if self.last == "short" and left % self.test_size:
            n_splits += 1
        if n_splits < 1:
            raise DataError(
                f"{len(X)} rows cannot hold a training span of {self.train_size} rows and a test "
                f"span of {self.test_size}: load more history or shorten them"
            )
        return n_splits

    def _check(self) -> None:
        if self.last not in {"drop", "short"}:
            raise ConfigError(f"last is {self.last!r}; give 'drop' or 'short'")
        if self.test_size < 1 or self.purge < 0 or self.embargo < 0:
            raise ConfigError(
                f"test_size {self.test_size} must be >= 1, purge {self.purge} and embargo "
                f"{self.embargo} must be >= 0"
            )
        if self.train_size <= self.purge + self.embargo:
            raise ConfigError(
                f"purge {self.purge} + embargo {self.embargo} leave nothing of a training span of "
                f"{self.train_size} rows"
            )
