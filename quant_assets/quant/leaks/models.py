"""The leak check for learned models: what they are fitted on, judged on, and remember."""

import copy
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import DataError
from quant_assets.quant.leaks.attempts import random_state_kept
from quant_assets.quant.leaks.memory import functions_of
from quant_assets.quant.leaks.outputs import Array, difference
from quant_assets.quant.leaks.report import Leak, LeakReport
from quant_assets.quant.leaks.sources import clock_reads, suspects
from quant_assets.quant.model_selection.purging import clear_after, clear_before
from quant_assets.quant.statistics.ranks import rank_percentiles

__all__ = ["check_model"]

Rows = npt.NDArray[np.intp]
Split = tuple[Rows, Rows]
# Products of matrices of other sizes are summed in another order: one row of 1e3 features alone or
# among others differs by some 1e-13.
MODEL_ULPS = 4_096
MORE_FITS = 2.0  # beside one for each split: over all rows, and over the first split again
COLLINEAR = 0.95
STANDARD = 1e-9
OVERLAP = "Rows that are tested on were trained on."
PURGE = (
    "Labels of training rows are not known before the test begins, or reach into it: purge them."
)
BATCH = "A prediction depends on the rows predicted with it, among them later ones."
REMEMBERED = "An earlier fit left something behind (warm start, a cache, an attribute)."
REPEATED = "The same fit gives other predictions: set random_state."
HOLDS = "The model was given data of all rows before it was fitted."
TARGET = "This column is nearly the target itself, far nearer than the last target that was known."
SCALED = "This column has mean 0 and deviation 1 over all rows: it was scaled with those to come."


@dataclass(frozen=True)
class _Task:
    """A model, its table and the last row that each label needs."""

    estimator: Any
    x: Array
    y: Array
    label_end: npt.NDArray[np.int64]

    def fitted(self, train: Rows, *, seed: int = 0, estimator: Any = None) -> Any:
        """The estimator, a fresh copy unless one is given, fitted on some rows."""
        model = copy.deepcopy(self.estimator) if estimator is None else estimator
        np.random.seed(seed)  # noqa: NPY002 - it is the one that random_state=None draws from
        random.seed(seed)
        model.fit(self.x[train], self.y[train])
        return model

    def predicted(self, model: Any, rows: Array) -> Array:
        """Predictions `(row, …)`; probabilities where the model has them."""
        predict: Callable[[Array], Any] = getattr(model, "predict_proba", model.predict)
        return np.asarray(predict(rows.copy()), dtype=np.float64).reshape(len(rows), -1)


def check_model(
    estimator: Any,
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    splits: Any,
    *,
    label_end: npt.ArrayLike | None = None,
    seed: int = 0,
) -> LeakReport:
    """Whether a model can know what it is judged by.

    estimator : has `fit` and `predict`, as in scikit-learn. x : (row, feature), y : (row,), in the
        order of time. splits : pairs of training and test rows, or an object with `split`.
        label_end : the row at which each label is known; without it, its own row.

    Splits are checked for rows on both sides and for labels that touch the test; the model for
    predictions that depend on each other, for what it remembers of earlier fits and holds of other
    rows, and for chance; the columns for the target among them and for scaling over all rows. It
    costs one fit for each split, one over all rows and one more. How columns were computed from
    prices is checked by `check_function`.
    """
    table, target = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if table.ndim != 2 or target.shape != table.shape[:1]:
        raise DataError(f"x {table.shape} must be (row, feature) and y {target.shape} (row,)")
    rows = np.arange(len(target), dtype=np.int64)
    ends = rows if label_end is None else np.asarray(label_end, dtype=np.int64)
    if ends.shape != rows.shape or (ends < rows).any():
        raise DataError(f"label_end {ends.shape} must have a row of its own or later, for each row")
    task = _Task(estimator, table, target, ends)
    pairs = list(_pairs(splits, table, target))
    if not pairs:
        raise DataError("no split to check")
    compared = 0
    with random_state_kept():
        leaks = [*_columns(task), *_holdings(task)]
        unstable = list(_clocks(estimator))
        for number, (train, test) in enumerate(pairs):
            leaks += _rows_of(task, train, test, number)
            if len(train) and len(test):
                model = task.fitted(train)
                leaks += _batch(task, model, test, number, seed)
                if not compared:
                    found, chances = _fits(task, train, test, model)
                    leaks, unstable = leaks + found, unstable + chances
                compared += 1
    kinds = ("overlap", "purge", "batch", "remembered", "holds", "target", "scaled")
    source = suspects(functions_of(estimator)) if leaks else ()
    return LeakReport(
        f"model {type(estimator).__name__}",
        tuple(Leak(**{**vars(leak), "source": leak.source or source}) for leak in leaks),
        tuple(unstable),
        ("prediction",),
        probes=tuple(f"{kind} of {len(pairs)} splits" for kind in kinds),
        n_rows=len(rows),
        cost=MORE_FITS / max(compared, 1),
        seed=seed,
    )


def _pairs(splits: Any, x: Array, y: Array) -> Iterator[Split]:
    given: Iterable[Any] = splits.split(x, y) if hasattr(splits, "split") else splits
    for train, test in given:
        yield np.asarray(train, dtype=np.intp), np.asarray(test, dtype=np.intp)


