"""Regime of the market."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, ttest_1samp

from quant_assets.contracts.bars import Bars
from quant_assets.contracts.market_context import MarketContext
from quant_assets.core.telemetry import NullTelemetry
from quant_assets.quant.features.market_state import (
    confidences,
    market_context_window,
    market_lookback_bars,
    regimes,
    trend_scores,
    volatility_percentiles,
)
from quant_assets_tests.plugin_checks.prefix_invariance import assert_prefix_invariant
from quant_assets_tests.quant.market.frames import alpha, bars_frame, random_bars

NAN = float("nan")


def make(bars, *, month_bars=2, **market):
    context = alpha(month_bars=month_bars, **market)
    frame = market_context_window(context, NullTelemetry(), bars=bars)
    return MarketContext.check_frame(frame, where="market context")


def random_returns(n_times=200, *, seed=0, missing=0.0):
    generator = np.random.default_rng(seed)
    returns = generator.normal(0.001, 0.02, n_times)
    returns[generator.random(n_times) < missing] = NAN
    returns[0] = NAN
    return returns


def test_trend_score_equals_the_t_statistic_of_scipy():
    returns = random_returns()
    scores = trend_scores(returns, 30)
    assert np.isnan(scores[:30]).all()
    for row in range(30, 200, 7):
        expected = ttest_1samp(np.log1p(returns[row - 29 : row + 1]), 0.0).statistic
        assert scores[row] == pytest.approx(expected, rel=1e-9)


def test_trend_score_leaves_up_to_five_per_cent_out():
    returns = random_returns()
    returns[60] = NAN
    returns[100:103] = NAN
    scores = trend_scores(returns, 30)
    expected = ttest_1samp(np.log1p(returns[41:71]), 0.0, nan_policy="omit").statistic
    assert scores[70] == pytest.approx(expected, rel=1e-9)
    assert np.flatnonzero(np.isnan(scores[30:])).tolist() == list(range(101 - 30, 131 - 30))


def test_trend_score_of_a_market_that_stands_still_is_missing():
    assert np.isnan(trend_scores(np.zeros(50), 6)).all()
    assert np.isnan(trend_scores(np.full(50, 0.01), 6)).all()


@pytest.mark.parametrize("month_bars", [1, 4])
def test_volatility_percentile_equals_a_count_over_the_trailing_months(month_bars):
    returns = random_returns(seed=2)
    found = volatility_percentiles(returns, month_bars)
    n_rows = max(month_bars, 2)
    volatility = pd.Series(returns).rolling(n_rows).std().to_numpy()
    for row in range(12 * month_bars + 1, 200, 3):
        history = volatility[row - 11 * month_bars : row + 1]
        expected = np.mean(history < history[-1]) + 0.5 * np.mean(history == history[-1])
        assert found[row] == pytest.approx(expected, rel=1e-12)


def test_state_is_known_from_six_months_on():
    bars = random_bars(40, 3, start="2020-02-01")
    frame = make(bars[bars.ts < pd.Timestamp("2020-03-01", tz="UTC")], month_bars=3)
    known = frame.regime != "unknown"
    assert known.tolist() == [False] * 18 + [True] * 11
    assert (frame.confidence[~known] == 0.0).all()
    assert (frame.confidence[known] > 0.0).all()
    assert frame[["trend_score", "volatility_percentile"]][known].notna().all(axis=None)


def test_regime_thresholds_are_one_standard_error():
    evidence = np.array([1.0, 0.999, 0.0, -0.999, -1.0, NAN])
    names = ["bull", "neutral", "neutral", "neutral", "bear", "unknown"]
    assert regimes(evidence).tolist() == names


def test_confidence_is_the_probability_of_the_regimes_band():
    evidence = np.array([2.5, 1.0, 0.3, -0.3, -2.5, NAN])
    between = norm.cdf(0.7) - norm.cdf(-1.3)
    expected = [norm.cdf(1.5), 0.5, between, between, norm.cdf(1.5), 0.0]
    np.testing.assert_allclose(confidences(evidence), expected, rtol=1e-12)


def test_confidence_lies_in_the_unit_interval_and_grows_outwards():
    evidence = np.linspace(1.0, 60.0, 200)
    values = confidences(np.concatenate([-evidence[::-1], evidence]))
    assert ((values >= 0.0) & (values <= 1.0)).all()
    assert (np.diff(confidences(evidence)) >= 0.0).all()
    assert (np.diff(confidences(np.linspace(0.0, 0.99, 50))) < 0.0).all()


def trending(drift, *, seed=0):
    generator = np.random.default_rng(seed)
    steps = generator.normal(drift, 0.01, 70)
    return bars_frame({"A": np.exp(np.cumsum(steps)).tolist()}, start="2020-01-01")


def test_planted_bull_and_bear_markets_are_recognised():
    assert set(make(trending(0.02), month_bars=4).regime) == {"bull"}
    assert set(make(trending(-0.02), month_bars=4).regime) == {"bear"}
    assert make(trending(0.02), month_bars=4).confidence.min() > 0.9


def test_turbulence_weakens_and_calm_strengthens_the_market():
    frame = make(random_bars(70, 5, start="2020-01-01", seed=1), month_bars=4)
    evidence = frame.trend_score + 0.5 - frame.volatility_percentile
    assert frame.regime.tolist() == regimes(evidence.to_numpy()).tolist()
    np.testing.assert_allclose(frame.confidence, confidences(evidence.to_numpy()))


def test_state_is_causal_bit_for_bit():
    returns = {"returns": random_returns(120, missing=0.02)}
    for function in (trend_scores, volatility_percentiles):
        assert_prefix_invariant(
            lambda arrays, f=function: f(arrays["returns"], 5), returns, cuts=[20, 57, 119]
        )


def test_more_history_than_the_lookback_changes_no_bit():
    bars = random_bars(150, 4, missing=0.02, start="2019-10-20", seed=6)
    days = pd.Timestamp("2020-02-01", tz="UTC") - bars.ts
    short = bars[days <= pd.Timedelta(days=market_lookback_bars(2))].reset_index(drop=True)
    assert market_lookback_bars(2) == 24
    pd.testing.assert_frame_equal(make(bars), make(short), check_exact=True)


def test_no_bars_give_the_empty_contract():
    assert len(make(Bars.empty())) == 0
    assert len(make(random_bars(10, 2, start="2020-01-01"))) == 0
