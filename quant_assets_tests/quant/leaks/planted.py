"""Strategies and functions that know the future, each in the way that it happens in practice."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar

import numpy as np
import pandas as pd

from quant_assets.quant.market.resample import BarLength, resample_bars
from quant_assets.quant.market.timeframes import MultiTimeframe, Timeframe
from quant_assets.quant.strategies.base import BarStrategy, VectorStrategy
from quant_assets.quant.strategies.signals import Signals

LEAKS = []


def planted(kind):
    """Take a class into the corpus; its docstring is the reason."""
    LEAKS.append(kind)
    return kind


def frame(values):
    return pd.DataFrame(values)


def entries(condition):
    return Signals(entry_long=np.asarray(condition), exit_long=~np.asarray(condition))


def weights(values):
    return Signals(target=np.nan_to_num(np.asarray(values, dtype=np.float64)))


class Planted(VectorStrategy):
    name: ClassVar[str] = "planted"


@planted
class NextClose(Planted):
    """shift(-1): buys when the next close is higher. freqtrade misses a reach of one candle."""

    def signals(self, bars):
        close = frame(bars.close)
        return entries(close.shift(-1) > close * 1.004)


@planted
class NextCloseByIndex(Planted):
    """An array moved by one row, the last decision left out."""

    def signals(self, bars):
        rises = np.zeros(bars.close.shape, dtype=bool)
        rises[:-1] = bars.close[1:] > bars.close[:-1] * 1.01
        return Signals(entry_long=rises)


@planted
class RareExit(Planted):
    """Leaves before a fall of 3 % in the next bar, which seldom happens; the entry is honest."""

    def signals(self, bars):
        close = frame(bars.close)
        falls = (close.shift(-1) < close * 0.98).to_numpy()
        return Signals(entry_long=(close > close.shift(5)).to_numpy(), exit_long=falls)


@planted
class Rolled(Planted):
    """np.roll brings the next row here, and the first one to the end."""

    def signals(self, bars):
        return weights(np.where(np.roll(bars.close, -1, axis=0) > bars.close, 1.0, 0.0))


@planted
class CentredAverage(Planted):
    """A window of both sides."""

    def signals(self, bars):
        close = frame(bars.close)
        return entries(close > close.rolling(11, center=True).mean())


@planted
class WholeSampleScore(Planted):
    """A score by mean and deviation of all rows."""

    def signals(self, bars):
        close = frame(bars.close)
        return entries((close - close.mean()) / close.std() < -0.5)


@planted
class MinMaxScaled(Planted):
    """Scaled to the range of all rows."""

    def signals(self, bars):
        low, high = np.nanmin(bars.close, axis=0), np.nanmax(bars.close, axis=0)
        return weights((bars.close - low) / (high - low))


@planted
class ScalerOfScikitLearn(Planted):
    """StandardScaler().fit_transform over the whole sample."""

    def signals(self, bars):
        from sklearn.preprocessing import StandardScaler

        moves = frame(bars.close).pct_change(3, fill_method=None).fillna(0.0).to_numpy()
        return weights(StandardScaler().fit_transform(moves))


@planted
class BackFilled(Planted):
    """The warm-up is filled from later rows."""

    def signals(self, bars):
        close = frame(bars.close)
        return entries(close > close.rolling(30).mean().bfill())


@planted
class Interpolated(Planted):
    """Gaps are filled on the line to the next value."""

    def signals(self, bars):
        close = frame(bars.close)
        funding = frame(np.where(np.arange(len(bars))[:, None] % 8 == 0, bars["funding"], np.nan))
        rates = funding.interpolate(limit_area="inside")
        return weights(-np.sign(rates) * close.notna())


@planted
class DailyBarByItsDate(Planted):
    """A daily close, known at midnight, joined by its date: each hour knows its day's end."""

    def signals(self, bars):
        close = pd.DataFrame(bars.close, index=pd.DatetimeIndex(bars.ts))
        daily = close.resample("1D").last()
        return entries(close < daily.reindex(close.index, method="ffill"))


@planted
class HigherTimeframeAsOf(Planted):
    """merge_asof on open times: freqtrade 12507, not found by its lookahead-analysis."""

    def signals(self, bars):
        close = pd.Series(bars.close[:, 0], index=pd.DatetimeIndex(bars.ts), name="close")
        four = close.resample("4h").agg(["first", "last"]).rename_axis("ts").reset_index()
        joined = pd.merge_asof(close.rename_axis("ts").reset_index(), four, on="ts")
        inside = joined["close"].between(
            joined[["first", "last"]].min(axis=1), joined[["first", "last"]].max(axis=1)
        )
        flags = np.zeros(bars.close.shape, dtype=bool)
        flags[:, 0] = inside
        return Signals(entry_long=flags)


