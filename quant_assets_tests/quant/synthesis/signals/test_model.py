import dataclasses

import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from quant_assets.core.telemetry import NullTelemetry, RecordingTelemetry
from quant_assets.quant.model_selection.purged_walk_forward import PurgedWalkForward
from quant_assets.quant.synthesis.signals.model import (
    PENALTIES,
    Model,
    choose_penalty,
    fit_model,
)
from quant_assets.quant.synthesis.signals.training import (
    MAX_LABEL_DATES,
    N_SPLITS,
    training_table,
)
from quant_assets_tests.quant.synthesis.synthetic import planted_market, signal_inputs

pytestmark = pytest.mark.slow

NAN = np.nan
NAMES = ["noise", "planted"]


def _inputs(rows=300, count=20, *, noise=0.0, seed=0, **alpha):
    history, returns = planted_market(rows, count, noise=noise, seed=seed)
    latest = {name: values[-1] for name, values in history.items()}
    options = {"label_horizon_bars": 8, "model_min_rows": 100, **alpha}
    return signal_inputs(latest, history=history, returns=returns, **options)


def _score(inputs):
    return Model().score(inputs, NullTelemetry())


def test_model_recovers_the_order_of_a_planted_feature():
    inputs = _inputs(noise=0.01)
    score = _score(inputs)
    assert stats.spearmanr(score, inputs.features["planted"]).statistic > 0.9
    assert np.abs(score).max() <= 1


def test_model_of_a_mirrored_feature_is_unchanged():
    inputs = _inputs(noise=0.01)
    mirrored = dataclasses.replace(
        inputs,
        history={name: -values for name, values in inputs.history.items()},
        features={name: -values for name, values in inputs.features.items()},
    )
    np.testing.assert_allclose(_score(mirrored), _score(inputs), atol=1e-12)


def test_training_table_by_hand():
    returns = np.array([[0.0, 0.0], [0.1, 0.3], [0.2, 0.2], [-0.1, NAN], [0.0, 0.1]])
    history = {"f": np.array([[1.0, 2.0], [5.0, 4.0], [1.0, 1.0], [1.0, NAN], [9.0, 9.0]])}
    inputs = signal_inputs(
        {"f": [9.0, 9.0]}, history=history, returns=returns, label_horizon_bars=1
    )
    table = training_table(inputs, ["f"])
    # labels: bar 0 .1 .3, bar 1 .2 .2, bar 2 -.1 alone, bar 3 0 alone, bar 4 none
    assert table.label_start.tolist() == [0, 0, 1, 1, 2, 3]
    assert table.label_end.tolist() == [1, 1, 2, 2, 3, 4]
    assert table.column.tolist() == [0, 1, 0, 1, 0, 0]
    np.testing.assert_allclose(table.y, [-0.1, 0.1, 0.0, 0.0, 0.0, 0.0], atol=1e-15)
    np.testing.assert_allclose(table.x[:, 0], [-0.5, 0.5, 0.5, -0.5, 0.0, 0.0])


