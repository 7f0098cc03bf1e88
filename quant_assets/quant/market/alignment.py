"""Whether two sources of one market tell the same clock: the lag at which their returns agree.

A source whose bars are stamped at their close lies one bar late; one in another time zone, hours.
"""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.contracts.doubts import Doubts
from quant_assets.core.errors import DataError
from quant_assets.quant.market.bars import instants
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
            reason = STAMPED_AT_CLOSE if lag.bars == 1 else TIME_SHIFT
            value = np.array([lag.bars * bar_length.total_seconds()])
            parts.append(flagged("bars", own.iloc[-1:], np.array([reason]), value))
    return united(parts)


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