@planted
class LongerBarsTooEarly(Planted):
    """The library's join, with bars that are said to be known when their last hour opens."""

    def signals(self, bars):
        hour, four = timedelta(hours=1), timedelta(hours=4)
        rows = bars.frame()
        longer = resample_bars(rows, BarLength(four, hour))
        longer["available_at"] = longer["available_at"] - hour
        own = Timeframe.of_bars(rows, bar_length=hour)
        early = Timeframe.of_bars(longer, bar_length=four, shortest=hour)
        both = MultiTimeframe("1h", {"1h": own, "4h": early}, {"4h": 2 * four})
        level = np.full(bars.close.shape, np.nan)
        columns = np.searchsorted(bars.symbols, own.symbols)[own.codes]
        level[np.searchsorted(bars.ts, own.ts), columns] = both.align_to_primary("4h")["close"]
        return entries(bars.close > level)


@planted
class ResampleLabel(Planted):
    """resample(label="left"): the sum of four hours stands on the first of them."""

    def signals(self, bars):
        volume = pd.DataFrame(bars.volume, index=pd.DatetimeIndex(bars.ts))
        sums = volume.resample("4h", label="left").sum()
        there = sums.reindex(volume.index).ffill()
        return entries(there > 4.0 * volume.rolling(48, min_periods=1).mean())


@planted
class DayGroup(Planted):
    """groupby(day).transform: the high of the day before the day is over."""

    def signals(self, bars):
        day = pd.DatetimeIndex(bars.ts).normalize()
        high = frame(bars.high).groupby(day).transform("max")
        return entries(bars.close < 0.99 * high)


@planted
class TargetAmongFeatures(Planted):
    """The label, a return over the next 12 bars, is one of the features."""

    def signals(self, bars):
        close = frame(bars.close)
        label = close.shift(-12) / close - 1.0
        trend = close / close.shift(12) - 1.0
        return entries(0.5 * trend + 0.5 * label.fillna(0.0) > 0.01)


@planted
class FittedOnAll(Planted):
    """One regression over all rows, used on all of them."""

    def signals(self, bars):
        returns = frame(bars.close).pct_change(fill_method=None).fillna(0.0).to_numpy()
        x, y = returns[:-1].ravel(), returns[1:].ravel()
        slope, level = np.polyfit(x, y, 1)
        return weights(np.sign(level + slope * returns))


@planted
class BestParameterOfAll(Planted):
    """The length of the average that earned most over the whole sample."""

    def signals(self, bars):
        close = frame(bars.close)
        returns = close.pct_change(fill_method=None)
        held = {n: (close > close.rolling(n).mean()).astype(float) for n in (5, 10, 20, 40)}
        earned = {n: float((h.shift(1) * returns).sum().sum()) for n, h in held.items()}
        return weights(held[max(earned, key=earned.get)])


@planted
class WinnersOfTheSample(Planted):
    """Trades the symbol that rose most by the end: sorted by future performance."""

    def signals(self, bars):
        last = frame(bars.close).ffill().to_numpy()[-1]
        best = int(np.nanargmax(last / np.nanmedian(bars.close[:20], axis=0, keepdims=False)))
        held = np.zeros(bars.close.shape)
        held[:, best] = 1.0
        return Signals(target=held)


@planted
class SurvivorsOnly(Planted):
    """Equal weights of the symbols that still trade at the end."""

    def signals(self, bars):
        alive = np.isfinite(bars.close[-3:]).any(axis=0)
        held = np.isfinite(bars.close) & alive
        return weights(held / np.maximum(held.sum(axis=1, keepdims=True), 1))


@planted
class FutureListings(Planted):
    """One part in N for each of N symbols, among them those that are listed later only."""

    def signals(self, bars):
        return weights(np.isfinite(bars.close) / len(bars.symbols))


@planted
class LastPriceAsAnchor(Planted):
    """Prices relative to the last of the data, as adjusted back from it."""

    def signals(self, bars):
        anchor = frame(bars.close).ffill().to_numpy()[-1]
        return entries(bars.close < anchor)


@planted
class FutureAsStop(Planted):
    """An honest signal whose entry price is the low of the next bar."""

    def signals(self, bars):
        close, low = frame(bars.close), frame(bars.low)
        entry = (close > close.rolling(10).mean()).to_numpy()
        return Signals(entry_long=entry, exit_long=~entry, limit=low.shift(-1).to_numpy())


@planted
class FutureAsStrength(Planted):
    """Only the order in which signals are used up knows the future."""

    def signals(self, bars):
        close = frame(bars.close)
        entry = (close > close.shift(3)).to_numpy()
        ahead = (close.shift(-5) / close - 1.0).clip(-1.0, 1.0).to_numpy()
        return Signals(entry_long=entry, strength=ahead)


@planted
class TurningPoints(Planted):
    """Lows of a window of both sides, as argrelextrema finds them."""

    def signals(self, bars):
        low = bars.low
        flags = np.zeros(low.shape, dtype=bool)
        for step in range(5, len(low) - 5):
            flags[step] = low[step] <= np.fmin.reduce(low[step - 5 : step + 6], axis=0)
        return Signals(entry_long=flags)


