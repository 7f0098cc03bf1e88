"""Bars of a longer timeframe of a panel, and on which of its own bars each is first known.

A longer bar is seen from the primary bar on that ends with it: by `available_at`, and never before
the last of its rows has come. What row t sees therefore depends on rows up to t alone. The bar
that is still open is not there, and neither is one that began before the data did.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError, DataError, LookAheadError
from quant_assets.core.venues import format_duration, parse_duration
from quant_assets.quant.market.bar_panel import FIELDS, BarPanel
from quant_assets.quant.market.bars import Instants
from quant_assets.quant.market.data_window import DataWindow
from quant_assets.quant.market.resample import DAY, BarArrays, BarLength, resample_panel
from quant_assets.quant.market.timeframes import Timeframe, align

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
TIMES = ("ts", "available_at")
# What flows adds up over a longer bar, what stands is read at its end, a spread is an average.
EXTRAS: Mapping[str, str] = {
    "funding": "sum",
    "funding_rate": "sum",
    "liquidated_long": "sum",
    "liquidated_short": "sum",
    "open_interest": "last",
    "spot_close": "last",
    "spread": "mean",
}


def timeframe_length(timeframe: str, *, primary: timedelta | None = None) -> timedelta:
    """Length of the bars that `5m`, `1h` or `1d` names.

    primary : length of the bars they are made of. Raises `ConfigError` for another spelling, and
    for a timeframe that is shorter than the primary one or no multiple of it, or would begin at
    other times on every day.
    """
    try:
        length = parse_duration(timeframe)
    except ValueError as cause:
        raise ConfigError(f"timeframe {cause}") from None
    if not isinstance(length, timedelta) or not isinstance(timeframe, str) or not length:
        raise ConfigError(f"timeframe {timeframe!r} is none; write for example 5m, 1h or 1d")
    if primary is not None and (length < primary or length % primary):
        wrong = "shorter than" if length < primary else "no whole multiple of"
        raise ConfigError(
            f"timeframe {timeframe} is {wrong} the bars of {format_duration(primary)}"
        )
    try:
        BarLength(length, length)
    except ConfigError as cause:
        raise ConfigError(f"timeframe {timeframe}: {cause}") from None
    return length


@dataclass(frozen=True)
class LongerBars:
    """Longer bars of a panel, as `longer_bars` makes them.

    bars : those that were known by the end of the panel; their `available_at` is when they were,
        their extras those that it is said how to make longer.
    completeness : share of a whole bar's rows that had a close, `(bar, symbol)`.
    rows : the latest bar known at each bar of the primary clock, -1 without one, shape (time,).
    """

    bars: BarPanel
    completeness: Floats
    rows: Integers

    def on_primary(self, values: Floats) -> Floats:
        """Values of the longer bars `(bar, symbol)` on the primary clock; NaN where none is known.

        Arrays of another shape are a `DataError`.
        """
        if values.shape != self.bars.close.shape:
            raise DataError(
                f"values of the longer bars have shape {values.shape}; it must be "
                f"{self.bars.close.shape}"
            )
        if len(values) == 0:
            return np.full((len(self.rows), values.shape[1]), np.nan)
        spread = values[self.rows]
        spread[self.rows < 0] = np.nan
        return spread

    def columns(self) -> dict[str, Floats]:
        """`open` to `volume` and extras on the primary clock; two times as microseconds.

        `ts` and `available_at` are whole numbers of microseconds since 1970 in UTC.
        """
        shape = self.bars.close.shape
        found = {name: self.on_primary(values) for name, values in self.bars.columns().items()}
        for name in TIMES:
            moments = getattr(self.bars, name).astype(np.int64).astype(np.float64)
            found[name] = self.on_primary(np.broadcast_to(moments[:, None], shape))
        return found


def longer_bars(
    bars: BarPanel,
    timeframe: str | BarLength,
    *,
    max_age: timedelta = timedelta.max,
    extras: Mapping[str, str] | None = None,
) -> LongerBars:
    """Bars of a longer timeframe: first open, highest high, lowest low, last close, volume summed.

    timeframe : `1h`, whose bars begin with the days of `bars.sessions` (bars of a day or more are
        put together by the dates that they are stamped with, in UTC); a `BarLength` for other
        days. Its `rows` must be the length of `bars`.
    max_age : how long after its `available_at` a bar still counts.
    extras : how each extra is made longer, a name of `WAYS`; None: `EXTRAS`, as far as the bars
        have them. Others are left out. They are known with their bar.

    A cell without a close in any row of its bar is a gap: NaN prices, volume 0; an extra that no
    row of the bar knows is NaN. Raises `ConfigError` for lengths that do not fit and ways that
    there are not, `LookAheadError` for bars that claim to be known before they end.
    """
    if not isinstance(timeframe, BarLength):
        timeframe = length_on(bars, timeframe_length(timeframe, primary=bars.bar_length))
    if timeframe.rows != bars.bar_length:
        raise ConfigError(
            f"the bars are of {bars.bar_length}, not of {timeframe.rows} as the timeframe says"
        )
    ways = {name: way for name, way in EXTRAS.items() if name in bars.extras}
    ways = dict(ways if extras is None else extras)
    for name, way in ways.items():
        if way not in WAYS:
            raise ConfigError(f"extra {name!r} is made longer by {way!r}; known: {', '.join(WAYS)}")
    ends = bars.ts + np.timedelta64(bars.bar_length)
    if bars.bar_length < DAY and (bars.available_at < ends).any():
        row = int(np.argmax(bars.available_at < ends))
        raise LookAheadError(
            f"row {row} at {bars.ts[row]} UTC is available at {bars.available_at[row]}, before its "
            f"bar of {bars.bar_length} ends"
        )
    fields = (bars[name] for name in FIELDS)
    made = resample_panel(BarArrays(bars.ts, bars.available_at, *fields), timeframe)
    came = _comes_with(bars.ts, ends, made.ts, timeframe)
    kept = (came < len(bars)) & (made.ts >= bars.ts[:1])
    cut: dict[str, Any] = {name: np.ascontiguousarray(getattr(made, name)[kept]) for name in FIELDS}
    first = np.searchsorted(bars.ts, made.ts)
    longer = BarPanel(
        made.ts[kept],
        bars.symbols,
        timeframe.bars,
        **cut,
        available_at=made.available_at[kept],
        extras={name: WAYS[way](bars[name], first)[kept] for name, way in ways.items()},
        sessions=bars.sessions,
    )
    rows = _known_rows(bars, longer, came[kept], max_age)
    return LongerBars(longer, made.completeness[kept], rows)


def length_on(bars: BarPanel, length: timedelta) -> BarLength:
    """Bars of that length made of these, on the days of their exchange.

    Bars of a day or more are put together by the dates that they are stamped with, in UTC.
    """
    if bars.bar_length >= DAY:  # a daily bar is stamped with its date
        return BarLength(length, bars.bar_length)
    zone, begins = bars.sessions
    return BarLength(length, bars.bar_length, time_zone=zone, anchor=begins)


def _summed(values: Floats, first: Integers) -> Floats:
    """Sums of the known values from each row of `first` to the next; NaN without any."""
    if len(first) == 0:
        return np.empty((0, values.shape[1]))
    known = np.isfinite(values)
    total = np.add.reduceat(np.where(known, values, 0.0), first, axis=0)
    return np.where(np.add.reduceat(known, first, axis=0) > 0, total, np.nan)


def _averaged(values: Floats, first: Integers) -> Floats:
    """Means of the known values from each row of `first` to the next; NaN without any."""
    if len(first) == 0:
        return np.empty((0, values.shape[1]))
    known = np.add.reduceat(np.isfinite(values).astype(np.float64), first, axis=0)
    return _summed(values, first) / np.where(known > 0.0, known, np.nan)


def _latest(values: Floats, first: Integers) -> Floats:
    """The last known value from each row of `first` to the next; NaN without any."""
    rows = np.where(np.isfinite(values), np.arange(len(values))[:, None], -1)
    last = np.maximum.accumulate(rows, axis=0)[np.append(first[1:], len(values)) - 1]
    found = np.take_along_axis(values, np.maximum(last, 0), axis=0) if len(values) else values
    return np.where(last >= first[:, None], found, np.nan)


WAYS: Mapping[str, Callable[[Floats, Integers], Floats]] = {
    "sum": _summed,
    "mean": _averaged,
    "last": _latest,
}


def _comes_with(ts: Instants, ends: Instants, begins: Instants, length: BarLength) -> Integers:
    """The row with which each longer bar is complete: its last, or the first at its end or later.

    The number of rows where it has not come yet.
    """
    first = np.searchsorted(ts, begins)
    after = np.append(first[1:], len(ts))
    found, whole = after - first, length.whole_rows(begins)
    if length.rows_per_bar is not None and (found > whole).any():
        bar = int(np.argmax(found > whole))
        raise DataError(
            f"the bar at {begins[bar]} UTC has {found[bar]} rows; rows_per_bar is {whole[bar]}"
        )
    over = np.searchsorted(ends, length.ends(begins))
    return np.asarray(np.where(found >= whole, after - 1, over), dtype=np.int64)


def _known_rows(bars: BarPanel, longer: BarPanel, came: Integers, max_age: timedelta) -> Integers:
    """Position of the latest longer bar known at each row of `bars`, -1 without one."""
    decided = np.maximum.accumulate(bars.available_at)
    clock, source = (
        Timeframe(timedelta(0), ts, known, np.zeros(len(ts), dtype=np.int64), ("",), {})
        for ts, known in ((bars.ts, decided), (longer.ts, longer.available_at))
    )
    known = align(source, clock=clock, max_age=max_age).source_rows()
    here = np.searchsorted(came, np.arange(len(bars)), side="right") - 1
    return np.minimum(known, here)


def timeframe_columns(bars: BarPanel, *timeframes: str) -> dict[str, Floats]:
    """`1h.open` to `1h.volume`, extras, `1h.ts` and `1h.available_at` per timeframe.

    Arrays `(time, symbol)`. Give them as `indicators` of a bar strategy or as what a middleware
    prepares; `current_bar` reads them. See `LongerBars.columns`.
    """
    return {
        f"{timeframe}.{name}": values
        for timeframe in timeframes
        for name, values in longer_bars(bars, timeframe).columns().items()
    }


@dataclass(frozen=True)
class CurrentBar:
    """The latest bar of a timeframe that was known at a decision; fields are `(symbol,)`.

    ts : its open time. available_at : when it was known.
    """

    timeframe: str
    ts: np.datetime64
    available_at: np.datetime64
    fields: Mapping[str, Floats]

    def __getitem__(self, name: str) -> Floats:
        """A field by name; an unknown one is a `DataError`."""
        if name not in self.fields:
            raise DataError(f"a bar has no {name!r}; it has {', '.join(self.fields)}")
        return self.fields[name]


def current_bar(window: DataWindow, timeframe: str) -> CurrentBar | None:
    """The latest bar of `timeframe` that is known at the window's decision; None without one.

    The window must show the `timeframe_columns`; a `DataError` says so where it does not. Nothing
    but the window is read, so there is no later bar to be had.
    """
    if f"{timeframe}.ts" not in window.names:
        shown = [name.removesuffix(".ts") for name in window.names if name.endswith(".ts")]
        raise DataError(
            f"the window shows no bars of {timeframe!r} (of {', '.join(shown) or 'none'}): return "
            f"timeframe_columns(bars, {timeframe!r}) from indicators(bars)"
        )
    times = [window[f"{timeframe}.{name}", -1] for name in TIMES]
    if np.isnan(times[0]).all():
        return None
    opened, known = (np.datetime64(int(np.nanmax(one)), "us") for one in times)
    shown = [name for name in window.names if name.startswith(f"{timeframe}.")]
    names = [name.removeprefix(f"{timeframe}.") for name in shown]
    fields = {name: window[f"{timeframe}.{name}", -1] for name in names if name not in TIMES}
    return CurrentBar(timeframe, opened, known, fields)
