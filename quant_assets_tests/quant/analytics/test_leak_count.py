"""The look-ahead check on stored features: silent on honest ones, loud on planted leaks."""

import numpy as np
import pandas as pd
import pytest

from quant_assets.contracts.funding import Funding
from quant_assets.contracts.liquidations import Liquidations
from quant_assets.contracts.open_interest import OpenInterest
from quant_assets.core.telemetry import NullTelemetry
from quant_assets.quant.analytics.checks import leak_count, regime_leak_count
from quant_assets.quant.features.market_state import market_context_window
from quant_assets.quant.features.stage import Events, alpha_features_window
from quant_assets_tests.quant.market.frames import alpha, random_bars, timestamps

SYMBOLS = ("S0", "S1", "S2")
DAY = pd.Timedelta("1D")


def funding(bars, *, published):
    """A settlement a day and symbol, whose `available_at` is `published` after it."""
    ts = pd.Series(bars["ts"].unique())
    every = ts.repeat(len(SYMBOLS)).reset_index(drop=True)
    symbols = [*bars["symbol"].unique()] * len(ts)
    frame = {"ts": timestamps(every), "available_at": timestamps(every + published)}
    rates = np.random.default_rng(3).normal(1e-4, 1e-4, len(every))
    columns = {"symbol": pd.Series(symbols, dtype="str"), "event_id": "0", "rate": rates}
    return pd.DataFrame({**frame, **columns, "mark_price": np.nan})


def features(context, bars, rates):
    none = {"open_interest": OpenInterest.empty(), "liquidations": Liquidations.empty()}
    return alpha_features_window(context, NullTelemetry(), bars=bars, funding=rates, **none)


def events(rates):
    return Events(rates, OpenInterest.empty(), Liquidations.empty())


@pytest.fixture
def context():
    return alpha(month_bars=2)


@pytest.fixture
def bars():
    return random_bars(60, len(SYMBOLS), start="2020-01-05", seed=4)


def test_leak_count_is_zero_for_what_was_known(context, bars):
    rates = funding(bars, published=DAY / 2)
    assert leak_count(context, bars, events(rates), features(context, bars, rates)) == 0


def test_leak_count_finds_events_that_were_used_before_they_were_published(context, bars):
    early, honest = (funding(bars, published=lag) for lag in (-3 * DAY, DAY))
    assert leak_count(context, bars, events(honest), features(context, bars, early)) > 0


def test_leak_count_finds_prices_of_later_bars(context, bars):
    stored = features(context, bars, Funding.empty())
    stored["value_reversal_1m"] = stored.groupby("symbol")["value_reversal_1m"].shift(-1)
    found = leak_count(context, bars, events(Funding.empty()), stored)
    assert found >= stored["ts"].nunique()


def test_regime_leak_count_is_zero_for_what_was_known(context, bars):
    stored = market_context_window(context, NullTelemetry(), bars=bars)
    assert stored["trend_score"].notna().any()
    assert regime_leak_count(context, bars, stored) == 0


def test_regime_leak_count_finds_scores_of_later_bars(context, bars):
    stored = market_context_window(context, NullTelemetry(), bars=bars)
    stored["trend_score"] = stored["trend_score"].shift(-1)
    assert regime_leak_count(context, bars, stored) > len(stored) // 2
