"""Walk-forward splits for panels of labelled rows, purged by the labels' own intervals."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.model_selection.purging import Rows, clear_before, label_spans

__all__ = ["PurgedWalkForward"]


class PurgedWalkForward:
    """Expanding walk-forward over rows whose label spans the closed interval [start, end].

    Like scikit-learn's `PredefinedSplit`, the object carries the rows' times. The distinct
    label starts are cut into `n_splits + 1` blocks of equal length (an excess goes into the first
    training block); each block but the first is a test block once, and the rows that start
    before it are its training rows, except those whose label end plus `embargo` reaches into
    the test: `end + embargo >= first start of the test` (closed intervals, so touching counts as
    an overlap). Lopez de Prado (2018), Advances in Financial Machine Learning, 7.4.

    Parameters
    ----------
    label_start, label_end : shape (row,), integers
        Bar numbers at which the label begins and at which it is known.
    n_splits : int
        Number of test blocks.
    embargo : int
        Bars kept free between a training label's end and the test.
    """

    def __init__(
        self,
        label_start: npt.ArrayLike,
        label_end: npt.ArrayLike,
        *,
        n_splits: int = 3,
        embargo: int = 0,
    ) -> None:
        self.label_start = label_start
        self.label_end = label_end
        self.n_splits = n_splits
        self.embargo = embargo

    def split(
        self,
        X: object = None,
        y: object = None,  # noqa: ARG002 - part of scikit-learn's protocol
        groups: object = None,  # noqa: ARG002 - part of scikit-learn's protocol
    ) -> Iterator[tuple[Rows, Rows]]:
        """Row numbers `(train, test)` of each split, in time order; train may be empty."""
        self._check()
        start, end = label_spans(self.label_start, self.label_end, X)
        moments = np.unique(start)
        length = len(moments) // (self.n_splits + 1)
        if length == 0:
            raise DataError(
                f"{len(moments)} distinct label starts cannot be cut into {self.n_splits + 1} "
                "blocks: use fewer splits or more dates"
            )
        edges = len(moments) - length * np.arange(self.n_splits, -1, -1)
        for first, after in pairwise(edges):
            opening = moments[first]
            train = clear_before(end, opening, self.embargo)
            test = (start >= opening) & (start <= moments[after - 1])
            yield np.flatnonzero(train), np.flatnonzero(test)

    def get_n_splits(
        self,
        X: object = None,  # noqa: ARG002 - part of scikit-learn's protocol
        y: object = None,  # noqa: ARG002 - part of scikit-learn's protocol
        groups: object = None,  # noqa: ARG002 - part of scikit-learn's protocol
    ) -> int:
        """Count the test blocks."""
        return self.n_splits

    def _check(self) -> None:
        if self.n_splits < 1 or self.embargo < 0:
            raise ConfigError(
                f"n_splits {self.n_splits} must be >= 1 and embargo {self.embargo} >= 0"
            )
