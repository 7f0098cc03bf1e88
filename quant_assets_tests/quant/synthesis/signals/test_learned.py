"""Signals that learn: what they recover, what they refuse, and their formulas by scikit-learn."""

import dataclasses

import numpy as np
import pytest
from scipy import stats

from quant_assets.core.telemetry import NullTelemetry, RecordingTelemetry
from quant_assets.quant.synthesis.signals.elastic_net import SHARES, ElasticNet
from quant_assets.quant.synthesis.signals.gradient_boosting import GradientBoosting
from quant_assets.quant.synthesis.signals.ranking import Ranking, pairs
from quant_assets.quant.synthesis.signals.training import (
    TrainingTable,
    model_features,
    training_table,
)
from quant_assets_tests.quant.synthesis.synthetic import planted_market, signal_inputs

pytestmark = pytest.mark.slow

NAMES = ["noise", "planted"]
QUICK = [ElasticNet, Ranking]
every = pytest.mark.parametrize(
    "signal", [*QUICK, pytest.param(GradientBoosting, marks=pytest.mark.slow)]
)


def _inputs(rows=240, count=16, *, noise=0.0, seed=0, **alpha):
    history, returns = planted_market(rows, count, noise=noise, seed=seed)
    latest = {name: values[-1] for name, values in history.items()}
    options = {"label_horizon_bars": 8, "model_min_rows": 100, **alpha}
    return signal_inputs(latest, history=history, returns=returns, **options)


@every
def test_learned_signal_recovers_the_order_of_a_planted_feature(signal):
    inputs = _inputs(noise=0.01)
    score = signal().score(inputs, NullTelemetry())
    assert stats.spearmanr(score, inputs.features["planted"]).statistic > 0.8
    assert np.abs(score).max() <= 1


@pytest.mark.parametrize("signal", QUICK)
def test_learned_signal_tells_rows_candidate_and_ic(signal):
    telemetry = RecordingTelemetry()
    signal().score(_inputs(noise=0.01), telemetry)
    (row,) = telemetry.rows
    assert row["scope"] == signal.name
    assert row["rows"] > 100
    assert row["oos_rank_ic"] > 0.2


@every
def test_learned_signal_with_too_few_rows_or_no_features_has_no_opinion(signal):
    few = signal().score(_inputs(model_min_rows=100_000), NullTelemetry())
    none = dataclasses.replace(_inputs(), features={}, history={})
    assert np.isnan(few).all()
    assert np.isnan(signal().score(none, NullTelemetry())).all()


def test_learned_signal_without_enough_dates_takes_the_simplest():
    table = training_table(_inputs(rows=14), NAMES)
    best, ic = ElasticNet().choose(table, embargo=0)
    assert best == 0
    assert np.isnan(ic)


def test_elastic_net_equals_scikit_learns_estimator():
    from sklearn.linear_model import ElasticNet as Peer

    table = training_table(_inputs(noise=0.02), NAMES)
    scaled = (table.x - table.x.mean(axis=0)) / table.x.std(axis=0)
    largest = np.abs(scaled.T @ (table.y - table.y.mean())).max() / (len(table.y) * 0.5)
    predictions = ElasticNet().predict(table, table.x[:30])
    for share, found in zip(SHARES, predictions, strict=True):
        peer = Peer(alpha=share * largest, l1_ratio=0.5, tol=1e-12, max_iter=100_000)
        expected = scaled[:30] @ peer.fit(scaled, table.y).coef_
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-12)


def test_elastic_net_of_flat_labels_says_nothing():
    table = training_table(_inputs(), NAMES)
    flat = dataclasses.replace(table, y=np.zeros_like(table.y))
    assert not ElasticNet().predict(flat, table.x[:3]).any()


def test_pairs_match_the_best_with_the_worst_of_each_date():
    y = np.array([3.0, 1.0, 2.0, 4.0, 9.0, 9.0, 7.0])
    date = np.array([0, 0, 0, 0, 5, 5, 5])
    table = TrainingTable(np.zeros((7, 1)), y, np.arange(7), date, date + 1)
    winners, losers = pairs(table)
    assert list(zip(y[winners], y[losers], strict=True)) == [(4.0, 1.0), (3.0, 2.0), (9.0, 7.0)]


def test_ranking_of_flat_labels_has_no_pairs_and_says_nothing():
    table = training_table(_inputs(), NAMES)
    flat = dataclasses.replace(table, y=np.zeros_like(table.y))
    assert not Ranking().predict(flat, table.x[:3]).any()


def test_ranking_only_minds_the_order_of_returns():
    table = training_table(_inputs(noise=0.01), NAMES)
    curved = dataclasses.replace(table, y=np.cbrt(table.y))
    first, second = (Ranking().predict(t, table.x[:20]) for t in (table, curved))
    np.testing.assert_array_equal(first, second)


def test_model_features_leaves_out_what_began_late_or_is_gone():
    inputs = _inputs()
    late = inputs.history["noise"].copy()
    late[: 2 * len(late) // 3] = np.nan
    gone = np.full_like(late, 1.0)
    history = {**inputs.history, "late": late, "gone": gone}
    latest = {**inputs.features, "late": late[-1], "gone": np.full(late.shape[1], np.nan)}
    assert model_features(dataclasses.replace(inputs, history=history, features=latest)) == NAMES
