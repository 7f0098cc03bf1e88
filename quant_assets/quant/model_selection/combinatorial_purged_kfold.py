"""Combinations of folds as tests, and the whole histories that they put together."""

from collections.abc import Iterable, Sized
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.market.panel import Floats
from quant_assets.quant.model_selection.purging import PurgedFolds, Rows

__all__ = ["CombinatorialPurgedKFold", "cross_val_paths"]


class CombinatorialPurgedKFold(PurgedFolds):
    """Every choice of `n_test_folds` of `n_folds` folds is the test once.

    The C(n, k) splits test each fold C(n, k) k / n times: as many paths of out-of-sample
    predictions lead through the whole history. Test rows of a split are in time order. skfolio's
    `CombinatorialPurgedCV` yields them fold by fold, and puts rows that are left over by the
    division into the last fold. See `PurgedFolds` for the other parameters. Lopez de Prado
    (2018), 12.4.
    """

    def __init__(
        self,
        n_folds: int = 10,
        n_test_folds: int = 2,
        *,
        purge: int = 0,
        embargo: int = 0,
        label_start: npt.ArrayLike | None = None,
        label_end: npt.ArrayLike | None = None,
    ) -> None:
        super().__init__(
            n_folds, purge=purge, embargo=embargo, label_start=label_start, label_end=label_end
        )
        self.n_test_folds = n_test_folds

    @property
    def n_paths(self) -> int:
        """C(n, k) k / n."""
        return len(self.test_folds()) * self.n_test_folds // self.n_folds

    def test_folds(self) -> list[tuple[int, ...]]:
        """Folds that are the test of each split, in lexicographic order."""
        if not 1 <= self.n_test_folds < self.n_folds:
            raise ConfigError(
                f"n_test_folds {self.n_test_folds} must be between 1 and n_folds - 1 = "
                f"{self.n_folds - 1}"
            )
        return list(combinations(range(self.n_folds), self.n_test_folds))

    def path_splits(self) -> Rows:
        """Split from which each path takes each fold, shape (path, fold).

        A fold's j-th test, in the order of the splits, belongs to path j.
        """
        tested = np.array([np.isin(np.arange(self.n_folds), f) for f in self.test_folds()])
        return np.nonzero(tested.T)[1].reshape(self.n_folds, self.n_paths).T

    def paths(self, predictions: Iterable[npt.ArrayLike], X: Sized | None = None) -> Floats:
        """Put the test predictions of all splits together, shape (path, row).

        predictions : per split, in the order of `split`, one number per test row.
        """
        fold = self.folds(X)
        given = [np.asarray(values, dtype=np.float64) for values in predictions]
        tests = [np.flatnonzero(np.isin(fold, folds)) for folds in self.test_folds()]
        if [len(values) for values in given] != [len(rows) for rows in tests]:
            raise DataError(
                f"{len(given)} splits of {[len(v) for v in given][:5]} predictions ... do not fit "
                f"{len(tests)} splits of {[len(rows) for rows in tests][:5]} ... test rows"
            )
        whole = np.full((len(tests), len(fold)), np.nan)
        for row, rows, values in zip(whole, tests, given, strict=True):
            row[rows] = values
        return np.stack([whole[path[fold], np.arange(len(fold))] for path in self.path_splits()])


def cross_val_paths(
    estimator: Any, X: npt.ArrayLike, y: npt.ArrayLike, cv: CombinatorialPurgedKFold
) -> Floats:
    """Predictions of a scikit-learn estimator along every path of `cv`, shape (path, row).

    The estimator is cloned and fitted once per split.
    """
    from sklearn.base import clone

    x, target = np.asarray(X), np.asarray(y)
    predictions = [
        clone(estimator).fit(x[train], target[train]).predict(x[test])
        for train, test in cv.split(x)
    ]
    return cv.paths(predictions, x)
