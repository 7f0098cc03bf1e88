"""Rules on hours and days over real 5-minute perpetuals, beside pandas and TA-Lib."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
import talib

from quant_assets import backtest
from quant_assets.quant.leaks import assert_no_leak
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.longer_bars import longer_bars
from quant_assets.quant.strategies import StrategyBuilder
from quant_assets.quant.strategies.rules import ConsecutiveUp, MaCrossDown, RsiOversold
from quant_assets_tests.adapters.real_files import real_file

pytestmark = pytest.mark.slow
BARS = "binance/raw/freqtrade_2025_06/futures/{}_USDT_USDT-5m-futures.feather"
FIRST = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
ROWS = 12_000


@pytest.fixture(scope="module")
def bars():
    parts = [
        pd.read_feather(real_file(BARS.format(name))).head(ROWS).assign(symbol=name)
        for name in ("ADA", "BTC")
    ]
    frame = pd.concat(parts).rename(columns={"date": "ts"})
    return BarPanel.from_frame(frame, bar_length=timedelta(minutes=5))


def resampled(bars, step, column):
    """Whole longer bars of one symbol with right labels: the time each is known."""
    frame = pd.DataFrame({name: bars[name][:, column] for name in FIRST}, index=bars.ts)
    longer = frame.resample(step, label="right", closed="left", origin="start_day").agg(FIRST)
    end = bars.ts[-1] + np.timedelta64(5, "m")
    return longer[(longer.index <= end) & (longer.index - pd.Timedelta(step) >= bars.ts[0])]


def known(longer, values, bars):
    """Values of longer bars on the rows that close with them or later."""
    at = longer.index.searchsorted(bars.ts + np.timedelta64(5, "m"), side="right") - 1
    return np.append(np.asarray(values, dtype=float), np.nan)[at]


@pytest.mark.parametrize(("timeframe", "step"), [("15min", "15m"), ("1h", "1h"), ("1D", "1d")])
def test_longer_bars_of_perpetuals_equal_pandas(bars, timeframe, step):
    found = longer_bars(bars, step).columns()
    for column in range(len(bars.symbols)):
        longer = resampled(bars, timeframe, column)
        for name in FIRST:
            expected = known(longer, longer[name], bars)
            np.testing.assert_allclose(found[name][:, column], expected, rtol=1e-9)


def test_rsi_of_hours_is_talibs_on_hours_of_pandas(bars):
    strategy = (
        StrategyBuilder("hours")
        .with_signals(
            entry_long=[RsiOversold(period=14).on("1h"), ConsecutiveUp(bars=1)],
            exit_long=MaCrossDown(fast=3, slow=6).on("4h"),
        )
        .build()
    )
    signals = strategy.signals(bars)
    for column in range(len(bars.symbols)):
        hours = resampled(bars, "1h", column)
        rsi = known(hours, talib.RSI(hours["close"].to_numpy(), 14), bars)
        rises = np.append(False, np.diff(bars.close[:, column]) > 0.0)
        expected = (rsi < 30.0) & rises
        np.testing.assert_array_equal(signals.entry_long[:, column], expected)
        assert expected.sum() > 10
    vector, single = (
        backtest(strategy, bars.rows(slice(0, 4_000)), form=form) for form in ("vector", "bar")
    )
    pd.testing.assert_frame_equal(vector.trades, single.trades, check_exact=True)
    assert len(vector.trades) > 3
    assert_no_leak(strategy, bars.rows(slice(0, 2_000)))
