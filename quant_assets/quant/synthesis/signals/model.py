"""Signal `model`: one ridge regression, its penalty chosen by purged walk-forward rank IC."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from quant_assets.core.telemetry import Telemetry
from quant_assets.quant.market.panel import Floats
from quant_assets.quant.model_selection.purged_walk_forward import PurgedWalkForward
from quant_assets.quant.statistics.ridge import ridge_path
from quant_assets.quant.synthesis.signals.base import (
    Signal,
    SignalInputs,
    centred_ranks,
    no_opinion,
)
from quant_assets.quant.synthesis.signals.training import (
    N_SPLITS,
    Rows,
    TrainingTable,
    centred_panel,
    model_features,
    rank_ics,
    training_table,
)

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

# Penalties per training row; rank IC ignores scale, so the largest is nearly univariate.
PENALTIES = np.array([0.01, 0.1, 1.0, 10.0])


@dataclass(frozen=True)
class FittedModel:
    """The fitted estimator, its penalty per row, and that penalty's out-of-sample rank IC."""

    estimator: "Pipeline"
    penalty: float
    rank_ic: float


class Model(Signal):
    """Ridge regression of demeaned forward returns on the features' cross-sectional ranks.

    Labels span `label_horizon_bars` bars and must end inside the history. Label dates are
    thinned to every `label_horizon_bars // 4` bars, counted back from the last usable one
    (neighbours share three quarters of their label or more), and to at most 2,000 dates. The
    penalty is the one of `PENALTIES` (times the number of rows) with the best mean rank IC over
    three purged, embargoed walk-forward splits; ties and no evidence choose the largest. Fewer
    than `model_min_rows` complete rows: no opinion. A feature that no candidate has now, or that
    fewer than half of the training cells have, is left out.
    """

    name: ClassVar[str] = "model"

    def score(self, inputs: SignalInputs, telemetry: Telemetry) -> Floats:
        """See the base class; NaN for a symbol that lacks one of the model's features."""
        names = model_features(inputs)
        if inputs.alpha.model == "none" or not names:
            return no_opinion(inputs)
        table = training_table(inputs, names)
        if len(table.y) < inputs.alpha.model_min_rows:
            telemetry.log_metrics(inputs.alpha.model, {"rows": float(len(table.y))})
            return no_opinion(inputs)
        fitted = fit_model(table, embargo=inputs.alpha.embargo_bars)
        _log(fitted, table, names, telemetry)
        latest = centred_panel(np.stack([inputs.features[name] for name in names], axis=-1))
        complete = ~np.isnan(latest).any(axis=-1)
        predictions = no_opinion(inputs)
        if complete.any():
            predictions[complete] = fitted.estimator.predict(latest[complete])
        return centred_ranks(predictions)


def choose_penalty(table: TrainingTable, *, embargo: int) -> tuple[float, float]:
    """Find the best of `PENALTIES` and its mean out-of-sample rank IC (NaN without evidence)."""
    if len(np.unique(table.label_start)) <= N_SPLITS:
        return float(PENALTIES[-1]), float("nan")
    splitter = PurgedWalkForward(
        table.label_start, table.label_end, n_splits=N_SPLITS, embargo=embargo
    )
    parts = [_split_ic(table, train, test) for train, test in splitter.split() if len(train) > 1]
    daily = np.concatenate([np.full((len(PENALTIES), 0), np.nan), *parts], axis=1)
    daily = daily[:, ~np.isnan(daily).any(axis=0)]
    if daily.shape[1] == 0:
        return float(PENALTIES[-1]), float("nan")
    means = np.round(daily.mean(axis=1), 12)
    best = int(np.flatnonzero(means == means.max())[-1])
    return float(PENALTIES[best]), float(means[best])


def _split_ic(table: TrainingTable, train: Rows, test: Rows) -> Floats:
    """Rank IC of each penalty on each test date, shape (penalty, date)."""
    path = ridge_path(table.x[train], table.y[train], PENALTIES * len(train))
    return rank_ics(table, test, path.predict(table.x[test]))


def fit_model(table: TrainingTable, *, embargo: int) -> FittedModel:
    """Choose the penalty out of sample, then fit on all rows."""
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    penalty, rank_ic = choose_penalty(table, embargo=embargo)
    estimator = make_pipeline(StandardScaler(), Ridge(alpha=penalty * len(table.y)))
    estimator.fit(table.x, table.y)
    return FittedModel(estimator, penalty, rank_ic)


def _log(fitted: FittedModel, table: TrainingTable, names: list[str], telemetry: Telemetry) -> None:
    """Log coefficients of the standardised features, in return per label horizon."""
    coefficients = [float(value) for value in fitted.estimator[-1].coef_]
    signed = dict(zip(names, coefficients, strict=True))
    telemetry.log_feature_importance("ridge", {name: abs(signed[name]) for name in names})
    telemetry.log_feature_importance("ridge_signed", signed)
    metrics = {
        "penalty": fitted.penalty,
        "rows": float(len(table.y)),
        "dates": float(len(np.unique(table.label_start))),
    }
    if not np.isnan(fitted.rank_ic):
        metrics["oos_rank_ic"] = fitted.rank_ic
    telemetry.log_metrics("ridge", metrics)
