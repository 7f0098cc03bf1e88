from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from quant_assets.contracts.alpha_features import AlphaFeatures
from quant_assets.contracts.alpha_signals import AlphaSignals
from quant_assets.contracts.candidate_pool import CandidatePool
from quant_assets.contracts.market_context import MarketContext
from quant_assets.contracts.returns import Returns
from quant_assets.contracts.signal_metrics import SignalMetrics
from quant_assets.core.errors import ConfigError, LookAheadError
from quant_assets.core.telemetry import NullTelemetry, RecordingTelemetry
from quant_assets.quant.synthesis.inference import (
    alpha_signals_window,
    blend,
    latest_features,
    signal_metrics_window,
)
from quant_assets_tests.quant.synthesis.synthetic import (
    START,
    alpha_context,
    bars_before,
    candidate_pool,
    long_frame,
    planted_market,
    symbols_of,
)

pytestmark = pytest.mark.slow

NAN = np.nan
DAY = timedelta(days=1)


def _regimes(rows=3, regime="bear"):
    ts = bars_before(rows)
    return pd.DataFrame(
        {
            "ts": ts,
            "available_at": ts + DAY,
            "regime": pd.Series([*["bull"] * (rows - 1), regime], dtype="str"),
            "confidence": np.linspace(0.1, 0.9, rows),
            "trend_score": 0.0,
            "volatility_percentile": 0.5,
        }
    )


def _upstream(features, returns, symbols, ts=None):
    ts = bars_before(len(returns)) if ts is None else ts
    columns = {f"value_{name}": values for name, values in features.items()}
    return {
        "candidate_pool": candidate_pool(symbols),
        "alpha_features": long_frame(columns, ts, symbols),
        "market_context": _regimes(),
        "returns_matrix": long_frame({"returns": returns}, ts, symbols),
    }


def _signals(context, upstream, telemetry=None):
    frame = alpha_signals_window(context, telemetry or NullTelemetry(), **upstream)
    return AlphaSignals.check_frame(frame, where="test")


def _small(trend=((1.0, 2.0, 3.0),), **alpha):
    values = np.array(trend)
    upstream = _upstream({"trend": values}, np.zeros(values.shape), ("A", "B", "C"))
    return alpha_context(**alpha), upstream


def test_alpha_signals_by_hand():
    context, upstream = _small(mps_weights={"trend": 1.0}, annual_alpha=0.1)
    frame = _signals(context, upstream)
    assert frame.columns.tolist() == [
        "decided_at",
        "symbol",
        "alpha",
        "expected_return",
        "value_model",
        "value_mps",
        "value_rank",
    ]
    assert frame["symbol"].tolist() == ["A", "B", "C"]
    assert (frame["decided_at"] == pd.Timestamp(START)).all()
    np.testing.assert_allclose(frame["value_rank"], [-2 / 3, 0, 2 / 3], atol=1e-15)
    np.testing.assert_allclose(frame["alpha"], [-2 / 3, 0, 2 / 3], atol=1e-15)
    np.testing.assert_allclose(frame["expected_return"], [-2 / 30, 0, 2 / 30], atol=1e-15)
    assert frame["value_model"].isna().all()


def test_alpha_signals_weigh_the_signals():
    weights = {"rank": 3.0, "mps": 1.0}
    context, upstream = _small(mps_weights={"trend": -1.0}, signal_weights=weights)
    frame = _signals(context, upstream)
    np.testing.assert_allclose(frame["alpha"], [-1 / 3, 0, 1 / 3], atol=1e-15)


def test_alpha_signals_with_an_unknown_signal_list_the_known():
    context, upstream = _small(signal_weights={"rnak": 1.0})
    with pytest.raises(ConfigError, match=r"\['rnak'\]; known: .*'mps'.*'rank'"):
        alpha_signals_window(context, NullTelemetry(), **upstream)


def test_alpha_signals_without_candidates_are_empty():
    context, upstream = _small()
    for pool in (CandidatePool.empty(), candidate_pool((), rejected=("A",))):
        assert len(_signals(context, upstream | {"candidate_pool": pool})) == 0


