"""Decay of signals by hand and against pandas, and that nothing before the decision counts."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from quant_assets.contracts.signal_decay import SignalDecay
from quant_assets.core.telemetry import NullTelemetry, RecordingTelemetry
from quant_assets.quant.synthesis.decay import SHARES, quantile_means, signal_decay_window
from quant_assets_tests.quant.synthesis.synthetic import START, alpha_context, symbols_of

BARS = 20


def signals(scores, symbols):
    decided = pd.Series(pd.DatetimeIndex([START] * len(symbols)).as_unit("us"))
    frame = {"decided_at": decided, "symbol": pd.Series(symbols, dtype="str"), "alpha": scores}
    return pd.DataFrame({**frame, "expected_return": scores, "value_rank": -np.asarray(scores)})


def returns(values, symbols, start=START):
    ts = pd.date_range(start, periods=len(values), freq="D").as_unit("us")
    return pd.DataFrame(
        {
            "ts": ts.repeat(len(symbols)),
            "available_at": ts.repeat(len(symbols)) + pd.Timedelta(days=1),
            "symbol": pd.Series(list(symbols) * len(ts), dtype="str"),
            "returns": np.ravel(values),
        }
    )


def decay(scores, values, telemetry=None, start=START):
    symbols = symbols_of(len(scores))
    frame = signal_decay_window(
        alpha_context(),
        telemetry or NullTelemetry(),
        alpha_signals=signals(scores, symbols),
        returns_matrix=returns(values, symbols, start),
    )
    return SignalDecay.check_frame(frame, where="decay")


@pytest.fixture
def market():
    rng = np.random.default_rng(2)
    return rng.normal(size=10), rng.normal(0.0, 0.02, (BARS, 10))


def test_decay_equals_scipy_and_pandas_on_each_share(market):
    scores, values = market
    frame = decay(scores, values).set_index(["signal", "share"])
    for share in SHARES:
        n_bars = max(1, int(np.ceil(share * BARS)))
        outcome = (1 + pd.DataFrame(values[:n_bars])).prod().to_numpy() - 1
        row = frame.loc[("alpha", share)]
        assert row["n_bars"] == n_bars
        assert row["rank_ic"] == pytest.approx(stats.spearmanr(scores, outcome).statistic)
        fifths = pd.Series(outcome).groupby(pd.qcut(scores, 5, labels=False)).mean()
        assert row["top"] == pytest.approx(fifths.iloc[-1])
        assert row["bottom"] == pytest.approx(fifths.iloc[0])
        assert row["spread"] == row["top"] - row["bottom"]


def test_decay_of_the_mirrored_signal_is_mirrored(market):
    frame = decay(*market).set_index(["signal", "share"])
    np.testing.assert_allclose(frame.loc["rank", "rank_ic"], -frame.loc["alpha", "rank_ic"])
    np.testing.assert_array_equal(frame.loc["rank", "top"], frame.loc["alpha", "bottom"])


def test_decay_ignores_returns_before_the_decision_and_after_the_window(market):
    scores, values = market
    inside = decay(scores, values)
    early = np.concatenate([np.full((5, 10), 0.5), values])
    pd.testing.assert_frame_equal(decay(scores, early, start=START - pd.Timedelta("5D")), inside)


def test_decay_of_a_short_window_gives_each_length_once(market):
    scores, values = market
    frame = decay(scores, values[:3])
    assert frame[frame["signal"] == "alpha"]["n_bars"].tolist() == [1, 2, 3]
    assert frame[frame["signal"] == "alpha"]["share"].tolist() == [0.25, 0.5, 1.0]


def test_decay_symbol_without_returns_is_left_out(market):
    scores, values = market
    values[:, 0] = np.nan
    frame = decay(scores, values).set_index(["signal", "share"])
    expected = stats.spearmanr(scores[1:], (1 + values[:, 1:]).prod(axis=0)).statistic
    assert frame.loc[("alpha", 1.0), "rank_ic"] == pytest.approx(expected)


def test_decay_without_signals_or_returns_is_empty(market):
    assert len(decay(*market, start=START + pd.Timedelta("400D"))) == 0


def test_decay_tells_the_spread_of_the_whole_window(market):
    telemetry = RecordingTelemetry()
    frame = decay(*market, telemetry=telemetry).set_index(["signal", "share"])
    assert telemetry.rows[0]["alpha"] == frame.loc[("alpha", 1.0), "spread"]


def test_quantile_means_need_five_symbols_and_a_signal_that_tells_them_apart():
    outcome = np.arange(6.0)
    few = np.array([[1.0, 2.0, 3.0, 4.0, np.nan, np.nan]])
    flat = np.ones((1, 6))
    for scores in (few, flat):
        bottom, top = quantile_means(scores, outcome)
        assert np.isnan(bottom).all()
        assert np.isnan(top).all()
