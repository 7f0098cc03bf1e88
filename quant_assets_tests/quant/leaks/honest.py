"""Strategies and functions that know nothing of the future, though some of them look like it."""

import functools
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar

import numpy as np
import pandas as pd

from quant_assets.quant import indicators
from quant_assets.quant.market.resample import BarLength, resample_bars
from quant_assets.quant.market.timeframes import MultiTimeframe, Timeframe
from quant_assets.quant.strategies.base import BarStrategy, VectorStrategy
from quant_assets.quant.strategies.orders import Order
from quant_assets.quant.strategies.signals import Signals
from quant_assets_tests.quant.leaks.planted import entries, frame, weights

HONEST = []


def honest(kind):
    """Take a class into the corpus; its docstring says what is hard about it."""
    HONEST.append(kind)
    return kind


class Honest(VectorStrategy):
    name: ClassVar[str] = "honest"


@honest
class Crossing(Honest):
    """Two trailing averages."""

    def signals(self, bars):
        close = frame(bars.close)
        return entries(close.rolling(10).mean() > close.rolling(30).mean())


@honest
class Exponential(Honest):
    """Recursive from the first row on."""

    def signals(self, bars):
        close = frame(bars.close)
        return entries(close.ewm(span=10).mean() > close.ewm(span=40).mean())


@honest
class CompiledIndicators(Honest):
    """Indicators of the library."""

    @property
    def warm_up(self):
        return 60

    def signals(self, bars):
        rsi = indicators.rsi(bars.close, 14)
        bands = indicators.bollinger_bands(bars.close, 20)
        return Signals(entry_long=(rsi < 40) & (bars.close < bands.middle), exit_long=rsi > 60)


@honest
class ExpandingScore(Honest):
    """A score by mean and deviation of all rows so far."""

    def signals(self, bars):
        close = frame(bars.close)
        past = close.expanding(20)
        return weights(((close - past.mean()) / past.std()).clip(-1.0, 1.0))


@honest
class ExpandingRank(Honest):
    """Rank among all rows so far."""

    def signals(self, bars):
        return weights(frame(bars.close).expanding(20).rank(pct=True))


@honest
class ExpandingQuantile(Honest):
    """The quantile of the past only."""

    def signals(self, bars):
        volume = frame(bars.volume)
        return entries(volume > volume.expanding(20).quantile(0.8).shift(1))


@honest
class SeededNoise(Honest):
    """Random, but the same again for the same rows."""

    def signals(self, bars):
        noise = np.random.default_rng(7).normal(size=(len(bars), 1))
        return entries(np.broadcast_to(noise > 0.3, bars.close.shape) & (bars.close > 0.0))


@honest
class ForwardFilled(Honest):
    """Gaps are filled from the past."""

    def signals(self, bars):
        close = frame(bars.close).ffill()
        return entries(close > close.shift(8))


@honest
class CrossSection(Honest):
    """Ranks symbols against each other, ragged as they are."""

    def signals(self, bars):
        moves = frame(bars.close).pct_change(24, fill_method=None)
        return weights(moves.rank(axis=1, pct=True) - 0.5)


@honest
class EqualAmongListed(Honest):
    """Equal weights of what trades now; it changes when a symbol is listed."""

    def signals(self, bars):
        held = np.isfinite(bars.close)
        return weights(held / np.maximum(held.sum(axis=1, keepdims=True), 1))


@honest
class MarketNeutral(Honest):
    """Sums over symbols in whatever order: rounding may differ when a symbol is not there yet."""

    def signals(self, bars):
        moves = frame(bars.close).pct_change(5, fill_method=None)
        centred = moves.sub(moves.mean(axis=1), axis=0)
        return weights(centred.div(centred.abs().sum(axis=1), axis=0))


@honest
class PriorDay(Honest):
    """The daily close of the day before, joined when it was known."""

    def signals(self, bars):
        close = pd.DataFrame(bars.close, index=pd.DatetimeIndex(bars.ts))
        daily = close.resample("1D").last()
        daily.index = daily.index + pd.Timedelta("1D")
        known = daily.reindex(close.index + pd.Timedelta("1h"), method="ffill")
        known.index = close.index
        return entries(close > known)


