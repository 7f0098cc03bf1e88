"""Names that TA-Lib does not have, against their formula written out with pandas, row by row."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from quant_assets.quant import indicators
from quant_assets_tests.quant.indicators.bars import coarse_bars, random_bars

pytestmark = pytest.mark.slow

BARS = {name: pd.Series(values) for name, values in random_bars(260, seed=7).items()}
COARSE = {name: pd.Series(values) for name, values in coarse_bars(260).items()}
both = pytest.mark.parametrize("bars", [BARS, COARSE], ids=["random", "coarse"])


def assert_same(ours, expected):
    expected = np.asarray(expected, dtype=np.float64)
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(expected))
    np.testing.assert_allclose(
        ours, expected, rtol=1e-9, atol=1e-12 * max(1.0, np.nanmax(np.abs(expected)))
    )


def exponential(x: pd.Series, n: int, alpha: float | None = None) -> pd.Series:
    """Seeded with the mean of the first n values present, one row at a time."""
    alpha = 2.0 / (n + 1) if alpha is None else alpha
    values, first = x.to_numpy(), int(np.argmax(~x.isna().to_numpy()))
    result = np.full(len(x), np.nan)
    result[first + n - 1] = values[first : first + n].mean()
    for t in range(first + n, len(x)):
        result[t] = alpha * values[t] + (1.0 - alpha) * result[t - 1]
    return pd.Series(result)


def weighted(x: pd.Series, n: int) -> pd.Series:
    weights = np.arange(1.0, n + 1.0)
    return x.rolling(n).apply(lambda window: window @ weights / weights.sum(), raw=True)


def true_range(bars) -> pd.Series:
    before = bars["close"].shift()
    ways = [bars["high"] - bars["low"], (bars["high"] - before).abs(), (bars["low"] - before).abs()]
    return pd.concat(ways, axis=1).max(axis=1).where(before.notna())


def middle(bars, n: int) -> pd.Series:
    return (bars["high"].rolling(n).max() + bars["low"].rolling(n).min()) / 2.0


@pytest.mark.parametrize("n", [2, 5, 16, 21])
def test_hull_average_is_made_of_weighted_averages(n):
    x = BARS["close"]
    inner = 2.0 * weighted(x, n // 2) - weighted(x, n)
    assert_same(indicators.hma(x, n), weighted(inner, math.isqrt(n)))


def test_wilder_average_is_an_exponential_one_of_weight_one_by_n():
    assert_same(indicators.wilder_average(BARS["close"], 9), exponential(BARS["close"], 9, 1 / 9))


@pytest.mark.parametrize("n", [2, 3, 20])
def test_detrended_price_reads_the_past_only(n):
    x = BARS["close"]
    assert_same(indicators.dpo(x, n), x.shift(n // 2 + 1) - x.rolling(n).mean())


@both
@pytest.mark.parametrize("n", [1, 2, 14])
def test_vortex(bars, n):
    plus = (bars["high"] - bars["low"].shift()).abs().rolling(n).sum()
    minus = (bars["low"] - bars["high"].shift()).abs().rolling(n).sum()
    path = true_range(bars).rolling(n).sum()
    ours = indicators.vortex(bars["high"], bars["low"], bars["close"], n)
    assert_same(ours.plus, plus / path)
    assert_same(ours.minus, minus / path)


def test_mass_index():
    reach = BARS["high"] - BARS["low"]
    once = exponential(reach, 9)
    ratio = once / exponential(once, 9)
    assert_same(indicators.mass_index(BARS["high"], BARS["low"]), ratio.rolling(25).sum())


@both
def test_choppiness(bars):
    reach = bars["high"].rolling(14).max() - bars["low"].rolling(14).min()
    way = true_range(bars).rolling(14).sum()
    ours = indicators.choppiness_index(bars["high"], bars["low"], bars["close"])
    assert_same(ours, 100.0 * np.log10(way / reach) / math.log10(14))


@both
@pytest.mark.parametrize("n", [1, 3, 20])
def test_donchian_channels_include_the_current_row(bars, n):
    ours = indicators.donchian_channels(bars["high"], bars["low"], n)
    np.testing.assert_array_equal(ours.upper, bars["high"].rolling(n).max())
    np.testing.assert_array_equal(ours.lower, bars["low"].rolling(n).min())
    assert_same(ours.middle, middle(bars, n))


@pytest.mark.parametrize("lengths", [(9, 26, 52, 26), (3, 5, 8, 1)])
def test_ichimoku_cloud_is_the_one_computed_before(lengths):
    conversion, base, span, shift = lengths
    ours = indicators.ichimoku(BARS["high"], BARS["low"], *lengths)
    fast, slow = middle(BARS, conversion), middle(BARS, base)
    assert_same(ours.conversion, fast)
    assert_same(ours.base, slow)
    assert_same(ours.span_a, ((fast + slow) / 2.0).shift(shift - 1))
    assert_same(ours.span_b, middle(BARS, span).shift(shift - 1))


def test_awesome_oscillator():
    x = (BARS["high"] + BARS["low"]) / 2.0
    ours = indicators.awesome_oscillator(BARS["high"], BARS["low"])
    assert_same(ours, x.rolling(5).mean() - x.rolling(34).mean())


def test_true_strength():
    change = BARS["close"].diff()
    top = exponential(exponential(change, 25), 13)
    bottom = exponential(exponential(change.abs(), 25), 13)
    assert_same(indicators.tsi(BARS["close"]), 100.0 * top / bottom)


def test_know_sure_thing():
    x, line = BARS["close"], 0.0
    for weight, n, smooth in ((1, 10, 10), (2, 15, 10), (3, 20, 10), (4, 30, 15)):
        line = line + weight * (100.0 * (x / x.shift(n) - 1.0)).rolling(smooth).mean()
    signal = line.rolling(9).mean()
    ours = indicators.kst(x)
    assert_same(ours.signal, signal)
    assert_same(ours.line, line.where(signal.notna()))


@pytest.mark.parametrize("n", [3, 4, 14, 60])
def test_linear_regression_fit_is_that_of_scipy(n):
    x = np.log(BARS["close"].to_numpy())
    ours = indicators.linear_regression(x, n)
    for t in (n - 1, n, 2 * n, 200, 259):
        fit = stats.linregress(np.arange(n), x[t - n + 1 : t + 1])
        assert ours.slope[t] == pytest.approx(fit.slope, rel=1e-9)
        assert ours.intercept[t] == pytest.approx(fit.intercept, rel=1e-9)
        assert ours.r2[t] == pytest.approx(fit.rvalue**2, rel=1e-9)
        assert ours.t_value[t] == pytest.approx(fit.slope / fit.stderr, rel=1e-8)


def test_linear_regression_of_a_flat_window_is_0_and_of_a_line_is_bounded():
    flat = indicators.linear_regression(np.full(20, 3.3), 5)
    assert (flat.slope[4:] == 0.0).all()
    assert (flat.r2[4:] == 0.0).all()
    assert (flat.t_value[4:] == 0.0).all()
    line = indicators.linear_regression(-0.5 * np.arange(20.0), 5)
    np.testing.assert_allclose(line.slope[4:], -0.5, rtol=1e-12)
    np.testing.assert_allclose(line.r2[4:], 1.0, rtol=1e-12)
    np.testing.assert_allclose(line.t_value[4:], -np.sqrt(3.0 / 1e-12), rtol=1e-6)


def supertrend_of(bars, n: int, k: float) -> tuple[np.ndarray, np.ndarray]:
    """Pine's `ta.supertrend`, a row at a time; its direction has the opposite sign."""
    high, low, close = (bars[name].to_numpy() for name in ("high", "low", "close"))
    ranges = exponential(true_range(bars), n, 1.0 / n).to_numpy()
    line, direction = np.full(len(close), np.nan), np.full(len(close), np.nan)
    upper = lower = np.nan
    for t in range(n, len(close)):
        top = (high[t] + low[t]) / 2.0 + k * ranges[t]
        bottom = (high[t] + low[t]) / 2.0 - k * ranges[t]
        if t == n:
            way = -1.0
        else:
            if not (top < upper or close[t - 1] > upper):
                top = upper
            if not (bottom > lower or close[t - 1] < lower):
                bottom = lower
            if direction[t - 1] < 0.0:
                way = 1.0 if close[t] > top else -1.0
            else:
                way = -1.0 if close[t] < bottom else 1.0
        upper, lower, direction[t] = top, bottom, way
        line[t] = bottom if way > 0.0 else top
    return line, direction


