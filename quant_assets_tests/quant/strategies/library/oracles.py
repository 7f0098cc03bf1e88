"""Decisions of every strategy, written again in pandas and TA-Lib from the rule alone.

Flags: `frame -> (entry_long, exit_long, entry_short, exit_short)` of one symbol, columns open,
high, low, close. Pairs: `bars -> (flags by name, sizes)`. Accounts: what else the plain account
must know. Weights are in `oracles_of_weights`.
The Hurst exponent alone is taken from the library; its own tests have an oracle.
"""

from functools import cache

import numpy as np
import pandas as pd
import talib
from statsmodels.api import OLS, add_constant
from statsmodels.tsa.stattools import adfuller

from quant_assets.quant.indicators import hurst
from quant_assets.quant.strategies.signals import FLAGS as NAMES
from quant_assets_tests.quant.strategies.library.oracles_of_weights import closes

NEVER = None


def columns(bars, symbol):
    at = bars.symbols.index(symbol)
    index = pd.DatetimeIndex(bars.ts)
    return pd.DataFrame({n: v[:, at] for n, v in bars.columns().items()}, index=index)


def crossed(above, below):
    gap = above - below
    return (gap.shift(1) <= 0) & (gap > 0)


def buy_and_hold(f):
    return f.close.notna(), NEVER, NEVER, NEVER


def moving_average_cross(f, fast=50, slow=200):
    one, other = f.close.rolling(fast).mean(), f.close.rolling(slow).mean()
    return crossed(one, other), crossed(other, one), NEVER, NEVER


def macd_cross(f):
    line, signal, _ = (pd.Series(v, f.index) for v in talib.MACD(f.close, 12, 26, 9))
    return crossed(line, signal), crossed(signal, line), NEVER, NEVER


def rsi2_reversion(f):
    rsi = pd.Series(talib.RSI(f.close, 2), f.index)
    trend, short = f.close.rolling(200).mean(), f.close.rolling(5).mean()
    return (rsi < 10) & (f.close > trend), f.close > short, NEVER, NEVER


def bollinger_reversion(f):
    mean, spread = f.close.rolling(20).mean(), f.close.rolling(20).std(ddof=0)
    return f.close < mean - 2 * spread, f.close >= mean, NEVER, NEVER


def zscore_reversion(f):
    z = (f.close - f.close.rolling(20).mean()) / f.close.rolling(20).std()
    return z < -2, z >= 0, z > 2, z <= 0


def adx_trend(f):
    hlc = f.high, f.low, f.close
    plus, minus, adx = talib.PLUS_DI(*hlc, 14), talib.MINUS_DI(*hlc, 14), talib.ADX(*hlc, 14)
    return (plus > minus) & (adx > 25), plus < minus, (plus < minus) & (adx > 25), plus > minus


def parabolic_sar_trend(f):
    stop = talib.SAR(f.high, f.low, 0.02, 0.2)
    return f.close > stop, f.close < stop, f.close < stop, f.close > stop


def supertrend_trend(f, n=10, k=3.0):
    reach = k * talib.ATR(f.high, f.low, f.close, n)
    middle = (f.high + f.low) / 2
    line, top, bottom, up = np.full(len(f), np.nan), np.nan, np.nan, False
    for t in range(n, len(f)):
        high, low = middle.iloc[t] + reach.iloc[t], middle.iloc[t] - reach.iloc[t]
        before, close = f.close.iloc[t - 1], f.close.iloc[t]
        top = high if not (high >= top and before <= top) else top
        bottom = low if not (low <= bottom and before >= bottom) else bottom
        up = close >= bottom if up else close > top
        line[t] = bottom if up else top
    return f.close > line, f.close < line, f.close < line, f.close > line


def ichimoku_trend(f):
    def middle(n):
        return (f.high.rolling(n).max() + f.low.rolling(n).min()) / 2

    fast, slow = middle(9), middle(26)
    edges = [((fast + slow) / 2).shift(25), middle(52).shift(25)]
    above = (f.close > edges[0]) & (f.close > edges[1]) & (fast > slow)
    return above, f.close < slow, NEVER, NEVER


