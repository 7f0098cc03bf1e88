"""Whether bars keep the market's clock: the lag at which their returns agree with others.

A source whose bars are stamped at their close lies one bar late; one in another time zone, hours.
The others are a second source of the same symbol, or the symbols of the same venue.
"""

import warnings
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.contracts.doubts import Doubts
from quant_assets.core.errors import DataError
from quant_assets.quant.market.bars import instants, microseconds
from quant_assets.quant.market.flagged import flagged, united
from quant_assets.quant.market.panel import Floats

STAMPED_AT_CLOSE = "stamped at the close"
TIME_SHIFT = "shifted in time"
MAX_SHIFT = timedelta(hours=14)  # the widest distance of a time zone from UTC
MAX_ROWS = 20_000
MIN_PAIRS = 100
MIN_CORRELATION = 0.3
MIN_ADVANTAGE = 0.2
WINSOR = 5.0
ZONE_STEP = timedelta(minutes=15)  # every time zone is a multiple of it away from UTC
MARKET_ROWS = 2_000
MIN_OTHERS = 2
MIN_DEVIATIONS = 5.0


@dataclass(frozen=True)
class Lag:
    """Where the returns of two series agree best.

    bars : how many bars the first series is late (negative: early); correlation : there;
    at_zero : correlation without a shift, NaN where there are too few pairs.
    """

    bars: int
    correlation: float
    at_zero: float

    @property
    def is_shift(self) -> bool:
        """Whether the agreement is clear, and clearly better than without a shift."""
        unshifted = 0.0 if np.isnan(self.at_zero) else self.at_zero
        return (
            self.bars != 0
            and self.correlation >= MIN_CORRELATION
            and self.correlation - unshifted >= MIN_ADVANTAGE
        )


def returns_lag(ours: pd.DataFrame, reference: pd.DataFrame, bar_length: timedelta) -> Lag | None:
    """Lag of one symbol's bars behind bars of the same market from another source.

    ours, reference : columns ts and close, sorted by ts, of one symbol each. The last 20,000 bars
    of `ours` are compared, up to 14 hours or one bar, whichever is more, in both directions, by the
    correlation of log returns, clipped at five robust deviations. None where fewer than 100 pairs
    of returns meet at every lag.
    """
    reach = max(1, int(MAX_SHIFT / bar_length))
    ours = ours.iloc[-MAX_ROWS:]
    if len(ours) < 2 or len(reference) < 2:
        return None
    step = np.timedelta64(bar_length).astype("timedelta64[us]")
    origin = instants(ours["ts"])[0]
    own = _returns(ours, origin, step, (0, None))
    other = _returns(reference, origin, step, (-reach, len(own) + reach))
    lags = np.arange(-reach, reach + 1)
    found = np.array([_correlation(own, other[reach - lag :][: len(own)]) for lag in lags])
    if np.isnan(found).all():
        return None
    best = int(np.nanargmax(found))
    return Lag(int(lags[best]), float(found[best]), float(found[reach]))