@both
@pytest.mark.parametrize(("n", "k"), [(10, 3.0), (1, 0.5), (3, 1.0)])
def test_supertrend_equals_the_recursion_of_pine(bars, n, k):
    line, direction = supertrend_of(bars, n, k)
    ours = indicators.supertrend(bars["high"], bars["low"], bars["close"], n, k)
    assert_same(ours.line, line)
    assert_same(ours.direction, direction)
    assert {-1.0, 1.0} <= set(direction[n:])


def test_supertrend_follows_four_rows_worked_by_hand():
    """True ranges from row 1: 2, 2, 6, 2; the average over 1 row is the range itself."""
    high = [11.0, 12.0, 13.0, 18.0, 18.0]
    low = [9.0, 10.0, 11.0, 14.0, 16.0]
    close = [10.0, 11.0, 12.0, 17.0, 17.0]
    ours = indicators.supertrend(high, low, close, 1, 1.0)
    # row 1: 11 ± 2, down at 13; row 2: 12 ± 2, the upper band stays 13; row 3: 16 ± 6, it stays
    # 13 and is broken, the lower band is max(10, 10); row 4: 17 ± 2, it rises to 15
    np.testing.assert_array_equal(ours.direction[1:], [-1.0, -1.0, 1.0, 1.0])
    np.testing.assert_array_equal(ours.line[1:], [13.0, 13.0, 10.0, 15.0])
    assert np.isnan(ours.line[0])