def keltner_squeeze(f):
    mean, spread = f.close.rolling(20).mean(), 2.0 * f.close.rolling(20).std(ddof=0)
    middle, reach = talib.EMA(f.close, 20), 1.5 * talib.ATR(f.high, f.low, f.close, 20)
    upper, lower, top, bottom = mean + spread, mean - spread, middle + reach, middle - reach
    known = upper.notna() & top.notna()
    inside = known & (upper < top) & (lower > bottom)
    fires = known & ~inside & inside.shift(1, fill_value=False)
    push = f.close - f.close.shift(12)
    return fires & (push > 0), push < 0, fires & (push < 0), push > 0


def donchian_breakout(f):
    top, bottom = f.high.rolling(20).max().shift(1), f.low.rolling(20).min().shift(1)
    ceiling, floor = f.high.rolling(10).max().shift(1), f.low.rolling(10).min().shift(1)
    return f.close > top, f.close < floor, f.close < bottom, f.close > ceiling


def volatility_breakout(f):
    return f.high >= f.low, NEVER, NEVER, NEVER


def gap_fade(f, gap=0.02):
    before = f.close.shift(1)
    return (f.open < before * (1 - gap)) & (f.close < before), NEVER, NEVER, NEVER


def opening_range(f):
    day, hour = f.index.normalize(), f.index.hour
    first = hour == 0
    top = f.high.where(first).groupby(day).transform("first").where(~first)
    bottom = f.low.where(first).groupby(day).transform("first").where(~first)
    ends = pd.Series(hour >= 22, f.index)
    above, below = f.close > top, f.close < bottom
    return above & ~ends, below | ends, below & ~ends, above | ends


def turn_of_month(f):
    inside = pd.Series([_around_the_end(day) for day in f.index + pd.offsets.BDay(1)], f.index)
    return inside, ~inside, NEVER, NEVER


@cache
def _around_the_end(day):
    is_last = day + pd.offsets.BMonthEnd(0) == day
    return is_last or len(pd.bdate_range(day.replace(day=1), day)) <= 3


def halloween(f):
    month = (f.index + pd.offsets.BDay(1)).month
    inside = pd.Series(np.isin(month, [11, 12, 1, 2, 3, 4]), f.index)
    return inside, ~inside, NEVER, NEVER


def internal_bar_strength(f):
    strength = (f.close - f.low) / (f.high - f.low)
    return strength < 0.2, strength > 0.8, NEVER, NEVER


def liquidation_reversion(f, n=288):
    def usual(values):
        return values.rolling(n, min_periods=1).mean().shift(1)

    sold = f.liquidated_long / usual(f.liquidated_long).where(lambda u: u > 0)
    bought = f.liquidated_short / usual(f.liquidated_short).where(lambda u: u > 0)
    move = f.close.diff()
    return (move < 0) & (sold > 5), NEVER, (move > 0) & (bought > 5), NEVER


def regime_switch(f):
    swing = np.log(f.close).diff().rolling(20).std()
    rank = swing.rolling(252).rank(pct=True)
    z = (f.close - f.close.rolling(20).mean()) / f.close.rolling(20).std()
    average = f.close.rolling(100).mean()
    calm, wild = rank <= 1 / 3, rank > 2 / 3
    enter = (calm & (f.close > average)) | (wild & (z < -1.5))
    return enter, (calm & (f.close < average)) | (wild & (z >= 0)), NEVER, NEVER


def hurst_switch(f):
    z = (f.close - f.close.rolling(20).mean()) / f.close.rolling(20).std()
    exponent = hurst(np.log(f.close).diff().to_numpy(), 256)
    follow, fade = exponent > 0.62, exponent < 0.5
    sign = np.sign(z)
    turns = (sign.shift(1) != 0) & sign.shift(1).notna() & z.notna() & (sign != sign.shift(1))
    high, low = z > 1.5, z < -1.5
    return (high & follow) | (low & fade), turns, (low & follow) | (high & fade), turns


# Two legs.


def two_legs(bars, z, beta, traded, entry, stop):
    """Flags and sizes of legs 0 and 1: the first is bought where z is low."""
    low, high = (z < -entry) & (z >= -stop) & traded, (z > entry) & (z <= stop) & traded
    rose, fell = (z >= 0) | (z < -stop) | ~traded, (z <= 0) | (z > stop) | ~traded
    flags = [(low, high), (rose, fell), (high, low), (fell, rose)]
    sizes = np.column_stack([1 / (1 + beta), beta / (1 + beta)])
    return {n: np.column_stack(pair) for n, pair in zip(NAMES, flags, strict=True)}, sizes


