"""Large moves of twelve perpetuals in five-minute bars: what holds on real dependence."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from quant_assets.quant.research.bridge_checks import cost_survivability
from quant_assets.quant.research.delay_grid import edge_by_delay
from quant_assets.quant.research.interaction import interaction_lift
from quant_assets.quant.research.outcomes import DirectedEvents, PricePanel, forward_outcomes
from quant_assets.quant.research.stratification import past_buckets, stratified_effect
from quant_assets_tests.adapters.real_files import real_file

pytestmark = pytest.mark.slow
PERPS = "binance/raw/freqtrade_2025h1/futures/{}_USDT_USDT-5m-futures.feather"
BASES = ("BTC", "ETH", "SOL", "BNB", "XRP", "ADA", "LTC", "LINK", "BCH", "ETC", "SUI", "XMR")
BARS_A_DAY, WEEK, HORIZON, COOL_DOWN = 288, 2_016, 12, 36


@pytest.fixture(scope="module")
def market():
    """Log opens (time, symbol), and moves of three bars beyond their past 99.8 %."""
    frames = [pd.read_feather(real_file(PERPS.format(base))).set_index("date") for base in BASES]
    opens = np.log(pd.concat([f["open"] for f in frames], axis=1, keys=BASES)).to_numpy()
    closes = np.log(pd.concat([f["close"] for f in frames], axis=1, keys=BASES)).to_numpy()
    move = np.full(closes.shape, np.nan)
    move[3:] = closes[3:] - closes[:-3]
    large = past_buckets(np.abs(move), WEEK, shares=(0.998,)) == 1
    rows = []
    for symbol in range(len(BASES)):
        last = -COOL_DOWN
        for bar in np.flatnonzero(large[:, symbol]):
            if bar >= last + COOL_DOWN:
                rows.append((symbol, bar, np.sign(move[bar, symbol])))
                last = bar
    symbol, bar, direction = np.array(rows, dtype=np.int64).T
    days = np.arange(len(opens)) // BARS_A_DAY
    return PricePanel(opens, days), DirectedEvents(symbol, bar, direction)


def test_the_move_itself_is_a_leak_and_nothing_is_left_for_those_who_follow(market):
    panel, events = market
    found = edge_by_delay(panel, events, horizon_bars=HORIZON)
    assert found.n_events == 190
    assert found.leak_suspect
    assert found.mean[0] > 0.005
    assert found.mean[1] < 0.0
    assert (found.p_value[1:] > 0.05).all()
    followed = forward_outcomes(panel, events, horizon_bars=HORIZON)
    assert cost_survivability(followed, cost_bps=7.0).verdict != "survives"


def test_error_rates_on_real_dependence_are_far_below_those_of_a_naive_test(market):
    # Signs flipped day by day: a true null that keeps overlap and moves of many symbols at once.
    # 26 days are few: the mean of all events, with its own test, is at 6.7 % of 600 runs, too.
    panel, events = market
    sample = forward_outcomes(panel, events, horizon_bars=HORIZON)
    first = events.bar % BARS_A_DAY >= BARS_A_DAY // 2  # in the afternoon
    second = events.direction > 0
    rng, runs = np.random.default_rng(0), 200
    p_values = []
    for _ in range(runs):
        signs = rng.choice([-1.0, 1.0], panel.days[-1] + 1)
        flipped = replace(sample, outcomes=sample.outcomes * signs[sample.days])
        y, known = flipped.outcomes, ~np.isnan(flipped.outcomes)
        p_values.append(
            (
                interaction_lift(flipped, first, second, min_events=10).p_value,
                stratified_effect(flipped, second, events.symbol).adjusted.p_value,
                stats.ttest_ind(y[known & second], y[known & ~second]).pvalue,
            )
        )
    assert np.isfinite(p_values).all()
    lift, strata, naive = (np.array(p_values) < 0.05).mean(axis=0)
    assert lift <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / runs)
    assert strata < 0.11
    assert naive > 0.3