def test_alpha_signals_of_empty_upstream_are_neutral():
    context, upstream = _small(mps_weights={"trend": 1.0})
    empty = {
        "alpha_features": AlphaFeatures.empty(),
        "market_context": MarketContext.empty(),
        "returns_matrix": Returns.empty(),
    }
    frame = _signals(context, upstream | empty)
    assert frame["alpha"].tolist() == frame["expected_return"].tolist() == [0.0, 0.0, 0.0]
    assert frame[["value_model", "value_mps", "value_rank"]].isna().all(axis=None)


def test_alpha_signals_without_returns_still_rank():
    context, upstream = _small()
    frame = _signals(context, upstream | {"returns_matrix": Returns.empty()})
    np.testing.assert_allclose(frame["value_rank"], [-2 / 3, 0, 2 / 3], atol=1e-15)


def test_alpha_signals_in_warm_up_are_neutral():
    context, upstream = _small(trend=((NAN, NAN, NAN),) * 9, mps_weights={"trend": 1.0})
    assert _signals(context, upstream)["alpha"].tolist() == [0.0, 0.0, 0.0]


def test_alpha_signals_rank_only_among_candidates():
    context, upstream = _small(trend=((1.0, 9.0, 3.0),))
    pool = candidate_pool(("A", "C", "Z"), rejected=("B",))
    frame = _signals(context, upstream | {"candidate_pool": pool})
    assert frame["symbol"].tolist() == ["A", "C", "Z"]
    np.testing.assert_allclose(frame["value_rank"], [-0.5, 0.5, NAN])
    np.testing.assert_allclose(frame["alpha"], [-0.5, 0.5, 0.0])


@pytest.mark.parametrize("name", ["alpha_features", "returns_matrix", "market_context"])
def test_alpha_signals_refuse_rows_from_the_future(name):
    context, upstream = _small()
    late = upstream[name].copy()
    late.loc[late.index[-1], "available_at"] = pd.Timestamp(START) + pd.Timedelta(seconds=1)
    with pytest.raises(LookAheadError, match=name):
        alpha_signals_window(context, NullTelemetry(), **(upstream | {name: late}))


def test_alpha_signals_accept_a_row_known_at_the_very_decision():
    context, upstream = _small()
    assert upstream["alpha_features"]["available_at"].max() == pd.Timestamp(START)
    assert _signals(context, upstream)["value_rank"].notna().all()


def test_alpha_signals_log_the_newest_regime_and_do_not_scale_by_it():
    context, upstream = _small()
    frames, logged = [], []
    for regime in ("bear", "bull", "unknown"):
        telemetry = RecordingTelemetry()
        regimes = {"market_context": _regimes(regime=regime)}
        frames.append(_signals(context, upstream | regimes, telemetry))
        logged.append(next(row for row in telemetry.rows if row["scope"] == "market_context"))
    assert [row.get("regime") for row in logged] == [-1.0, 1.0, None]
    assert {row["confidence"] for row in logged} == {0.9}
    pd.testing.assert_frame_equal(frames[0], frames[1])
    pd.testing.assert_frame_equal(frames[0], frames[2])


def test_alpha_signals_of_shuffled_renamed_symbols_are_permuted():
    features, returns = planted_market(200, 8, noise=0.01)
    options = {"model_min_rows": 100, "label_horizon_bars": 8, "mps_weights": {"trend": 1.0}}
    features = {"trend": features["planted"], "beta": features["noise"]}
    context = alpha_context(**options)
    symbols = symbols_of(8)
    order = np.random.default_rng(0).permutation(8)
    plain = _signals(context, _upstream(features, returns, symbols))
    moved = {name: values[:, order] for name, values in features.items()}
    shuffled = _signals(context, _upstream(moved, returns[:, order], symbols))
    columns = ["alpha", "value_model", "value_mps", "value_rank"]
    expected = plain[columns].to_numpy()[order]
    assert not np.isnan(expected).any()
    np.testing.assert_allclose(shuffled[columns].to_numpy(), expected, atol=1e-12)