def _returns(
    bars: pd.DataFrame, origin: np.datetime64, step: np.timedelta64, span: tuple[int, int | None]
) -> Floats:
    """Log returns between neighbours on the grid from `origin`, NaN elsewhere, clipped."""
    at = ((instants(bars["ts"]) - origin) // step).astype(np.int64)
    first, after = span[0], int(at[-1]) + 1 if span[1] is None else span[1]
    inside = (at >= first) & (at < after)
    close = np.full(after - first, np.nan)
    close[at[inside] - first] = bars["close"].to_numpy(dtype=np.float64)[inside]
    returns = np.diff(np.log(close), prepend=np.nan)
    known = np.abs(returns[~np.isnan(returns)])
    limit = WINSOR * 1.4826 * float(np.median(known)) if len(known) else 0.0
    return np.asarray(np.clip(returns, -limit, limit) if limit > 0 else returns)


def _correlation(left: Floats, right: Floats) -> float:
    """Pearson's r over the pairs that both have, NaN for fewer than 100 or without variation."""
    pairs: npt.NDArray[np.bool_] = ~(np.isnan(left) | np.isnan(right))
    if np.count_nonzero(pairs) < MIN_PAIRS:
        return float("nan")
    x, y = left[pairs] - left[pairs].mean(), right[pairs] - right[pairs].mean()
    scale = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / scale if scale > 0 else float("nan")


def time_shifts(bars: pd.DataFrame, reference: pd.DataFrame, bar_length: timedelta) -> pd.DataFrame:
    """Symbols of `bars` that lie late or early against the same symbols of `reference`.

    Two `Bars` frames, one `Doubts` row per shifted symbol, at its last bar: 'stamped at the close'
    when it is one bar late, else 'shifted in time'; `value` is the lag in seconds.
    """
    common = sorted(set(bars["symbol"].unique()) & set(reference["symbol"].unique()))
    parts = [Doubts.empty()]
    for symbol in common:
        own, other = (frame[frame["symbol"] == symbol] for frame in (bars, reference))
        lag = returns_lag(own, other, bar_length)
        if lag is not None and lag.is_shift:
            parts.append(_doubt(own, lag, bar_length))
    return united(parts)


def market_shifts(bars: pd.DataFrame, bar_length: timedelta) -> pd.DataFrame:
    """Symbols whose bars lie late or early against the other symbols of their venue.

    bars : `Bars` of one venue; of each the last 2,000 times on the grid of `bar_length` are read.
    A symbol's log returns (clipped at five robust deviations) are compared with the mean of those
    of all others, of which there must be two, moved by no bar, by one bar, and by every whole
    quarter of an hour up to 14 hours, in both directions. It is shifted where `Lag.is_shift` says
    so and the correlation is five standard errors from zero, so that thousands of symbols that
    follow no market raise no doubt. A `Doubts` row per shifted symbol, at its last bar, as in
    `time_shifts`. All symbols shifted alike are not seen: only another source could tell.
    """
    returns, symbols = _grid_returns(bars, bar_length)
    if len(symbols) <= MIN_OTHERS or len(returns) < MIN_PAIRS:
        return Doubts.empty()
    market = _others(returns)
    at_zero, pairs = _correlations(returns, market, 0)
    best, lags = at_zero.copy(), np.zeros(len(symbols), dtype=np.int64)
    for lag in _possible_lags(bar_length, len(returns) - MIN_PAIRS):
        found, counted = _correlations(returns, market, lag)
        better = found > np.where(np.isnan(best), -1.0, best)
        best, lags = np.where(better, found, best), np.where(better, lag, lags)
        pairs = np.where(better, counted, pairs)
    parts = [Doubts.empty()]
    for code in np.flatnonzero((lags != 0) & (best * np.sqrt(pairs) >= MIN_DEVIATIONS)):
        found_lag = Lag(int(lags[code]), float(best[code]), float(at_zero[code]))
        if found_lag.is_shift:
            own = bars[(bars["symbol"] == symbols[code]) & ~bars["is_gap"]]
            parts.append(_doubt(own, found_lag, bar_length))
    return united(parts)


def _grid_returns(bars: pd.DataFrame, bar_length: timedelta) -> tuple[Floats, list[str]]:
    """Clipped log returns (time, symbol) on the last rows of the grid, NaN without neighbours."""
    ts = instants(bars["ts"])
    codes, symbols = pd.factorize(bars["symbol"], sort=True)
    if len(ts) == 0:
        return np.empty((0, 0)), []
    step = np.timedelta64(bar_length).astype("timedelta64[us]")
    phase = microseconds(ts) % (step // np.timedelta64(1, "us"))
    phases, counts = np.unique(phase, return_counts=True)
    on_grid = phase == phases[np.argmax(counts)]
    row = ((ts - ts[on_grid][-1]) // step).astype(np.int64) + MARKET_ROWS
    inside = on_grid & (row >= 0)
    closes = np.full((MARKET_ROWS + 1, len(symbols)), np.nan)
    closes[row[inside], codes[inside]] = bars["close"].to_numpy(dtype=np.float64)[inside]
    closes = closes[int(row[inside].min()) :]
    returns = np.diff(np.log(closes), axis=0)
    with np.errstate(invalid="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", category=RuntimeWarning)  # a column may hold NaN alone
        limit = WINSOR * 1.4826 * np.nanmedian(np.abs(returns), axis=0)
    limit[~(limit > 0)] = np.inf
    return np.clip(returns, -limit, limit), [str(symbol) for symbol in symbols]


def _others(returns: Floats) -> Floats:
    """Mean of the other symbols' returns by row and symbol, NaN where there are fewer than two."""
    known = ~np.isnan(returns)
    own = np.where(known, returns, 0.0)
    count = known.sum(axis=1, keepdims=True) - known
    total = own.sum(axis=1, keepdims=True) - own
    return np.where(count >= MIN_OTHERS, total / np.maximum(count, 1), np.nan)


def _possible_lags(bar_length: timedelta, most: int) -> list[int]:
    """Shifts in bars that a stamp at the close or a time zone makes, at most `most`, not 0."""
    zones = [
        step * ZONE_STEP // bar_length
        for step in range(1, MAX_SHIFT // ZONE_STEP + 1)
        if step * ZONE_STEP % bar_length == timedelta(0)
    ]
    late = sorted({1, *zones} & set(range(1, most + 1)))
    return [*late, *(-lag for lag in late)]


def _correlations(own: Floats, market: Floats, lag: int) -> tuple[Floats, Floats]:
    """Pearson's r by symbol of returns that are `lag` bars late, and the pairs they have.

    NaN for fewer than 100 pairs, or without variation.
    """
    count = len(own) - abs(lag)
    x, y = own[max(lag, 0) :][:count], market[max(-lag, 0) :][:count]
    both = ~(np.isnan(x) | np.isnan(y))
    pairs = both.sum(axis=0).astype(np.float64)
    size = np.maximum(pairs, 1.0)
    x, y = np.where(both, x, 0.0), np.where(both, y, 0.0)
    x = np.where(both, x - x.sum(axis=0) / size, 0.0)
    y = np.where(both, y - y.sum(axis=0) / size, 0.0)
    scale = np.sqrt((x * x).sum(axis=0) * (y * y).sum(axis=0))
    enough = (pairs >= MIN_PAIRS) & (scale > 0)
    r = (x * y).sum(axis=0) / np.where(enough, scale, 1.0)
    return np.where(enough, r, np.nan), pairs


def _doubt(own: pd.DataFrame, lag: Lag, bar_length: timedelta) -> pd.DataFrame:
    """The doubt about a shifted symbol, at its last bar; `value` is the lag in seconds."""
    reason = STAMPED_AT_CLOSE if lag.bars == 1 else TIME_SHIFT
    seconds = np.array([lag.bars * bar_length.total_seconds()])
    return flagged("bars", own.iloc[-1:], np.array([reason]), seconds)


def refuse_time_shifts(
    bars: pd.DataFrame, reference: pd.DataFrame, bar_length: timedelta, *, source: str
) -> None:
    """Raise `DataError` when bars of `source` do not keep the time of `reference`."""
    shifts = time_shifts(bars, reference, bar_length)
    if shifts.empty:
        return
    listed = "; ".join(
        f"{symbol} by {timedelta(seconds=abs(value))} {'late' if value > 0 else 'early'} ({reason})"
        for symbol, value, reason in zip(
            shifts["symbol"], shifts["value"].tolist(), shifts["reason"], strict=True
        )
    )
    raise DataError(
        f"{source}: column ts: returns of {len(shifts)} symbols agree with the other source only "
        f"when they are moved: {listed}. ts is the bar's open in UTC: correct the time zone, or "
        "shift a file that is stamped at the close"
    )