@honest
class LongerBarsWhenKnown(Honest):
    """Four-hour bars on the hours, joined by what was known: the library's own way."""

    def signals(self, bars):
        rows = bars.frame()
        hours = Timeframe.of_bars(rows, bar_length=bars.bar_length)
        longer = resample_bars(rows, BarLength(timedelta(hours=4), bars.bar_length))
        four = Timeframe.of_bars(longer, bar_length=timedelta(hours=4))
        both = MultiTimeframe("1h", {"1h": hours, "4h": four}, {"4h": timedelta(hours=8)})
        known = both.align_to_primary("4h")["close"]
        at = np.searchsorted(bars.ts, hours.ts), np.searchsorted(bars.symbols, hours.symbols)
        level = np.full(bars.close.shape, np.nan)
        level[at[0], at[1][hours.codes]] = known
        return entries(bars.close > level)


@honest
class RunningDayHigh(Honest):
    """The high of the day so far."""

    def signals(self, bars):
        day = pd.DatetimeIndex(bars.ts).normalize()
        high = frame(bars.high).groupby(day).cummax()
        return entries(bars.close < 0.99 * high)


@honest
class SessionHours(Honest):
    """The clock of the bars is no secret."""

    def signals(self, bars):
        hours = pd.DatetimeIndex(bars.ts).hour.to_numpy()
        inside = (hours >= 8) & (hours < 16)
        return entries(inside[:, None] & np.isfinite(bars.close))


@honest
class LaggedLabel(Honest):
    """Learns from labels that are over: those of 12 bars ago and before."""

    def signals(self, bars):
        close = frame(bars.close)
        past_return = close / close.shift(12) - 1.0
        feature_then = (close / close.shift(3) - 1.0).shift(12)
        slope = (past_return * feature_then).expanding(40).mean()
        return weights(np.sign(slope) * np.sign(close / close.shift(3) - 1.0))


@honest
class WalkForwardFit(Honest):
    """Fits again every 48 rows, on the rows before."""

    def signals(self, bars):
        returns = frame(bars.close).pct_change(fill_method=None).to_numpy()
        targets = np.zeros(returns.shape)
        for first in range(96, len(returns), 48):
            x, y = returns[: first - 1].ravel(), returns[1:first].ravel()
            known = np.isfinite(x) & np.isfinite(y)
            slope, level = np.polyfit(x[known], y[known], 1)
            last = min(first + 48, len(returns))
            targets[first:last] = np.sign(level + slope * returns[first:last])
        return weights(targets)


@honest
class PastBestParameter(Honest):
    """The length that earned most so far, chosen anew on each row."""

    def signals(self, bars):
        close = frame(bars.close)
        returns = close.pct_change(fill_method=None)
        held = [(close > close.rolling(n).mean()).astype(float) for n in (5, 10, 20, 40)]
        earned = np.stack([(h.shift(1) * returns).sum(axis=1).cumsum() for h in held])
        best = earned.argmax(axis=0)
        return weights(np.stack(held)[best, np.arange(len(close))])


@honest
class ConfirmedPivot(Honest):
    """A low of both sides, told five bars later, when it is certain."""

    def signals(self, bars):
        low = frame(bars.low)
        lowest = low.rolling(11, min_periods=11).min()
        return entries(low.shift(5) <= lowest)


@honest
class CausalFilter(Honest):
    """lfilter runs forwards only."""

    def signals(self, bars):
        from scipy.signal import butter, lfilter

        b, a = butter(2, 0.1)
        close = frame(bars.close).ffill().fillna(100.0).to_numpy()
        return entries(close > lfilter(b, a, close, axis=0))


@honest
class ConvolvedByFft(Honest):
    """A trailing average by FFT: rounding depends on all rows, its values do not."""

    def signals(self, bars):
        from scipy.signal import fftconvolve

        close = frame(bars.close).ffill().fillna(100.0).to_numpy()
        mean = fftconvolve(close, np.full((10, 1), 0.1), axes=0)[: len(close)]
        return Signals(target=np.clip(close / np.where(mean > 0.0, mean, 1.0) - 1.0, -1.0, 1.0))


@honest
class LooksLikeALeak(Honest):
    """Words that a search of the text would cry wolf at: rows are turned round and back again."""

    def signals(self, bars):
        turned = frame(bars.close[::-1])
        return entries(bars.close > turned.shift(-6)[::-1].to_numpy())


@honest
class Reversed(Honest):
    """Turned around twice, to walk back from each row."""

    def signals(self, bars):
        since = np.zeros(bars.close.shape)
        for row in range(1, len(since)):
            back = bars.high[max(0, row - 30) : row + 1][::-1]
            since[row] = np.argmax(np.nan_to_num(back), axis=0)
        return entries(since < 3)


