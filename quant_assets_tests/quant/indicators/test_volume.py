import numpy as np
import pandas as pd
import pytest
import talib

from quant_assets.core.errors import ConfigError
from quant_assets.quant import indicators
from quant_assets_tests.quant.indicators.bars import coarse_bars, random_bars
from quant_assets_tests.quant.indicators.oracle import assert_close

pytestmark = pytest.mark.slow

NAN = np.nan


@pytest.fixture(scope="module", params=["random", "coarse"])
def bars(request):
    return random_bars(300) if request.param == "random" else coarse_bars(300)


def prices(bars):
    return bars["high"], bars["low"], bars["close"], bars["volume"]


def test_obv_and_accumulation_equal_talib(bars):
    close, volume = bars["close"], bars["volume"]
    assert_close(indicators.obv(close, volume), talib.OBV(close, volume), unit=1e6)
    found = indicators.accumulation_distribution(*prices(bars))
    assert_close(found, talib.AD(*prices(bars)), unit=1e6)


@pytest.mark.parametrize(("fast", "slow"), [(3, 10), (2, 5)])
def test_chaikin_oscillator_equals_talib(bars, fast, slow):
    found = indicators.chaikin_oscillator(*prices(bars), fast, slow)
    assert_close(found, talib.ADOSC(*prices(bars), fast, slow), unit=1e6)


@pytest.mark.parametrize("n", [2, 5, 14])
def test_mfi_equals_talib(bars, n):
    assert_close(indicators.mfi(*prices(bars), n), talib.MFI(*prices(bars), n), unit=100.0)


def test_mfi_does_not_depend_on_the_unit_of_volume(bars):
    high, low, close, volume = prices(bars)
    small = indicators.mfi(high, low, close, volume * 2.0**-40)
    np.testing.assert_array_equal(small, indicators.mfi(high, low, close, volume))


def test_mfi_of_a_flat_price_is_zero():
    flat = np.full(20, 7.0)
    assert (indicators.mfi(flat, flat, flat, flat)[14:] == 0.0).all()


@pytest.mark.parametrize("n", [1, 5, 20])
def test_cmf_equals_its_windows(bars, n):
    high, low, close, volume = prices(bars)
    reach = np.where(high > low, high - low, 1.0)
    flow = np.where(high > low, (2 * close - high - low) / reach, 0.0) * volume
    expected = pd.Series(flow).rolling(n).sum() / pd.Series(volume).rolling(n).sum()
    assert_close(indicators.cmf(*prices(bars), n), expected)


def test_force_index_is_the_average_of_talib(bars):
    close, volume = bars["close"], bars["volume"]
    force = np.diff(close) * volume[1:]
    expected = np.append(NAN, talib.EMA(force, 13))
    assert_close(indicators.force_index(close, volume, 13), expected, unit=1e6)


@pytest.mark.parametrize("n", [1, 14])
def test_ease_of_movement_equals_its_windows(bars, n):
    high, low, _, volume = prices(bars)
    middle = pd.Series((high + low) / 2)
    ease = middle.diff() * (high - low) / (volume / 1e8)
    expected = ease.rolling(n).mean()
    assert_close(indicators.ease_of_movement(high, low, volume, n), expected, unit=1e4)
    scaled = indicators.ease_of_movement(high, low, volume, n, 1.0)
    np.testing.assert_allclose(scaled * 1e8, expected, rtol=1e-9, atol=1e-5)


def test_ease_of_movement_without_volume_is_unknown():
    high, low, volume = np.array([2.0, 3, 4, 6]), np.array([1.0, 2, 3, 4]), np.array([1.0, 0, 1, 2])
    # row 2: change 1, range 1, volume 1; row 3: change 1.5, range 2, volume 2
    found = indicators.ease_of_movement(high, low, volume, 1, 1.0)
    np.testing.assert_array_equal(found, [NAN, NAN, 1.0, 1.5])


def test_volume_oscillator_equals_its_means(bars):
    volume = pd.Series(bars["volume"])
    fast, slow = volume.rolling(5).mean(), volume.rolling(10).mean()
    assert_close(indicators.volume_oscillator(bars["volume"]), 100 * (fast - slow) / slow, unit=1.0)


def test_price_volume_trend_equals_its_sum(bars):
    close, volume = pd.Series(bars["close"]), bars["volume"]
    expected = (close.pct_change() * volume).cumsum()
    assert_close(indicators.pvt(bars["close"], volume), expected, unit=1e3)


