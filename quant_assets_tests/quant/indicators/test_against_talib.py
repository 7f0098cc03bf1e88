"""Every name that TA-Lib has: the same numbers and the same rows without a number."""

import numpy as np
import pytest
import talib

from quant_assets.quant import indicators
from quant_assets_tests.quant.indicators.bars import coarse_bars, random_bars

pytestmark = pytest.mark.slow

LENGTHS = (2, 3, 5, 14, 30)


def each_length(names: str, inputs: str):
    """(our name, TA-Lib's name, inputs) of indicators with one length."""
    return [(*pair.split("="), inputs.split()) for pair in names.split()]


ONE_LENGTH = [
    *each_length("sma=SMA ema=EMA wma=WMA dema=DEMA tema=TEMA trima=TRIMA kama=KAMA", "close"),
    *each_length("trix=TRIX rsi=RSI cmo=CMO momentum=MOM roc=ROC", "close"),
    *each_length("linear_regression_slope=LINEARREG_SLOPE", "close"),
    *each_length("plus_di=PLUS_DI minus_di=MINUS_DI dx=DX adx=ADX adxr=ADXR", "high low close"),
    *each_length("williams_r=WILLR cci=CCI", "high low close"),
    *each_length("aroon_oscillator=AROONOSC", "high low"),
]


def assert_same(ours, theirs, *, unit=None):
    """Equal to 1e-9 relative, or to 1e-12 of the unit where both are nearly 0."""
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
    unit = np.nanmax(np.abs(theirs)) if unit is None else unit
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12 * unit)


@pytest.fixture(params=["random", "coarse"])
def bars(request):
    return random_bars(400) if request.param == "random" else coarse_bars()


@pytest.mark.parametrize(("name", "peer", "inputs"), ONE_LENGTH, ids=[row[0] for row in ONE_LENGTH])
def test_indicator_with_one_length_equals_talib(bars, name, peer, inputs):
    columns = [bars[column] for column in inputs]
    for n in LENGTHS:
        assert_same(
            getattr(indicators, name)(*columns, n),
            getattr(talib, peer)(*columns, timeperiod=n),
            unit=100.0,
        )


@pytest.mark.parametrize("n", LENGTHS)
def test_t3_equals_talib(bars, n):
    close = bars["close"]
    assert_same(indicators.t3(close, n, 0.7), talib.T3(close, n, 0.7))


@pytest.mark.parametrize("n", [3, 5, 14, 30])
def test_linear_regression_equals_talib(bars, n):
    close = bars["close"]
    ours = indicators.linear_regression(close, n)
    assert_same(ours.value, talib.LINEARREG(close, n))
    assert_same(ours.intercept, talib.LINEARREG_INTERCEPT(close, n))
    assert_same(ours.forecast, talib.TSF(close, n))


@pytest.mark.parametrize(("fast", "slow", "signal"), [(12, 26, 9), (3, 10, 1), (5, 6, 4)])
def test_macd_equals_talib_row_for_row(bars, fast, slow, signal):
    ours = indicators.macd(bars["close"], fast, slow, signal)
    theirs = talib.MACD(bars["close"], fast, slow, signal)
    for mine, other in zip(ours, theirs, strict=True):
        assert_same(mine, other, unit=100.0)


@pytest.mark.parametrize(("fast", "slow"), [(12, 26), (3, 10)])
def test_price_oscillators_equal_talib_with_exponential_averages(bars, fast, slow):
    close = bars["close"]
    assert_same(indicators.apo(close, fast, slow), talib.APO(close, fast, slow, 1), unit=100.0)
    assert_same(indicators.ppo(close, fast, slow), talib.PPO(close, fast, slow, 1), unit=100.0)


@pytest.mark.parametrize("n", [1, 2, 14, 25])
def test_aroon_equals_talib_also_where_extremes_repeat(bars, n):
    ours = indicators.aroon(bars["high"], bars["low"], n)
    if n == 1:  # TA-Lib begins with 2
        expected = 100.0 * (np.diff(bars["high"]) >= 0.0)
        np.testing.assert_array_equal(ours.up[1:], expected)
        return
    down, up = talib.AROON(bars["high"], bars["low"], n)
    assert_same(ours.up, up)
    assert_same(ours.down, down)


@pytest.mark.parametrize(("step", "limit"), [(0.02, 0.2), (0.1, 0.3)])
def test_parabolic_sar_equals_talib(bars, step, limit):
    ours = indicators.parabolic_sar(bars["high"], bars["low"], step, limit)
    assert_same(ours, talib.SAR(bars["high"], bars["low"], step, limit))


@pytest.mark.parametrize(("k", "smooth_k", "d"), [(14, 3, 3), (5, 1, 4), (1, 3, 1), (20, 2, 7)])
def test_stochastics_equal_talib(bars, k, smooth_k, d):
    columns = [bars[name] for name in ("high", "low", "close")]
    slow = talib.STOCH(*columns, k, smooth_k, 0, d, 0)
    fast = talib.STOCHF(*columns, k, d, 0)
    for mine, other in zip(indicators.stochastic(*columns, k, smooth_k, d), slow, strict=True):
        assert_same(mine, other)
    for mine, other in zip(indicators.stochastic_fast(*columns, k, d), fast, strict=True):
        assert_same(mine, other)


@pytest.mark.parametrize(("n", "k", "d"), [(14, 14, 3), (5, 3, 2)])
def test_stochastic_rsi_equals_talib(n, k, d):
    close = random_bars(400)["close"]
    theirs = talib.STOCHRSI(close, n, k, d, 0)
    for mine, other in zip(indicators.stochastic_rsi(close, n, k, 1, d), theirs, strict=True):
        assert_same(mine, other)
    index = talib.RSI(close, n)
    smoothed = talib.STOCH(index, index, index, k, 3, 0, d, 0)
    for mine, other in zip(indicators.stochastic_rsi(close, n, k, 3, d), smoothed, strict=True):
        assert_same(mine, other)


@pytest.mark.parametrize("lengths", [(7, 14, 28), (2, 3, 9)])
def test_ultimate_oscillator_equals_talib(bars, lengths):
    columns = [bars[name] for name in ("high", "low", "close")]
    assert_same(
        indicators.ultimate_oscillator(*columns, *lengths), talib.ULTOSC(*columns, *lengths)
    )


def test_balance_of_power_equals_talib(bars):
    columns = [bars[name] for name in ("open", "high", "low", "close")]
    assert_same(indicators.bop(*columns), talib.BOP(*columns))


def test_adx_starts_at_row_27_and_rsi_at_row_14_as_the_conventions_say():
    bars = random_bars(60)
    strength = indicators.adx(bars["high"], bars["low"], bars["close"])
    assert np.flatnonzero(~np.isnan(strength))[0] == 27
    assert np.flatnonzero(~np.isnan(indicators.rsi(bars["close"])))[0] == 14


@pytest.mark.parametrize("scale", [1e6, 1e-6])
def test_numbers_follow_the_scale_of_the_prices(scale):
    bars = {name: values * scale for name, values in random_bars(200).items()}
    columns = [bars[name] for name in ("high", "low", "close")]
    assert_same(indicators.rsi(bars["close"]), talib.RSI(bars["close"]))
    assert_same(indicators.adx(*columns), talib.ADX(*columns))
    assert_same(indicators.cci(*columns), talib.CCI(*columns, 20))
    assert_same(indicators.macd(bars["close"]).line, talib.MACD(bars["close"])[0], unit=scale)
