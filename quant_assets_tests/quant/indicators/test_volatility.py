import numpy as np
import pandas as pd
import pytest
import talib

from quant_assets.core.errors import ConfigError
from quant_assets.quant import indicators
from quant_assets_tests.quant.indicators.bars import coarse_bars, random_bars
from quant_assets_tests.quant.indicators.oracle import assert_close, before, by_window

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["random", "coarse"])
def bars(request):
    return random_bars(300) if request.param == "random" else coarse_bars(300)


@pytest.mark.parametrize("n", [1, 2, 14])
def test_true_ranges_equal_talib(bars, n):
    prices = bars["high"], bars["low"], bars["close"]
    assert_close(indicators.true_range(*prices), talib.TRANGE(*prices))
    if n > 1:  # TA-Lib's ATR(1) is the true range without its first row
        assert_close(indicators.atr(*prices, n), talib.ATR(*prices, n))
        assert_close(indicators.natr(*prices, n), talib.NATR(*prices, n))
    else:
        assert_close(indicators.atr(*prices, 1), talib.TRANGE(*prices))


@pytest.mark.parametrize(("n", "k"), [(2, 1.0), (5, 2.5), (20, 2.0)])
def test_bollinger_bands_equal_talib(bars, n, k):
    close = bars["close"]
    upper, middle, lower = talib.BBANDS(close, n, k, k)
    for ours, theirs in zip(
        indicators.bollinger_bands(close, n, k), (upper, middle, lower), strict=True
    ):
        assert_close(ours, theirs)
    deviation, mean = by_window(np.std, n, close), by_window(np.mean, n, close)
    assert_close(indicators.bollinger_bands(close, n, k).upper, mean + k * deviation, unit=100.0)
    width = indicators.bollinger_bandwidth(close, n, k)
    assert_close(width, 2.0 * k * deviation / mean)
    varies = deviation > 1e-9
    place = indicators.bollinger_percent_b(close, n, k)[varies]
    assert_close(place, ((close - mean + k * deviation)[varies] / (2 * k * deviation[varies])))


@pytest.mark.parametrize(("n", "atr_n", "k"), [(20, 10, 2.0), (5, 14, 1.5)])
def test_keltner_channels_are_the_average_and_true_ranges_of_talib(bars, n, atr_n, k):
    prices = bars["high"], bars["low"], bars["close"]
    middle, reach = talib.EMA(bars["close"], n), k * talib.ATR(*prices, atr_n)
    lines = indicators.keltner_channels(*prices, n, atr_n, k)
    whole = np.where(np.isnan(middle + reach), np.nan, 1.0)
    assert_close(lines.upper, middle + reach, unit=100.0)
    assert_close(lines.middle, middle * whole)
    assert_close(lines.lower, middle - reach, unit=100.0)
    assert np.flatnonzero(~np.isnan(lines.upper))[0] == max(n - 1, atr_n)


@pytest.mark.parametrize("n", [1, 3, 14])
def test_ulcer_index_equals_its_windows(bars, n):
    close = pd.Series(bars["close"])
    fall = 100.0 * (close / close.rolling(n).max() - 1.0)
    expected = np.sqrt((fall**2).rolling(n).mean()).to_numpy()
    assert_close(indicators.ulcer_index(bars["close"], n), expected)


def variance_of_rogers_and_satchell(bars):
    o, h, low, c = (np.log(bars[name]) for name in ("open", "high", "low", "close"))
    return (h - c) * (h - o) + (low - c) * (low - o)


def yang_zhang(bars, n):
    overnight = np.log(bars["open"] / before(bars["close"]))
    body = np.log(bars["close"] / bars["open"])
    k = 0.34 / (1.34 + (n + 1) / (n - 1))
    sample = [by_window(lambda w: np.var(w, ddof=1), n, x) for x in (overnight, body)]
    inside = by_window(np.mean, n, variance_of_rogers_and_satchell(bars))
    return np.sqrt(sample[0] + k * sample[1] + (1 - k) * inside)


def garman_klass(bars, n):
    reach, body = np.log(bars["high"] / bars["low"]), np.log(bars["close"] / bars["open"])
    return np.sqrt(by_window(np.mean, n, reach**2 / 2 - (2 * np.log(2) - 1) * body**2))


TWINS = {
    "close_to_close": lambda bars, n: by_window(
        lambda w: np.std(w, ddof=1), n, np.log(bars["close"] / before(bars["close"]))
    ),
    "parkinson": lambda bars, n: np.sqrt(
        by_window(np.mean, n, np.log(bars["high"] / bars["low"]) ** 2) / (4 * np.log(2))
    ),
    "garman_klass": garman_klass,
    "rogers_satchell": lambda bars, n: np.sqrt(
        by_window(np.mean, n, np.maximum(variance_of_rogers_and_satchell(bars), 0.0))
    ),
    "yang_zhang": yang_zhang,
}
READS = {
    "close_to_close": ["close"],
    "parkinson": ["high", "low"],
    "garman_klass": ["open", "high", "low", "close"],
    "rogers_satchell": ["open", "high", "low", "close"],
    "yang_zhang": ["open", "high", "low", "close"],
}


@pytest.mark.parametrize("estimator", TWINS)
def test_realized_volatility_equals_the_sums_of_its_paper(estimator):
    bars = random_bars(70, seed=2)
    bars["open"] = bars["open"] * (1.0 + 0.003 * np.sin(np.arange(70)))  # closes are not opens
    bars["high"] = np.maximum(bars["high"], bars["open"])
    bars["low"] = np.minimum(bars["low"], bars["open"])
    prices = [bars[name] for name in READS[estimator]]
    for n in (2, 10):
        ours = indicators.realized_volatility(*prices, estimator=estimator, n=n)
        assert_close(ours, TWINS[estimator](bars, n), unit=1e-3)
        yearly = indicators.realized_volatility(
            *prices, estimator=estimator, n=n, periods_per_year=252
        )
        np.testing.assert_allclose(yearly, ours * np.sqrt(252), rtol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("estimator", TWINS)
def test_realized_volatility_of_a_brownian_path_is_its_volatility(estimator):
    # 4,000 bars of 500 steps each; estimators from highs and lows of steps lie a few % low
    rng = np.random.default_rng(0)
    path = np.cumsum(rng.normal(0.0, 0.01 / np.sqrt(500), (4_000, 500)).ravel()).reshape(4_000, -1)
    start = np.concatenate([[0.0], path[:-1, -1]])
    bars = {
        "open": np.exp(start),
        "high": np.exp(np.maximum(path.max(axis=1), start)),
        "low": np.exp(np.minimum(path.min(axis=1), start)),
        "close": np.exp(path[:, -1]),
    }
    prices = [bars[name] for name in READS[estimator]]
    found = indicators.realized_volatility(*prices, estimator=estimator, n=3_999)[-1]
    assert found == pytest.approx(0.01, rel=0.06)


def test_realized_volatility_of_prices_that_are_not_positive_is_unknown():
    close = np.array([1.0, 2.0, 0.0, 2.0, 3.0, 4.0, 5.0])
    found = indicators.realized_volatility(close, n=2)
    np.testing.assert_array_equal(np.isnan(found), [True] * 5 + [False] * 2)


def test_unknown_estimator_names_the_known_ones():
    with pytest.raises(ConfigError, match=r"'garch'; known: \['close_to_close'"):
        indicators.realized_volatility(np.ones(5), estimator="garch")
