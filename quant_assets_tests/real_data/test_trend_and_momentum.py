"""Averages, trend, direction and oscillators of real bars: TA-Lib gives the same."""

import numpy as np
import pandas as pd
import pytest
import talib

from quant_assets.quant import indicators
from quant_assets_tests.adapters.real_files import real_file
from quant_assets_tests.quant.indicators.oracle import assert_close

pytestmark = pytest.mark.slow
BARS = "binance/raw/freqtrade_2025_06/futures/{}_USDT_USDT-5m-futures.feather"
OF_CLOSE = {
    "sma": "SMA",
    "ema": "EMA",
    "wma": "WMA",
    "dema": "DEMA",
    "tema": "TEMA",
    "trima": "TRIMA",
    "kama": "KAMA",
    "trix": "TRIX",
    "rsi": "RSI",
    "cmo": "CMO",
    "roc": "ROC",
    "momentum": "MOM",
}
OF_BARS = {
    "plus_di": "PLUS_DI",
    "minus_di": "MINUS_DI",
    "dx": "DX",
    "adx": "ADX",
    "adxr": "ADXR",
    "williams_r": "WILLR",
    "cci": "CCI",
}


@pytest.fixture(scope="module", params=["BTC", "ADA"])
def bars(request):
    frame = pd.read_feather(real_file(BARS.format(request.param))).head(4_000)
    return {name: frame[name].to_numpy(dtype=float) for name in frame.columns[1:]}


@pytest.mark.parametrize("name", OF_CLOSE)
def test_indicator_of_real_closes_equals_talib(bars, name):
    close = bars["close"]
    ours = getattr(indicators, name)(close, 20)
    theirs = getattr(talib, OF_CLOSE[name])(close, 20)
    assert_close(ours, theirs, unit=max(100.0, close.mean()))


@pytest.mark.parametrize("name", OF_BARS)
def test_indicator_of_real_bars_equals_talib(bars, name):
    columns = bars["high"], bars["low"], bars["close"]
    ours = getattr(indicators, name)(*columns, 20)
    assert_close(ours, getattr(talib, OF_BARS[name])(*columns, 20), unit=100.0)


def test_lines_of_real_bars_equal_talib(bars):
    columns = bars["high"], bars["low"], bars["close"]
    pairs = [
        (indicators.macd(bars["close"]), talib.MACD(bars["close"]), bars["close"].mean()),
        (indicators.aroon(*columns[:2])[::-1], talib.AROON(*columns[:2]), 100.0),
        (indicators.stochastic(*columns), talib.STOCH(*columns, 14, 3, 0, 3, 0), 100.0),
    ]
    for ours, theirs, unit in pairs:
        for mine, other in zip(ours, theirs, strict=True):
            assert_close(mine, other, unit=unit)
    assert_close(indicators.parabolic_sar(*columns[:2]), talib.SAR(*columns[:2]), unit=1.0)
    assert_close(indicators.ultimate_oscillator(*columns), talib.ULTOSC(*columns), unit=100.0)


def test_streams_of_real_bars_give_the_same_bits(bars):
    indicator = indicators.Adx()
    columns = [bars[name] for name in indicator.inputs]
    stream, whole = indicator.stream(), indicator.compute(*columns)
    live = [stream.update(*row) for row in zip(*(c[:500] for c in columns), strict=True)]
    np.testing.assert_array_equal(live, whole[:500])
