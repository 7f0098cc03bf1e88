"""Weights of strategies that rank or scale symbols, written again in pandas from the rule alone.

`bars -> weights (time, symbol)`, NaN where nothing is decided.
"""

import numpy as np
import pandas as pd


def closes(bars):
    return pd.DataFrame(bars.close, pd.DatetimeIndex(bars.ts), list(bars.symbols))


def at_turns(weights, freq):
    """Only on the first row of each period, the very first one left out."""
    period = pd.Series(pd.PeriodIndex(weights.index, freq=freq), weights.index)
    first = (period != period.shift(1)) & period.shift(1).notna()
    return weights.where(first, axis=0)


def ranked(scores, share, both=True):
    n = np.floor(share * scores.notna().sum(axis=1) + 1e-9).clip(lower=1)
    high = scores.rank(axis=1, ascending=False, method="min").le(n, axis=0)
    low = scores.rank(axis=1, method="min").le(n, axis=0)
    enough = scores.notna().sum(axis=1) >= 2
    long, short = (
        leg.div(leg.sum(axis=1).clip(lower=1), axis=0).mul(enough, axis=0) for leg in (high, low)
    )
    return (long - short) / 2 if both else long


def cross_sectional_momentum(bars):
    c = closes(bars)
    return at_turns(ranked(c.shift(21) / c.shift(252), 0.3), "M")


def regime_momentum(bars):
    c = closes(bars)
    market = np.log(c).ffill().diff().where(c.notna()).mean(axis=1).fillna(0).rolling(504).sum()
    return at_turns(ranked(c.shift(21) / c.shift(126), 0.3).where(market > 0, 0.0), "M")


def dual_momentum(bars):
    gain = closes(bars).pct_change(252)
    best = gain.eq(gain.max(axis=1), axis=0) & (gain > 0)
    return at_turns(best.astype(float), "M")


def of_a_year(series):
    """A deviation per bar as one per year: by the bars since the first one, and its age."""
    age = (series.index - series.index[0]) / pd.Timedelta("365.25D")
    return series.mul(np.sqrt(np.arange(len(series)) / np.where(age > 0, age, np.nan)), axis=0)


def time_series_momentum(bars):
    c = closes(bars)
    swing = of_a_year(np.log(c).diff().rolling(60).std())
    size = (0.4 / swing).clip(upper=1.0)
    return at_turns((np.sign(c.pct_change(252)) * size / c.shape[1]).fillna(0.0), "M")


def low_volatility(bars):
    swing = np.log(closes(bars)).diff().rolling(252).std()
    return at_turns(ranked(-swing, 0.3, both=False), "M")


def short_term_reversal(bars):
    return at_turns(ranked(-closes(bars).pct_change(5), 0.2), "W-SUN")


def high_52_week(bars):
    c = closes(bars)
    highs = pd.DataFrame(bars.high, c.index, c.columns)
    return at_turns(ranked(c / highs.rolling(252).max(), 0.3), "M")


def betting_against_beta(bars):
    returns = closes(bars).pct_change()
    market = returns.mean(axis=1)
    beta = returns.rolling(252).cov(market).div(market.rolling(252).var(), axis=0) * 0.6 + 0.4
    weights = ranked(-beta, 0.3) * 2
    low, high = weights.clip(lower=0), -weights.clip(upper=0)
    raw = low.div((low * beta).sum(axis=1), axis=0) - high.div((high * beta).sum(axis=1), axis=0)
    return at_turns(raw.div(raw.abs().sum(axis=1), axis=0), "M")


def volatility_managed(bars):
    swing = of_a_year(np.log(closes(bars)).diff().rolling(22).std())
    return at_turns(((0.2 / swing) ** 2).clip(upper=1.0) / swing.shape[1], "M")


def calendar_seasonality(bars):
    c = closes(bars)
    monthly = c.groupby(pd.PeriodIndex(c.index, freq="M")).last().pct_change()
    score = sum(monthly.shift(12 * k) for k in range(1, 6)) / 5
    daily = score.reindex(pd.PeriodIndex(c.index, freq="M")).set_index(c.index)
    return at_turns(ranked(daily, 0.3), "M")


def funding_carry(bars):
    rate = pd.DataFrame(bars["funding_rate"], pd.DatetimeIndex(bars.ts), list(bars.symbols))
    return at_turns(ranked(-rate.rolling(72, min_periods=1).mean().round(14), 0.3), "D")


TARGETS = {
    "betting_against_beta": betting_against_beta,
    "calendar_seasonality": calendar_seasonality,
    "cross_sectional_momentum": cross_sectional_momentum,
    "dual_momentum": dual_momentum,
    "funding_carry": funding_carry,
    "high_52_week": high_52_week,
    "low_volatility": low_volatility,
    "regime_momentum": regime_momentum,
    "short_term_reversal": short_term_reversal,
    "time_series_momentum": time_series_momentum,
    "volatility_managed": volatility_managed,
}