def test_volume_indices_follow_their_rows(bars):
    close, volume = bars["close"], bars["volume"]
    for function, sign in ((indicators.nvi, -1), (indicators.pvi, 1)):
        index = [1000.0]
        for t in range(1, len(close)):
            follows = sign * (volume[t] - volume[t - 1]) > 0
            index.append(index[-1] * (close[t] / close[t - 1] if follows else 1.0))
        assert_close(function(close, volume), index)


def test_running_totals_pass_over_unknown_rows():
    close = np.array([NAN, 10.0, 11.0, NAN, 10.5, 10.5, 12.0])
    volume = np.array([5.0, 1.0, 2.0, 4.0, 8.0, 16.0, NAN])
    np.testing.assert_array_equal(
        indicators.obv(close, volume), [NAN, 1.0, 3.0, NAN, -5.0, -5.0, NAN]
    )
    trend = indicators.pvt(close, volume)
    np.testing.assert_allclose(trend[[2, 4]], [0.2, 0.2 + 8.0 * (10.5 / 11.0 - 1.0)])
    assert np.isnan(trend[[0, 1, 3, 6]]).all()
    np.testing.assert_allclose(
        indicators.pvi(close, volume),
        [NAN, 1000.0, 1100.0, NAN, 1050.0, 1050.0, NAN],
    )


def test_vwap_by_hand_from_each_anchor():
    high, low = np.array([3.0, 6.0, 9.0, 12.0]), np.array([1.0, 2.0, 3.0, 4.0])
    close, volume = np.array([2.0, 4.0, 6.0, 8.0]), np.array([1.0, 1.0, 2.0, 0.0])
    bars = (high, low, close, volume)  # typical prices 2 4 6 8
    whole = indicators.vwap(*bars, anchor="cumulative")
    np.testing.assert_allclose(whole, [2.0, 3.0, 4.5, 4.5])
    np.testing.assert_allclose(indicators.vwap(*bars, anchor=2), [NAN, 3.0, 16 / 3, 6.0])
    daily = indicators.vwap(*bars, anchor="session", session=[1, 1, 2, 3])
    np.testing.assert_allclose(daily, [2.0, 3.0, 6.0, NAN])  # nothing has traded on the last day


def test_vwap_of_random_bars_equals_pandas(bars):
    high, low, close, volume = prices(bars)
    session = np.arange(300) // 7
    flow = pd.Series((high + low + close) / 3 * volume)
    amount = pd.Series(volume)
    expected = flow.groupby(session).cumsum() / amount.groupby(session).cumsum()
    found = indicators.vwap(high, low, close, volume, anchor="session", session=session)
    assert_close(found, expected)
    expected = flow.cumsum() / amount.cumsum()
    assert_close(indicators.vwap(high, low, close, volume, anchor="cumulative"), expected)
    expected = flow.rolling(9).sum() / amount.rolling(9).sum()
    assert_close(indicators.vwap(high, low, close, volume, anchor=9), expected)


def test_vwap_passes_over_unknown_rows_within_a_session():
    high = np.array([2.0, NAN, 4.0, 4.0])
    volume = np.array([1.0, 9.0, 3.0, NAN])
    found = indicators.vwap(high, high, high, volume, anchor="session", session=[1, 1, 1, 1])
    np.testing.assert_array_equal(found, [2.0, NAN, 3.5, NAN])
    found = indicators.vwap(high, high, high, volume, anchor="cumulative")
    np.testing.assert_array_equal(found, [2.0, NAN, 3.5, NAN])


def test_vwap_serves_sessions_of_time_for_all_symbols():
    bars = random_bars(30, 3)
    session = np.arange(30) // 6
    found = indicators.vwap(*prices(bars), anchor="session", session=session)
    for symbol in range(3):
        one = (column[:, symbol] for column in prices(bars))
        alone = indicators.vwap(*one, anchor="session", session=session)
        np.testing.assert_array_equal(found[:, symbol], alone)


@pytest.mark.parametrize(
    ("anchor", "session"), [("week", None), ("session", None), ("cumulative", [1, 1]), (0, None)]
)
def test_vwap_without_a_clear_anchor_is_refused(anchor, session):
    with pytest.raises(ConfigError, match="vwap"):
        indicators.vwap(*np.ones((4, 2)), anchor=anchor, session=session)
