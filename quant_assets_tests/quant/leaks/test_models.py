"""The leak check of models: 10 planted faults, 6 honest models."""

import numpy as np
import pytest

from quant_assets.core.errors import DataError
from quant_assets.quant.leaks.models import check_model
from quant_assets.quant.model_selection.purged_kfold import PurgedKFold
from quant_assets.quant.model_selection.walk_forward import WalkForward

pytestmark = pytest.mark.slow

N, HORIZON = 240, 6
ROWS = np.arange(N)
ENDS = np.minimum(ROWS + HORIZON, N - 1)


def table(seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(N, 4)) + 0.1
    y = 0.3 * x[:, 0] + rng.normal(size=N)
    return x, y


def later(train_end, test_start):
    return [(ROWS[:train_end], ROWS[test_start : test_start + 40])]


SPLITS = later(120, 130) + later(160, 170)


class Least:
    """Least squares."""

    def fit(self, x, y):
        self.coef_ = np.linalg.lstsq(x, y, rcond=None)[0]
        return self

    def predict(self, x):
        return x @ self.coef_


class CentredBatch(Least):
    """Scales by the rows that it predicts."""

    def predict(self, x):
        return (x - x.mean(axis=0)) @ self.coef_


class WarmStart(Least):
    """Goes on from its last fit."""

    def fit(self, x, y):
        before = getattr(self, "coef_", 0.0)
        super().fit(x, y)
        self.coef_ = 0.5 * self.coef_ + 0.5 * before
        return self


class Draws(Least):
    """Random, without a seed."""

    def fit(self, x, y):
        rows = np.random.permutation(len(y))[: len(y) // 2]  # noqa: NPY002 - the planted fault
        return super().fit(x[rows], y[rows])


class Holds(Least):
    """Has the targets of all rows."""

    def __init__(self, targets):
        self.targets = targets


class Clocked(Least):
    """Weighs by today's date."""

    def fit(self, x, y):
        import datetime as dt

        self.day = dt.date.today().day  # noqa: DTZ011 - the planted fault
        return super().fit(x, y)


def probes(report):
    return {leak.probe for leak in (*report.leaks, *report.unstable)}


@pytest.mark.parametrize(
    ("model", "splits", "ends", "probe"),
    [
        (CentredBatch(), SPLITS, ENDS, "batch"),
        (WarmStart(), SPLITS, ENDS, "remembered"),
        (Draws(), SPLITS, ENDS, "repeated"),
        (Holds(np.zeros(N)), SPLITS, ENDS, "holds"),
        (Clocked(), SPLITS, ENDS, "clock"),
        (Least(), later(120, 119), None, "overlap"),
        (Least(), later(120, 122), ENDS, "purge"),
        (Least(), PurgedKFold(5), ENDS, "purge"),
    ],
)
def test_planted_fault_of_model_or_split_is_caught_alone(model, splits, ends, probe):
    report = check_model(model, *table(), splits, label_end=ends)
    assert probes(report) == {probe}
    assert not report.trusted


@pytest.mark.parametrize("name", ["target", "scaled"])
def test_planted_column_is_caught_alone(name):
    x, y = table()
    columns = {
        "target": np.exp(y) + 1e-3 * np.random.default_rng(1).normal(size=N),
        "scaled": (x[:, 1] - x[:, 1].mean()) / x[:, 1].std(),
    }
    x[:, 2] = columns[name]
    report = check_model(Least(), x, y, SPLITS, label_end=ENDS)
    assert [(leak.probe, leak.output) for leak in report.leaks] == [(name, "column 2")]


def honest_models():
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.neighbors import KNeighborsRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return {
        "least": (Least(), SPLITS),
        "scaler in the pipeline": (make_pipeline(StandardScaler(), Ridge()), SPLITS),
        "seeded forest": (RandomForestRegressor(5, random_state=3), SPLITS),
        "neighbours": (KNeighborsRegressor(3), SPLITS),
        "purged folds": (Ridge(), PurgedKFold(5, label_start=ROWS, label_end=ENDS)),
        "walk-forward": (Ridge(), WalkForward(train_size=100, test_size=20, purge=HORIZON)),
        "probabilities": (LogisticRegression(), SPLITS),
    }


@pytest.mark.parametrize("name", honest_models())
def test_honest_model_is_trusted(name):
    model, splits = honest_models()[name]
    x, y = table()
    y = (y > 0).astype(float) if name == "probabilities" else y
    report = check_model(model, x, y, splits, label_end=ENDS)
    assert report.trusted, str(report)


def test_level_that_follows_itself_is_not_the_target():
    rng = np.random.default_rng(2)
    level = 100.0 + np.cumsum(rng.normal(size=N + 1))
    x = np.column_stack([level[:-1], rng.normal(size=N)])
    report = check_model(Least(), x, level[1:], SPLITS)
    assert report.trusted, str(report)


def test_wrong_tables_are_refused():
    x, y = table()
    with pytest.raises(DataError, match="must be"):
        check_model(Least(), x, y[:-1], SPLITS)
    with pytest.raises(DataError, match="label_end"):
        check_model(Least(), x, y, SPLITS, label_end=ROWS - 1)
    with pytest.raises(DataError, match="no split"):
        check_model(Least(), x, y, [])