def test_alpha_signals_twice_are_equal_and_leave_their_input_alone():
    context, upstream = _small()
    before = {name: frame.copy() for name, frame in upstream.items()}
    pd.testing.assert_frame_equal(_signals(context, upstream), _signals(context, upstream))
    for name, frame in before.items():
        pd.testing.assert_frame_equal(upstream[name], frame)


def test_latest_features_take_each_symbols_newest_row_as_a_whole():
    history = {
        "a": np.array([[1.0, 1.0], [2.0, 2.0], [3.0, NAN]]),
        "b": np.array([[5.0, 5.0], [6.0, NAN], [NAN, NAN]]),
    }
    latest = latest_features(history)
    np.testing.assert_array_equal(latest["a"], [3.0, 2.0])
    np.testing.assert_array_equal(latest["b"], [NAN, NAN])


def test_latest_features_older_than_five_rows_are_gone():
    values = np.full((9, 2), NAN)
    values[3, 0] = values[2, 1] = 7.0  # five and six rows before the newest
    np.testing.assert_array_equal(latest_features({"a": values})["a"], [7.0, NAN])
    assert latest_features({}) == {}


def test_blend_by_hand_divides_by_the_weights_that_are_heard():
    scores = {"a": np.array([0.8, NAN, NAN]), "b": np.array([0.2, -0.4, NAN])}
    # 0.8*3/4 + 0.2/4 = 0.65 and -0.4, mean 0.125
    np.testing.assert_allclose(
        blend(scores, {"a": 3.0, "b": 1.0}, n_symbols=3), [0.525, -0.525, 0.0]
    )


def test_blend_clips_after_demeaning():
    scores = {"a": np.array([1.0, -1.0, -1.0, -1.0])}
    np.testing.assert_allclose(blend(scores, {"a": 2.0}, n_symbols=4), [1.0, -0.5, -0.5, -0.5])


def test_blend_of_a_negative_weight_turns_the_signal():
    scores = {"a": np.array([0.5, -0.5])}
    np.testing.assert_allclose(blend(scores, {"a": -2.0}, n_symbols=2), [-0.5, 0.5])


@pytest.mark.parametrize("weights", [{}, {"a": 0.0}])
def test_blend_without_weights_is_neutral(weights):
    assert blend({"a": np.array([0.5, -0.5])}, weights, n_symbols=2).tolist() == [0.0, 0.0]


def _after(returns, symbols, start=START):
    ts = pd.date_range(start, periods=len(returns), freq="D").as_unit("us")
    return long_frame({"returns": np.asarray(returns)}, ts, symbols)


def _metrics(context, signals, returns):
    frame = signal_metrics_window(
        context, NullTelemetry(), alpha_signals=signals, returns_matrix=returns
    )
    return SignalMetrics.check_frame(frame, where="test")


def test_signal_metrics_by_hand():
    context, upstream = _small(mps_weights={"trend": -1.0}, signal_weights={"rank": 1.0})
    # compounded: A 0.21, B -0.02, C 0.1; rank says A < B < C: d = 2 1 1, rho = 1 - 6*6/24
    returns = _after([[0.1, -0.02, 0.1], [0.1, 0.0, 0.0]], ("A", "B", "C"))
    frame = _metrics(context, _signals(context, upstream), returns)
    assert frame["signal"].tolist() == ["alpha", "model", "mps", "rank"]
    np.testing.assert_allclose(frame["rank_ic"], [-0.5, NAN, 0.5, -0.5])
    assert frame["n_symbols"].tolist() == [3, 0, 3, 3]
    assert (frame["ts"] == pd.Timestamp(context.window.start)).all()
    assert (frame["available_at"] == pd.Timestamp(context.window.end)).all()


