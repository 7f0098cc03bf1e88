"""Oracles on real rows: twenty stocks over 32 years, twelve perpetuals over 22 days."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from quant_assets.quant.model_selection.overfitting import probability_of_backtest_overfitting
from quant_assets.quant.statistics.bootstrap import (
    Resampling,
    optimal_block_length,
    stationary_bootstrap,
)
from quant_assets.quant.statistics.event_effects import event_effect
from quant_assets.quant.statistics.hac import automatic_lag, newey_west
from quant_assets.quant.statistics.sharpe_inference import probabilistic_sharpe_ratio
from quant_assets.quant.statistics.superiority import superior_predictive_ability
from quant_assets_tests.adapters.real_files import real_file

pytestmark = pytest.mark.slow
PERPS = "binance/raw/freqtrade_2025h1/futures/{}_USDT_USDT-5m-futures.feather"
BASES = ("BTC", "ETH", "SOL", "BNB", "XRP", "ADA", "LTC", "LINK", "BCH", "ETC", "SUI", "XMR")
BARS_A_DAY = 288


@pytest.fixture(scope="module")
def stocks():
    """Daily returns (time, stock) of 20 stocks, and of their equal-weighted mean."""
    path = real_file("benchmarks/skfolio_sp500_dataset.csv.gz")
    prices = pd.read_csv(path, index_col=0, keep_default_na=False, na_values=[""])
    returns = prices.pct_change().iloc[1:].to_numpy()
    return returns, returns.mean(axis=1)


def test_regressions_of_stocks_on_the_market_equal_statsmodels(stocks):
    import statsmodels.api as sm

    returns, market = stocks
    x = np.column_stack([np.ones_like(market), market])
    ours = newey_west(returns, x)
    lags = automatic_lag(len(market))
    for column in range(0, 20, 4):
        options = {"maxlags": lags, "use_correction": False}
        theirs = sm.OLS(returns[:, column], x).fit(cov_type="HAC", cov_kwds=options, use_t=True)
        np.testing.assert_allclose(ours.t_values[:, column], theirs.tvalues, rtol=1e-9)
        np.testing.assert_allclose(ours.p_values[:, column], theirs.pvalues, rtol=1e-8)


def test_block_lengths_of_returns_and_of_their_size_equal_arch(stocks):
    from arch.bootstrap import optimal_block_length as arch_length

    for series in (stocks[0][:, :5], np.abs(stocks[0][:, :5])):
        ours, theirs = optimal_block_length(series), arch_length(series)
        np.testing.assert_allclose(ours.stationary, theirs["stationary"], rtol=1e-9)
        np.testing.assert_allclose(ours.circular, theirs["circular"], rtol=1e-9)


def test_probabilistic_sharpe_ratios_of_stocks_equal_the_formula(stocks):
    returns = stocks[0][-750:]
    ratio = returns.mean(axis=0) / returns.std(axis=0, ddof=1)
    skew, kurt = stats.skew(returns), stats.kurtosis(returns, fisher=False)
    error = np.sqrt((1 - skew * ratio + (kurt - 1) / 4 * ratio**2) / 749)
    ours = probabilistic_sharpe_ratio(returns, benchmark_sharpe=0.01)
    np.testing.assert_allclose(ours, stats.norm.cdf((ratio - 0.01) / error), rtol=1e-9)


def test_stocks_against_their_mean_equal_arch(stocks):
    from arch.bootstrap import SPA

    returns, market = stocks[0][-600:], stocks[1][-600:]
    spa = SPA(-market, -returns, block_size=10, reps=300)
    rows = stationary_bootstrap(600, mean_block=10, n_draws=300, rng=np.random.default_rng(0))
    given = iter(rows)
    spa.bootstrap.update_indices = lambda: next(given)
    spa.compute()
    how = Resampling(10, 300)
    ours = superior_predictive_ability(
        returns - market[:, None], how, np.random.default_rng(0), studentize=False
    )
    assert (ours.lower, ours.consistent, ours.upper) == tuple(spa.pvalues)


def test_overfitting_of_stocks_equals_splits_by_hand(stocks):
    returns = stocks[0][-1_003:]
    result = probability_of_backtest_overfitting(returns, 4)
    blocks = np.split(returns[3:], 4)
    halves = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    for split, chosen in enumerate(halves):
        inside = np.concatenate([blocks[k] for k in chosen])
        outside = np.concatenate([blocks[k] for k in range(4) if k not in chosen])
        best = np.argmax(inside.mean(axis=0) / inside.std(axis=0, ddof=1))
        ratios = outside.mean(axis=0) / outside.std(axis=0, ddof=1)
        share = stats.rankdata(ratios)[best] / 21
        assert result.logits[split] == pytest.approx(np.log(share / (1 - share)), rel=1e-9)


@pytest.fixture(scope="module")
def perpetuals():
    """Five-minute log returns (time, symbol) of twelve perpetuals on their common bars."""
    closes = {
        base: pd.read_feather(real_file(PERPS.format(base))).set_index("date")["close"]
        for base in BASES
    }
    return np.log(pd.DataFrame(closes).dropna()).diff().iloc[1:].to_numpy()


def test_events_of_perpetuals_are_null_when_signs_of_days_are_flipped(perpetuals):
    """By construction nothing is there to be found: a naive t-test finds it all the same."""
    n_bars = len(perpetuals)
    day = np.arange(n_bars) // BARS_A_DAY
    spread = pd.DataFrame(perpetuals).rolling(BARS_A_DAY).std().shift(1).to_numpy()
    bars, symbols = np.nonzero(np.abs(perpetuals) > 3.0 * spread)
    inside = (bars // BARS_A_DAY == (bars + 12) // BARS_A_DAY) & (bars + 12 < n_bars)
    bars, symbols = bars[inside], symbols[inside]
    naive, ours = [], []
    for seed in range(300):
        sign = np.random.default_rng(seed).choice([-1.0, 1.0], day.max() + 1)
        path = np.cumsum(perpetuals * sign[day][:, None], axis=0)
        y = path[bars + 12, symbols] - path[bars, symbols]
        naive.append(stats.ttest_1samp(y, 0.0).pvalue <= 0.05)
        ours.append(event_effect(y, bars, day[bars], horizon_bars=12).p_value <= 0.05)
    assert len(bars) > 900
    assert np.mean(naive) > 0.5
    assert np.mean(ours) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 300)