def pairs_cointegration(bars, n=252):
    c = np.log(closes(bars))
    z, beta = np.full(len(c), np.nan), np.full(len(c), np.nan)
    month = pd.PeriodIndex(c.index, freq="M")
    starts = [t for t in range(1, len(c)) if month[t] != month[t - 1] and t >= n]
    for start, end in zip(starts, [*starts[1:], len(c)], strict=True):
        past, now = c.iloc[start - n : start], c.iloc[start:end]
        fit = OLS(past.iloc[:, 0], add_constant(past.iloc[:, 1])).fit()
        t = adfuller(fit.resid, maxlag=0, regression="n", autolag=None, result_object=False)[0]
        if t < -3.34 and fit.params.iloc[1] > 0:
            expected = fit.params.iloc[0] + fit.params.iloc[1] * now.iloc[:, 1]
            z[start:end] = (now.iloc[:, 0] - expected) / np.sqrt(fit.mse_resid)
            beta[start:end] = fit.params.iloc[1]
    return two_legs(bars, z, beta, ~np.isnan(beta), 2.0, 4.0)


def kalman_pairs(bars):
    c = np.log(bars.close)
    state, variance = np.zeros(2), np.eye(2)
    z, beta = np.full(len(c), np.nan), np.full(len(c), np.nan)
    for t, (y, x) in enumerate(c):
        seen = np.array([x, 1.0])
        variance = variance + 1e-4 / (1 - 1e-4) * np.eye(2)
        spread = seen @ variance @ seen + 1e-3
        error = y - seen @ state
        gain = variance @ seen / spread
        state, variance = state + gain * error, variance - np.outer(gain, seen) @ variance
        z[t], beta[t] = error / np.sqrt(spread), state[0]
    return two_legs(bars, z, beta, beta > 0, 1.0, 10.0)


def basis(bars):
    c = closes(bars)
    flags = {name: pd.DataFrame(False, c.index, c.columns) for name in NAMES}
    for perpetual in [symbol for symbol in c.columns if ":" in symbol]:
        spot = perpetual.split(":")[0]
        premium = c[perpetual] / c[spot] - 1
        z = (premium - premium.rolling(288).mean()) / premium.rolling(288).std()
        flags["entry_long"][spot] = flags["entry_short"][perpetual] = z > 2
        flags["exit_long"][spot] = flags["exit_short"][perpetual] = z <= 0
    sizes = np.full((1, c.shape[1]), 1 / c.shape[1])
    return {name: table.to_numpy() for name, table in flags.items()}, sizes


# What the account must know besides.


def donchian_account(bars):
    symbols = range(len(bars.symbols))
    ranges = [talib.ATR(bars.high[:, i], bars.low[:, i], bars.close[:, i], 20) for i in symbols]
    atr = np.column_stack(ranges)
    return {"sizes": np.minimum(0.01 * bars.close / atr, 1.0), "stop": 2 * atr}


def gap_account(bars):
    way = closes(bars).diff().abs()
    return {"target": way.where(way > 0).to_numpy(), "hold": 5}


def liquidation_account(bars):
    return {"hold": 12}


def breakout_account(bars):
    return {"hold": 1, "entry_stop": bars.close + 0.5 * (bars.high - bars.low)}


FLAGS = {
    "adx_trend": adx_trend,
    "bollinger_reversion": bollinger_reversion,
    "buy_and_hold": buy_and_hold,
    "donchian_breakout": donchian_breakout,
    "gap_fade": gap_fade,
    "halloween": halloween,
    "hurst_switch": hurst_switch,
    "ichimoku_trend": ichimoku_trend,
    "internal_bar_strength": internal_bar_strength,
    "keltner_squeeze": keltner_squeeze,
    "liquidation_reversion": liquidation_reversion,
    "macd_cross": macd_cross,
    "moving_average_cross": moving_average_cross,
    "opening_range": opening_range,
    "parabolic_sar_trend": parabolic_sar_trend,
    "regime_switch": regime_switch,
    "rsi2_reversion": rsi2_reversion,
    "supertrend_trend": supertrend_trend,
    "turn_of_month": turn_of_month,
    "volatility_breakout": volatility_breakout,
    "zscore_reversion": zscore_reversion,
}
PAIRS = {
    "basis": basis,
    "kalman_pairs": kalman_pairs,
    "pairs_cointegration": pairs_cointegration,
}
ACCOUNTS = {
    "donchian_breakout": donchian_account,
    "gap_fade": gap_account,
    "liquidation_reversion": liquidation_account,
    "volatility_breakout": breakout_account,
}