def _leak(how: str, row: int, cause: str, *, output: str = "prediction", **more: Any) -> Leak:
    fields = {"cut": row, "changed": 1, "reach": 0, "expected": "", "found": "", "symbol": ""}
    place = {"cut_ts": f"row {row}", "ts": f"row {row}", "row": row}
    return Leak(output, how, **{**fields, **place, **more}, cause=cause)


def _rows_of(task: _Task, train: Rows, test: Rows, number: int) -> Iterator[Leak]:
    """Rows on both sides, and labels that touch the test."""
    output = f"split {number}"
    both = np.intersect1d(train, test)
    if both.size:
        yield _leak("overlap", int(both[0]), OVERLAP, output=output, changed=int(both.size))
    if not test.size:
        return
    opening, closing = int(test.min()), int(task.label_end[test].max())
    ends, starts = task.label_end[train], train.astype(np.int64)
    clear = clear_before(ends, opening, 0) | clear_after(starts, closing, 0)
    touching = np.setdiff1d(train[~clear], both)
    if touching.size:
        yield _leak("purge", int(touching[0]), PURGE, output=output, changed=int(touching.size))


def _batch(task: _Task, model: Any, test: Rows, number: int, seed: int) -> Iterator[Leak]:
    """Whether what a model says of rows depends on those that are predicted with them."""
    rows, half = task.x[test], max(1, len(test) // 2)
    noise = np.random.default_rng([seed, number]).permutation(rows[half:]) * 3.0
    among_others = task.predicted(model, np.concatenate([rows[:half], noise]))[:half]
    where = [f"row {row}" for row in test]
    expected = task.predicted(model, rows)[:half]
    yield from _changed("batch", expected, among_others, test, BATCH, where)


def _fits(task: _Task, train: Rows, test: Rows, model: Any) -> tuple[list[Leak], list[Leak]]:
    """What a model says of `test` after a fit on all rows, with other random numbers.

    One that says the same remembers nothing, and draws nothing; else a third fit tells which.
    """
    rows, where = task.x[test], [f"row {row}" for row in test]
    used = task.fitted(np.arange(len(task.y)))
    expected = task.predicted(model, rows)
    again = task.predicted(task.fitted(train, seed=1, estimator=used), rows)
    if not list(_changed("", expected, again, test, "", where)):
        return [], []
    other = task.predicted(task.fitted(train, seed=1), rows)
    return (
        list(_changed("remembered", other, again, test, REMEMBERED, where)),
        list(_changed("repeated", expected, other, test, REPEATED, where)),
    )


def _changed(
    how: str, expected: Array, found: Array, test: Rows, cause: str, where: list[str]
) -> Iterator[Leak]:
    if expected.shape != found.shape:
        return
    other = difference(expected, found, ulps=MODEL_ULPS)
    if other is not None and other.cells.any():
        place = other.example[0]
        yield _leak(
            how,
            int(test[place]),
            cause,
            ts=where[place],
            changed=int(other.cells.sum()),
            expected=str(other.expected),
            found=str(other.found),
        )


def _columns(task: _Task) -> Iterator[Leak]:
    """Columns that are the target, or were scaled over all rows."""
    known = float(np.median(task.label_end - np.arange(len(task.y))))
    lag = max(1, int(known))
    own = abs(_rank_correlation(task.y[:-lag], task.y[lag:]))
    for column in range(task.x.shape[1]):
        values, output = task.x[:, column], f"column {column}"
        near = abs(_rank_correlation(values, task.y))
        if near > COLLINEAR and 1.0 - near < 0.1 * (1.0 - own):
            yield _leak("target", 0, TARGET, output=output, found=f"rank correlation {near:.4f}")
        finite = values[np.isfinite(values)]
        moves = finite.size > 2 and finite.std() > 0.0 and np.unique(finite).size > 2
        if moves and abs(finite.mean()) < STANDARD and _is_one(finite):
            yield _leak("scaled", 0, SCALED, output=output, found="mean 0, deviation 1")


def _is_one(values: Array) -> bool:
    return any(abs(values.std(ddof=ddof) - 1.0) < STANDARD for ddof in (0, 1))


def _rank_correlation(one: Array, other: Array) -> float:
    both = np.isfinite(one) & np.isfinite(other)
    if both.sum() < 3:
        return 0.0
    ranks = rank_percentiles(np.stack([one[both], other[both]]))
    if (ranks.std(axis=1) == 0.0).any():
        return 0.0
    return float(np.asarray(np.corrcoef(ranks))[0, 1])


def _holdings(task: _Task) -> Iterator[Leak]:
    """Arrays as long as the table that the model has before it is fitted."""
    for name, value in sorted(getattr(task.estimator, "__dict__", {}).items()):
        if isinstance(value, np.ndarray) and value.ndim and len(value) >= len(task.y):
            yield _leak("holds", 0, HOLDS, output=f"attribute {name}", changed=value.size)


def _clocks(estimator: Any) -> Iterator[Leak]:
    for line in clock_reads(functions_of(estimator)):
        yield _leak("clock", 0, "The code asks what time it is.", source=(line,))