def test_signal_metrics_judge_only_rows_of_the_window_after_the_decision():
    decided_at = START + timedelta(hours=1)
    context, upstream = _small(decided_at=decided_at)
    pool = candidate_pool(("A", "B", "C"), decided_at=decided_at)
    signals = _signals(context, upstream | {"candidate_pool": pool})
    inside = _after([[0.01, 0.02, 0.03]], ("A", "B", "C"), START + DAY)
    before = _after([[0.9, 0.0, 0.0]], ("A", "B", "C"), START)
    beyond = _after([[0.9, 0.0, 0.0]], ("A", "B", "C"), context.window.end)
    frame = _metrics(context, signals, pd.concat([before, inside, beyond], ignore_index=True))
    assert frame.set_index("signal").loc["rank", "rank_ic"] == 1.0


def test_signal_metrics_skip_missing_returns_and_absent_symbols():
    symbols = ("A", "B", "C", "D", "E")
    trend = np.array([[1.0, 2.0, 3.0, 4.0, 5.0]])
    upstream = _upstream({"trend": trend}, np.zeros((1, 5)), symbols)
    context = alpha_context()
    returns = _after([[0.1, NAN, 0.3, NAN], [NAN, 0.2, 0.0, NAN]], ("A", "B", "C", "D"))
    frame = _metrics(context, _signals(context, upstream), returns).set_index("signal")
    assert frame.loc["rank", "n_symbols"] == 3  # D has no value, E no row
    assert frame.loc["rank", "rank_ic"] == 1.0


def test_signal_metrics_without_signals_or_returns_are_empty():
    context, upstream = _small()
    returns = _after([[0.1, 0.2, 0.3]], ("A", "B", "C"))
    assert len(_metrics(context, AlphaSignals.empty(), returns)) == 0
    assert len(_metrics(context, _signals(context, upstream), Returns.empty())) == 0
    late = returns.assign(ts=returns["ts"] + pd.Timedelta(days=400))
    assert len(_metrics(context, _signals(context, upstream), late)) == 0


def test_signal_metrics_of_a_planted_signal_exceed_nine_tenths():
    rows, extra, count = 300, 20, 20
    features, returns = planted_market(rows + extra, count, noise=0.001, seed=3)
    features = {"trend": features["planted"][:rows], "beta": features["noise"][:rows]}
    context = alpha_context(
        mps_weights={"trend": 1.0},
        label_horizon_bars=8,
        model_min_rows=100,
        signal_weights={"model": 1.0},
    )
    symbols = symbols_of(count)
    signals = _signals(context, _upstream(features, returns[:rows], symbols))
    strength = features["trend"][-1]  # the same order rules the window
    outcome = _after(np.tile(0.002 * strength, (extra, 1)), symbols)
    frame = _metrics(context, signals, outcome).set_index("signal")
    assert (frame.loc[["alpha", "model", "mps"], "rank_ic"] > 0.9).all()


def test_signal_metrics_of_noise_lie_within_three_standard_errors():
    count, markets = 40, 30
    symbols = symbols_of(count)
    context = alpha_context(mps_weights={"trend": 1.0})
    ics = []
    for seed in range(markets):
        rng = np.random.default_rng(seed)
        noise = {"trend": rng.normal(size=(1, count)), "beta": rng.normal(size=(1, count))}
        signals = _signals(context, _upstream(noise, np.zeros((1, count)), symbols))
        frame = _metrics(context, signals, _after(rng.normal(size=(5, count)) * 0.01, symbols))
        ics.append(frame.set_index("signal")["rank_ic"])
    mean = pd.concat(ics, axis=1).mean(axis=1)
    assert (mean[["alpha", "mps", "rank"]].abs() < 3 / np.sqrt(markets * count)).all()


def test_signal_metrics_equal_scipy():
    rng = np.random.default_rng(8)
    symbols = symbols_of(15)
    upstream = _upstream({"trend": rng.normal(size=(1, 15))}, np.zeros((1, 15)), symbols)
    context = alpha_context()
    signals = _signals(context, upstream)
    returns = rng.normal(size=(10, 15)) * 0.02
    frame = _metrics(context, signals, _after(returns, symbols)).set_index("signal")
    expected = stats.spearmanr(signals["value_rank"], np.prod(1 + returns, axis=0)).statistic
    assert frame.loc["rank", "rank_ic"] == pytest.approx(expected, abs=1e-12)