@functools.cache
def kernel_weights(n):
    """Remembered, but of its parameter alone."""
    weights = np.exp(-np.arange(n) / n)
    return weights / weights.sum()


@honest
class CachedWeights(Honest):
    """A cache that does not depend on data."""

    def signals(self, bars):
        close = frame(bars.close)
        mean = close.rolling(12).apply(lambda x: x @ kernel_weights(12)[::-1], raw=True)
        return entries(close > mean)


RESULTS: dict = {}


@honest
class MemoByContent(Honest):
    """Remembers results by what they were made of."""

    def signals(self, bars):
        key = bars.close.tobytes()
        if key not in RESULTS:
            RESULTS[key] = np.nan_to_num(bars.close) > 100.0
        return Signals(entry_long=RESULTS[key])


@honest
class Timed(Honest):
    """Looks at a stop-watch, not at the date."""

    def signals(self, bars):
        began = time.perf_counter()
        flags = frame(bars.close).diff() > 0
        assert time.perf_counter() >= began
        return entries(flags)


@honest
class StopsAndStrengths(Honest):
    """Entry prices and strengths of the past."""

    def signals(self, bars):
        close, low = frame(bars.close), frame(bars.low)
        entry = (close > close.rolling(10).max().shift(1)).to_numpy()
        strength = close.pct_change(5, fill_method=None).abs().clip(0.0, 1.0)
        return Signals(
            entry_long=entry, limit=low.shift(1).to_numpy(), strength=strength.to_numpy()
        )


@honest
class LateRowsWhenKnown(Honest):
    """Bars that came late are used from then on, and not before."""

    late: ClassVar[int] = 12

    def signals(self, bars):
        decided = pd.Series(bars.ts + np.timedelta64(1, "h"))
        flags = np.zeros(bars.close.shape, dtype=bool)
        for row, moment in enumerate(decided):
            known = bars.available_at[: row + 1] <= moment.to_datetime64()
            if known.any():
                last = bars.close[: row + 1][known][-5:]
                with np.errstate(all="ignore"):
                    flags[row] = last[-1] > np.nan_to_num(last).mean(axis=0)
        return Signals(entry_long=flags)


@honest
class FundingCarry(Honest):
    """Against the funding of the last day."""

    def signals(self, bars):
        return weights(-np.sign(frame(bars["funding"]).rolling(24, min_periods=8).mean()))


@honest
class StateWithin(Honest):
    """A state machine over the rows of one call."""

    def signals(self, bars):
        held, stop = np.zeros(bars.close.shape), np.full(len(bars.symbols), np.inf)
        for row in range(10, len(bars)):
            close = np.nan_to_num(bars.close[row], nan=-1.0)
            out = close < stop
            stop = np.where(
                out, np.inf, np.maximum(np.where(stop == np.inf, 0.0, stop), 0.97 * close)
            )
            begin = close > np.nan_to_num(bars.close[row - 10], nan=np.inf)
            stop = np.where(out & begin, 0.97 * close, stop)
            held[row] = (stop < np.inf) & (close > 0)
        return Signals(target=held)


@honest
class BarByBar(BarStrategy):
    """Sees a window."""

    name: ClassVar[str] = "honest"

    @property
    def warm_up(self):
        return 20

    def indicators(self, bars):
        return {"fast": indicators.sma(bars.close, 5), "slow": indicators.sma(bars.close, 20)}

    def on_bar(self, window, account):
        return Signals(entry_long=window["fast", -1] > window["slow", -1])


@honest
class OrderByOrder(BarStrategy):
    """Gives orders, not signals; late bars come as gaps."""

    name: ClassVar[str] = "honest"
    late: ClassVar[int] = 12

    def on_bar(self, window, account):
        last = window["close", -3:]
        if len(last) < 3 or not last[-1, 0] < last[0, 0]:
            return None
        return [Order(symbol="AAA", quantity=1.0, kind="limit", limit=0.99 * last[-1, 0])]


@honest
@dataclass(frozen=True, kw_only=True)
class BothForms(Honest, BarStrategy):
    """The same rule in both forms, with a list of its own that it never reads."""

    length: int = 12
    log: list = field(default_factory=list)

    def signals(self, bars):
        self.log.append(len(bars))
        return Signals(entry_long=bars.close > indicators.sma(bars.close, self.length))

    def indicators(self, bars):
        return {"mean": indicators.sma(bars.close, self.length)}

    def on_bar(self, window, account):
        return Signals(entry_long=window["close", -1] > window["mean", -1])