def test_averages_of_five_numbers_by_hand():
    x = [1.0, 2.0, 4.0, 7.0, 11.0]
    np.testing.assert_allclose(indicators.sma(x, 3)[2:], [7 / 3, 13 / 3, 22 / 3])
    np.testing.assert_allclose(indicators.wma(x, 3)[2:], [17 / 6, 31 / 6, 51 / 6])
    np.testing.assert_allclose(indicators.ema(x, 3)[2:], [7 / 3, 14 / 3, 47 / 6])
    np.testing.assert_allclose(indicators.wilder_average(x, 2)[1:], [1.5, 2.75, 4.875, 7.9375])


def test_flat_prices_have_no_strength_and_no_place():
    flat = np.full(60, 101.3)
    assert (indicators.rsi(flat)[14:] == 0.0).all()
    assert (indicators.cci(flat, flat, flat)[19:] == 0.0).all()
    assert (indicators.williams_r(flat, flat, flat)[13:] == 0.0).all()
    assert (indicators.stochastic(flat, flat, flat).d[17:] == 0.0).all()
    assert (indicators.adx(flat, flat, flat)[27:] == 0.0).all()
    assert (indicators.choppiness_index(flat, flat, flat)[14:] == 0.0).all()
    assert (indicators.tsi(flat)[37:] == 0.0).all()


def test_recursion_begins_again_behind_a_missing_value_as_a_series_that_begins_there():
    x = BARS["close"].to_numpy().copy()
    x[100] = np.nan
    for function in (indicators.ema, indicators.rsi, indicators.kama, indicators.tema):
        np.testing.assert_array_equal(function(x, 5)[101:], function(x[101:], 5))
    assert_same(indicators.macd(x).line[101:], indicators.macd(x[101:]).line)