def test_training_table_thins_dates_from_the_last_usable_one():
    table = training_table(_inputs(rows=60, label_horizon_bars=21), NAMES)
    dates = np.unique(table.label_start)
    assert dates[-1] == 60 - 1 - 21
    assert set(np.diff(dates)) == {21 // 4}
    assert dates[0] < 5


def test_training_table_caps_the_number_of_dates():
    table = training_table(_inputs(rows=9_000, count=3, label_horizon_bars=4), NAMES)
    assert 0.5 * MAX_LABEL_DATES < len(np.unique(table.label_start)) <= MAX_LABEL_DATES


@pytest.mark.parametrize("rows", [1, 8, 9])
def test_training_table_of_a_short_history_has_no_row_without_a_label(rows):
    assert len(training_table(_inputs(rows=rows), NAMES).y) == 20 * max(0, rows - 8)


def test_model_never_uses_a_label_that_ends_after_the_history():
    inputs = _inputs(noise=0.01)
    table = training_table(inputs, NAMES)
    assert table.label_end.max() == len(inputs.ts) - 1
    # features of the last `horizon` rows belong to labels that are not known yet
    history = {name: values.copy() for name, values in inputs.history.items()}
    for values in history.values():
        values[-8:] = np.random.default_rng(9).normal(size=values[-8:].shape) * 1e6
    tampered = training_table(dataclasses.replace(inputs, history=history), NAMES)
    for field in dataclasses.fields(table):
        expected = getattr(table, field.name)
        np.testing.assert_array_equal(getattr(tampered, field.name), expected)


def test_model_cannot_learn_what_only_unfinished_labels_show():
    # returns follow the feature against its sign, but in the last `horizon` bars strongly with it:
    # the rows that would show that have labels which are not known yet
    rng = np.random.default_rng(5)
    rows, count, horizon = 300, 200, 20
    feature = rng.uniform(-1, 1, size=(rows, count))
    strength = np.where(np.arange(rows) < rows - horizon, -0.01, 0.3)[:, None]
    returns = np.vstack([np.zeros((1, count)), (strength * feature)[:-1]])
    inputs = signal_inputs(
        {"oracle": feature[-1]},
        history={"oracle": feature},
        returns=returns,
        label_horizon_bars=horizon,
        model_min_rows=100,
    )
    assert stats.spearmanr(_score(inputs), feature[-1]).statistic == pytest.approx(-1.0)


def test_model_with_fewer_rows_than_the_minimum_has_no_opinion():
    rows = len(training_table(_inputs(), NAMES).y)
    assert np.isnan(_score(_inputs(model_min_rows=rows + 1))).all()
    assert not np.isnan(_score(_inputs(model_min_rows=rows))).any()


def test_model_none_has_no_opinion():
    assert np.isnan(_score(_inputs(model="none"))).all()


def test_model_without_features_has_no_opinion():
    inputs = dataclasses.replace(_inputs(), features={}, history={})
    assert np.isnan(_score(inputs)).all()


def test_model_scores_only_symbols_with_complete_features():
    inputs = _inputs(noise=0.01)
    inputs.features["planted"] = inputs.features["planted"].copy()
    inputs.features["planted"][3] = NAN
    score = _score(inputs)
    assert np.flatnonzero(np.isnan(score)).tolist() == [3]


def test_model_leaves_out_a_feature_that_nobody_has_now():
    inputs = _inputs(noise=0.01)
    dead = np.full_like(inputs.returns, NAN)
    crowded = dataclasses.replace(
        inputs,
        features=inputs.features | {"dead": dead[-1]},
        history=inputs.history | {"dead": dead},
    )
    np.testing.assert_array_equal(_score(crowded), _score(inputs))


def test_fit_model_is_the_scikit_learn_pipeline_of_the_chosen_penalty():
    table = training_table(_inputs(noise=0.02), NAMES)
    fitted = fit_model(table, embargo=5)
    assert isinstance(fitted.estimator, Pipeline)
    assert fitted.penalty in PENALTIES
    expected = make_pipeline(StandardScaler(), Ridge(alpha=fitted.penalty * len(table.y)))
    expected.fit(table.x, table.y)
    np.testing.assert_array_equal(fitted.estimator.predict(table.x), expected.predict(table.x))


def _penalty_by_scikit_learn(table, embargo):
    """Mean rank IC per penalty, the slow way: sklearn fits, scipy rank correlations."""
    splitter = PurgedWalkForward(
        table.label_start, table.label_end, n_splits=N_SPLITS, embargo=embargo
    )
    means = []
    for penalty in PENALTIES:
        daily = []
        for train, test in splitter.split(table.x):
            model = make_pipeline(StandardScaler(), Ridge(alpha=penalty * len(train)))
            predicted = model.fit(table.x[train], table.y[train]).predict(table.x[test])
            for date in np.unique(table.label_start[test]):
                rows = table.label_start[test] == date
                daily.append(stats.spearmanr(predicted[rows], table.y[test][rows]).statistic)
        means.append(np.mean(daily))
    return np.array(means)


@pytest.mark.parametrize("seed", range(4))
def test_choose_penalty_equals_scikit_learn_and_scipy(seed):
    history, returns = planted_market(250, 12, noise=0.03, seed=seed)
    rng = np.random.default_rng(seed)
    for number in range(4):
        history[f"copy_{number}"] = history["planted"] + rng.normal(size=returns.shape)
    inputs = signal_inputs(
        {name: values[-1] for name, values in history.items()},
        history=history,
        returns=returns,
        label_horizon_bars=8,
    )
    table = training_table(inputs, sorted(history))
    means = _penalty_by_scikit_learn(table, 5)
    penalty, rank_ic = choose_penalty(table, embargo=5)
    assert rank_ic == pytest.approx(means.max(), abs=1e-9)
    assert penalty == PENALTIES[np.argmax(means)]


def test_choose_penalty_without_evidence_takes_the_largest():
    few_dates = training_table(_inputs(rows=10), NAMES)
    all_purged = training_table(_inputs(rows=40), NAMES)
    for table, embargo in [(few_dates, 0), (all_purged, 500)]:
        penalty, rank_ic = choose_penalty(table, embargo=embargo)
        assert penalty == PENALTIES[-1]
        assert np.isnan(rank_ic)


def test_choose_penalty_of_one_feature_ties_and_takes_the_largest():
    table = training_table(_inputs(noise=0.01), ["planted"])
    penalty, rank_ic = choose_penalty(table, embargo=5)
    assert penalty == PENALTIES[-1]
    assert rank_ic > 0.3


def test_model_of_noise_has_an_out_of_sample_ic_near_zero():
    ics = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        history = {"a": rng.normal(size=(200, 20)), "b": rng.normal(size=(200, 20))}
        inputs = signal_inputs(
            {name: values[-1] for name, values in history.items()},
            history=history,
            returns=rng.normal(size=(200, 20)) * 0.01,
            label_horizon_bars=1,
        )
        ics.append(choose_penalty(training_table(inputs, ["a", "b"]), embargo=0)[1])
    # 20 markets x 148 test dates x 20 symbols; the best of four penalties adds a little
    assert abs(np.mean(ics)) < 3 / np.sqrt(20 * 148 * 19) + 0.005


def test_model_tells_importance_penalty_and_ic():
    telemetry = RecordingTelemetry()
    Model().score(_inputs(noise=0.01), telemetry)
    absolute, signed, metrics = telemetry.rows
    assert (absolute["scope"], signed["scope"]) == ("ridge", "ridge_signed")
    assert absolute["kind"] == "feature_importance"
    for name in NAMES:
        assert absolute[name] == abs(signed[name])
    assert signed["planted"] > 10 * absolute["noise"]
    assert metrics["penalty"] in PENALTIES
    assert metrics["oos_rank_ic"] > 0.3


@pytest.mark.parametrize("scale", [1e6, 1e-8])
def test_model_does_not_care_about_the_scale_of_features(scale):
    inputs = _inputs(noise=0.01)
    scaled = dataclasses.replace(
        inputs,
        history={name: values * scale for name, values in inputs.history.items()},
        features={name: values * scale for name, values in inputs.features.items()},
    )
    np.testing.assert_array_equal(_score(scaled), _score(inputs))
