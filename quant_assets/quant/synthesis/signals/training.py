"""What signals that learn have in common: the training table, and the choice of a penalty.

Rows are (date, symbol) of the training windows. Nothing is learned from a label that ends after
the history, and no candidate is judged on a date whose label overlaps one that it was fitted on.
"""

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quant_assets.core.telemetry import Telemetry
from quant_assets.quant.market.panel import Floats
from quant_assets.quant.model_selection.labels import forward_returns
from quant_assets.quant.model_selection.purged_walk_forward import PurgedWalkForward
from quant_assets.quant.statistics.ranks import cross_sectional_ic, rank_percentiles
from quant_assets.quant.synthesis.signals.base import (
    Signal,
    SignalInputs,
    centred_ranks,
    no_opinion,
)

N_SPLITS = 3
MAX_LABEL_DATES = 2_000
MIN_COVERAGE = 0.5
Rows = npt.NDArray[np.intp]


@dataclass(frozen=True)
class TrainingTable:
    """Complete training rows, sorted by date and then by column.

    `x` (row, feature) holds cross-sectional ranks in (-1, 1), `y` (row,) forward returns minus
    their date's mean. Row i belongs to symbol column `column[i]`; its label spans the bars
    `label_start[i]` to `label_end[i]`.
    """

    x: Floats
    y: Floats
    column: npt.NDArray[np.intp]
    label_start: npt.NDArray[np.int64]
    label_end: npt.NDArray[np.int64]

    def take(self, rows: Rows) -> "TrainingTable":
        """Keep `rows`."""
        return TrainingTable(
            self.x[rows],
            self.y[rows],
            self.column[rows],
            self.label_start[rows],
            self.label_end[rows],
        )


def model_features(inputs: SignalInputs) -> list[str]:
    """Features that a candidate has now and half of the training cells have, sorted by name.

    A series that begins late (open interest, funding) would otherwise leave no complete row.
    """
    now = [name for name in sorted(inputs.features) if not np.isnan(inputs.features[name]).all()]
    known = {name: 1.0 - np.isnan(inputs.history[name]).mean() for name in now}
    most = max(known.values(), default=0.0)
    return [name for name in now if known[name] >= MIN_COVERAGE * most]


def training_table(inputs: SignalInputs, names: list[str]) -> TrainingTable:
    """Rows whose features `names` and label are complete.

    Label dates are thinned to every `label_horizon_bars // 4` bars, counted back from the last
    usable one, and to at most 2,000 dates.
    """
    horizon = inputs.alpha.label_horizon_bars
    n_dates = max(0, len(inputs.ts) - horizon)
    step = max(1, horizon // 4, -(-n_dates // MAX_LABEL_DATES))
    dates = np.arange(n_dates - 1, -1, -step, dtype=np.int64)[::-1]
    labels = forward_returns(inputs.returns, horizon)[dates]
    x = centred_panel(np.stack([inputs.history[name][dates] for name in names], axis=-1))
    complete = ~(np.isnan(x).any(axis=-1) | np.isnan(labels))
    counts = np.maximum(complete.sum(axis=1), 1)
    y = labels - (np.where(complete, labels, 0.0).sum(axis=1) / counts)[:, None]
    row, column = np.nonzero(complete)
    start = dates[row]
    return TrainingTable(x[complete], y[complete], column, start, start + horizon)


def centred_panel(values: Floats) -> Floats:
    """Ranks in (-1, 1) across symbols; `values` is (..., symbol, feature)."""
    return np.asarray(2.0 * rank_percentiles(values, axis=-2) - 1.0)


def rank_ics(table: TrainingTable, test: Rows, predictions: Floats) -> Floats:
    """Rank IC of `predictions` (candidate, row) of the rows `test` on each of their dates."""
    moments, date = np.unique(table.label_start[test], return_inverse=True)
    shape = (len(moments), int(table.column.max()) + 1)
    predicted = np.full((len(predictions), *shape), np.nan)
    predicted[:, date, table.column[test]] = predictions
    actual = np.full(shape, np.nan)
    actual[date, table.column[test]] = table.y[test]
    return cross_sectional_ic(predicted, actual)


class Learned(Signal):
    """A signal that learns the order of forward returns from the features' ranks.

    A subclass fits several candidates (penalties, sizes), simplest first. The one with the best
    mean rank IC over three purged, embargoed walk-forward splits is fitted on all rows; ties and
    no evidence choose the first. Fewer than `alpha.model_min_rows` rows: no opinion.
    """

    @abstractmethod
    def predict(self, table: TrainingTable, ahead: Floats) -> Floats:
        """Fit every candidate on `table`; predictions (candidate, row) for `ahead`."""

    def score(self, inputs: SignalInputs, telemetry: Telemetry) -> Floats:
        """See the base class; NaN for a symbol that lacks one of the model's features."""
        names = model_features(inputs)
        if not names:
            return no_opinion(inputs)
        table = training_table(inputs, names)
        if len(table.y) < inputs.alpha.model_min_rows:
            telemetry.log_metrics(self.name, {"rows": float(len(table.y))})
            return no_opinion(inputs)
        best, rank_ic = self.choose(table, embargo=inputs.alpha.embargo_bars)
        metrics = {"rows": float(len(table.y)), "candidate": float(best)}
        metrics |= {} if np.isnan(rank_ic) else {"oos_rank_ic": rank_ic}
        telemetry.log_metrics(self.name, metrics)
        latest = centred_panel(np.stack([inputs.features[name] for name in names], axis=-1))
        complete = ~np.isnan(latest).any(axis=-1)
        predictions = no_opinion(inputs)
        if complete.any():
            predictions[complete] = self.predict(table, latest[complete])[best]
        return centred_ranks(predictions)

    def choose(self, table: TrainingTable, *, embargo: int) -> tuple[int, float]:
        """Find the best candidate and its mean out-of-sample rank IC (0 and NaN: no evidence).

        A candidate that says the same of all symbols has an IC of 0 on that date.
        """
        if len(np.unique(table.label_start)) <= N_SPLITS:
            return 0, float("nan")
        splitter = PurgedWalkForward(
            table.label_start, table.label_end, n_splits=N_SPLITS, embargo=embargo
        )
        parts = [self._ics(table, *split) for split in splitter.split() if len(split[0]) > 1]
        daily = np.concatenate(parts, axis=1) if parts else np.empty((1, 0))
        judged = daily[:, ~np.isnan(daily).all(axis=0)]
        if judged.shape[1] == 0:
            return 0, float("nan")
        means = np.round(np.nan_to_num(judged, nan=0.0).mean(axis=1), 12)
        best = int(np.argmax(means))
        return best, float(means[best])

    def _ics(self, table: TrainingTable, train: Rows, test: Rows) -> Floats:
        """Rank IC of each candidate on each test date, shape (candidate, date)."""
        return rank_ics(table, test, self.predict(table.take(train), table.x[test]))
