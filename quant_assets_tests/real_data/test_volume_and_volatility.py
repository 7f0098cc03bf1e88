"""Volatility, volume and rolling statistics of real bars: TA-Lib and pandas give the same."""

import numpy as np
import pandas as pd
import pytest
import talib

from quant_assets.quant import indicators
from quant_assets_tests.adapters.real_files import real_file
from quant_assets_tests.quant.indicators.oracle import assert_close

pytestmark = pytest.mark.slow
BARS = "binance/raw/freqtrade_2025_06/futures/{}_USDT_USDT-5m-futures.feather"
UNIVERSE = "binance/universe_usdm/ohlcv_1d.parquet"


@pytest.fixture(scope="module", params=["BTC", "ADA"])
def bars(request):
    frame = pd.read_feather(real_file(BARS.format(request.param))).head(4_000)
    return {name: frame[name].to_numpy(dtype=float) for name in frame.columns[1:]}


@pytest.fixture(scope="module")
def universe():
    """Closes and volumes of 257 perpetuals; many begin late or end early."""
    frame = pd.read_parquet(real_file(UNIVERSE), columns=["ts", "symbol", "close", "volume"])
    return frame.pivot_table(index="ts", columns="symbol", values=["close", "volume"])


def test_volatility_of_real_bars_equals_talib(bars):
    prices = bars["high"], bars["low"], bars["close"]
    price = bars["close"].mean()
    assert_close(indicators.true_range(*prices), talib.TRANGE(*prices), unit=price)
    assert_close(indicators.atr(*prices), talib.ATR(*prices), unit=price)
    assert_close(indicators.natr(*prices), talib.NATR(*prices))
    for ours, theirs in zip(
        indicators.bollinger_bands(bars["close"]),
        talib.BBANDS(bars["close"], 20, 2, 2),
        strict=True,
    ):
        assert_close(ours, theirs, unit=price)


def test_volume_of_real_bars_equals_talib(bars):
    prices = bars["high"], bars["low"], bars["close"], bars["volume"]
    whole = bars["volume"].sum()
    found = indicators.obv(bars["close"], bars["volume"])
    assert_close(found, talib.OBV(bars["close"], bars["volume"]), unit=whole)
    assert_close(indicators.accumulation_distribution(*prices), talib.AD(*prices), unit=whole)
    assert_close(indicators.chaikin_oscillator(*prices), talib.ADOSC(*prices), unit=whole)
    assert_close(indicators.mfi(*prices), talib.MFI(*prices), unit=100.0)


def test_rolling_statistics_of_a_real_universe_equal_pandas(universe):
    returns = universe["close"].pct_change(fill_method=None)
    window, values = returns.rolling(60), returns.to_numpy()
    assert returns.isna().to_numpy().any()
    # pandas subtracts what leaves a window; six digits are left behind the largest moves
    pairs = {
        "rolling_std": (indicators.rolling_std(values, 60), window.std()),
        "rolling_skew": (indicators.rolling_skew(values, 60, ddof=1), window.skew()),
        "rolling_kurtosis": (indicators.rolling_kurtosis(values, 60, ddof=1), window.kurt()),
        "rolling_median": (indicators.rolling_median(values, 60), window.median()),
        "percentile_rank": (indicators.percentile_rank(values, 60), window.rank(pct=True)),
        "rolling_max": (indicators.rolling_max(values, 60), window.max()),
    }
    for name, (ours, theirs) in pairs.items():
        np.testing.assert_array_equal(np.isnan(ours), theirs.isna(), err_msg=name)
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-8, err_msg=name)


def test_cross_sections_of_a_real_universe_equal_pandas(universe):
    volume = universe["volume"]
    found = indicators.cross_sectional_rank(volume)
    np.testing.assert_allclose(found, volume.rank(axis=1, pct=True), rtol=1e-14)
    score = volume.sub(volume.mean(axis=1), axis=0).div(volume.std(axis=1), axis=0)
    np.testing.assert_allclose(
        indicators.cross_sectional_z_score(volume), score, rtol=1e-9, atol=1e-12
    )
