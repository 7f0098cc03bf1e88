"""The design document's strategy file on real 15-minute perpetuals, beside TA-Lib and pandas."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import talib

from quant_assets import backtest
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.strategies import StrategyTester, load_strategy
from quant_assets_tests.adapters.real_files import real_file
from quant_assets_tests.quant import strategies

pytestmark = pytest.mark.slow
BARS = "binance/raw/freqtrade_2025_06/futures/{}_USDT_USDT-5m-futures.feather"
DESIGN = Path(strategies.__file__).with_name("design_example.yaml")
FIRST = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
ROWS = 12_000  # of five minutes


@pytest.fixture(scope="module")
def bars():
    parts = []
    for name in ("ADA", "BTC"):
        frame = pd.read_feather(real_file(BARS.format(name))).head(ROWS)
        quarter = frame.set_index("date").resample("15min").agg(FIRST).dropna().reset_index()
        parts.append(quarter.rename(columns={"date": "ts"}).assign(symbol=name))
    return BarPanel.from_frame(pd.concat(parts), bar_length=timedelta(minutes=15))


@pytest.fixture(scope="module")
def loaded():
    return load_strategy(DESIGN)


def test_signals_of_real_bars_are_those_of_talib_and_pandas(bars, loaded):
    signals = loaded.strategy.signals(bars)
    for column in range(len(bars.symbols)):
        close, low, high = (getattr(bars, name)[:, column] for name in ("close", "low", "high"))
        upper, _, lower = talib.BBANDS(close, 20, 2.0, 2.0)
        asked = (low <= lower) & (talib.RSI(close, 14) < 30.0)
        series = pd.Series(close)
        fast, slow = series.rolling(50).mean(), series.rolling(200).mean()
        trend = ((series > slow) & (fast > slow)).astype(int) - (series < slow) * (fast < slow)
        same = sum((trend == trend.shift(k)).astype(int) for k in range(10)) / 10
        allowed = ((trend >= 0) & (same >= 0.8)).to_numpy() & (np.arange(len(close)) >= 208)
        # confidence counts labels alone: the first nine bars with one know fewer than ten
        entry = signals.entry_long[:, column]
        np.testing.assert_array_equal(entry[209:], (asked & allowed)[209:])
        assert not entry[:199].any()
        assert entry.sum() > 3
        np.testing.assert_array_equal(signals.exit_long[:, column], high >= upper)


def test_file_runs_on_real_bars_alike_in_both_forms(bars, loaded):
    part = bars.rows(slice(0, 2_000))
    loaded.check_bars(part)
    capital = loaded.settings.backtest.initial_capital
    vector, single = (
        backtest(loaded.strategy, part, initial_capital=capital, form=form)
        for form in ("vector", "bar")
    )
    pd.testing.assert_frame_equal(vector.trades, single.trades, check_exact=True)
    pd.testing.assert_frame_equal(vector.equity, single.equity, check_exact=True)
    trades = vector.trades
    assert len(trades) > 3
    assert (trades["regime_at_entry"] != "bear").all()
    assert (trades["regime_confidence"] >= 0.8).all()
    assert (trades["position_size_pct"] <= 0.05 + 1e-9).all()


def test_real_decisions_need_no_later_bar(bars, loaded):
    StrategyTester(loaded.strategy, bars.rows(slice(1_000, 1_400))).check()