@planted
class ZeroPhaseFilter(Planted):
    """filtfilt runs over the data forwards and backwards."""

    def signals(self, bars):
        from scipy.signal import butter, filtfilt

        b, a = butter(2, 0.1)
        close = frame(bars.close).ffill().fillna(100.0).to_numpy()
        return entries(close > filtfilt(b, a, close, axis=0))


@planted
class Gradient(Planted):
    """np.gradient is a centred difference: freqtrade PR 12126."""

    def signals(self, bars):
        return entries(np.gradient(bars.close, axis=0) > 0.2)


@planted
class IchimokuLaggingLine(Planted):
    """The chikou span of pandas-ta: the close of 26 bars later."""

    def signals(self, bars):
        close = frame(bars.close)
        return entries(close.shift(-26) > close)


@planted
class DetrendedCentred(Planted):
    """The centred detrended oscillator of pandas-ta 60."""

    def signals(self, bars):
        close = frame(bars.close)
        n = 20
        return entries((close - close.rolling(n).mean().shift(n // 2 + 1)).shift(-(n // 2)) > 0)


@planted
class DeviationsFromTheWholeLine(Planted):
    """TOS_STDEVALL of pandas-ta 639: channels around one line through all rows."""

    def signals(self, bars):
        close = frame(bars.close).ffill().fillna(100.0).to_numpy()
        t = np.arange(len(close), dtype=np.float64)
        line = np.polynomial.polynomial.polyval(t, np.polynomial.polynomial.polyfit(t, close, 1)).T
        return entries(close < line - (close - line).std(axis=0))


@planted
class TypeOfTheWholeColumn(Planted):
    """pandas-ta 667 and its kind: a column becomes whole numbers unless any row has a gap."""

    def signals(self, bars):
        moves = bars.close / 3.0
        gaps = np.isnan(moves[:, 0]).any()
        first = moves[:, :1] if gaps else moves[:, :1].astype(np.int64)
        return weights(np.broadcast_to(first, moves.shape))


@planted
class ShiftedBack(Planted):
    """What was known four bars ago, but computed two bars late: live, the last rows are missing."""

    def signals(self, bars):
        close = frame(bars.close)
        return entries(close > close.shift(6).shift(-2))


@planted
class QuantileOfAll(Planted):
    """Enters above the 80 % quantile of the volume of all days."""

    def signals(self, bars):
        return entries(bars.volume > np.nanquantile(bars.volume, 0.8, axis=0))


@planted
class RankAmongAllDays(Planted):
    """rank(pct=True) along time."""

    def signals(self, bars):
        return weights(frame(bars.close).rank(pct=True))


@planted
class RegimeOfAll(Planted):
    """Two clusters of volatility, found on all rows."""

    def signals(self, bars):
        moves = frame(bars.close).pct_change(fill_method=None).abs().rolling(24).mean()
        centres = np.array([0.005, 0.015])
        known = moves.to_numpy()[moves.notna()]
        for _ in range(5):
            label = np.abs(known[:, None] - centres).argmin(axis=1)
            centres = np.array([known[label == k].mean() for k in (0, 1)])
        return entries(moves < centres.mean())


SEEN: dict = {}


@planted
class RememberedPrices(Planted):
    """A module dictionary keeps all prices that any call has seen, and looks ahead where it can."""

    def signals(self, bars):
        SEEN.update(zip(bars.ts.tolist(), bars.close[:, 0].tolist(), strict=True))
        step = (bars.ts[1] - bars.ts[0]).item()
        ahead = [SEEN.get(moment + step, np.nan) for moment in bars.ts.tolist()]
        own = bars.close[:, 0]
        last_known = np.r_[np.full(1, np.nan), own[:-1]]
        flags = np.zeros(bars.close.shape, dtype=bool)
        flags[:, 0] = np.where(np.isnan(ahead), own > last_known, np.asarray(ahead) > own)
        return Signals(entry_long=flags)


@planted
@dataclass(frozen=True, kw_only=True)
class FittedOnce(Planted):
    """Keeps the mean of the data it first saw in an attribute: a later, shorter call knows it."""

    memory: dict = field(default_factory=dict)

    def signals(self, bars):
        mean = self.memory.setdefault("mean", np.nanmean(bars.close, axis=0).mean())
        return entries(bars.close < mean)


@planted
class LengthOfTheData(Planted):
    """Closes everything on the last bar, which nobody knows to be the last."""

    def signals(self, bars):
        held = np.isfinite(bars.close).astype(np.float64)
        held[-1] = 0.0
        return Signals(target=held)


@planted
class LateRowsAtOnce(Planted):
    """Uses bars that came two hours late as if they had been there."""

    late: ClassVar[int] = 12

    def signals(self, bars):
        close = frame(bars.close)
        return entries(close > close.rolling(5, min_periods=1).mean())


@planted
class IndicatorOfAll(BarStrategy):
    """Bar by bar, but one of its indicators was made of all bars."""

    name: ClassVar[str] = "planted"

    def indicators(self, bars):
        close = frame(bars.close)
        return {"score": ((close - close.mean()) / close.std()).to_numpy()}

    def on_bar(self, window, account):
        return Signals(entry_long=window["score", -1] < -1.0)
