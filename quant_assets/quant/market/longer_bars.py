"""Bars of a longer timeframe of a panel, and on which of its own bars each is first known.

A longer bar is seen from the primary bar on that ends with it: by `available_at`, and never before
the last of its rows has come. What row t sees therefore depends on rows up to t alone. The bar
that is still open is not there, and neither is one that began before the data did.
"""

from collections.abc import Mapping
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

    bars : those that were known by the end of the panel; their `available_at` is when they were.
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
        """`open` to `volume` on the primary clock; `ts` and `available_at` as microseconds.

        Those two are whole numbers of microseconds since 1970 in UTC.
        """
        shape = self.bars.close.shape
        found = {name: self.on_primary(self.bars[name]) for name in FIELDS}
        for name in TIMES:
            moments = getattr(self.bars, name).astype(np.int64).astype(np.float64)
            found[name] = self.on_primary(np.broadcast_to(moments[:, None], shape))
        return found


def longer_bars(
    bars: BarPanel, timeframe: str | BarLength, *, max_age: timedelta = timedelta.max
) -> LongerBars:
    """Bars of a longer timeframe: first open, highest high, lowest low, last close, volume summed.

    timeframe : `1h`, whose bars begin with the UTC day; a `BarLength` for other sessions. Its
        `rows` must be the length of `bars`.
    max_age : how long after its `available_at` a bar still counts.

    A cell without a close in any row of its bar is a gap: NaN prices, volume 0. Extras are left
    out. Raises `ConfigError` for lengths that do not fit, `LookAheadError` for bars that claim to
    be known before they end.
    """
    if not isinstance(timeframe, BarLength):
        timeframe = BarLength(timeframe_length(timeframe, primary=bars.bar_length), bars.bar_length)
    if timeframe.rows != bars.bar_length:
        raise ConfigError(
            f"the bars are of {bars.bar_length}, not of {timeframe.rows} as the timeframe says"
        )
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
    longer = BarPanel(
        made.ts[kept],
        bars.symbols,
        timeframe.bars,
        **cut,
        available_at=made.available_at[kept],
    )
    rows = _known_rows(bars, longer, came[kept], max_age)
    return LongerBars(longer, made.completeness[kept], rows)


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
    """`1h.open` to `1h.volume`, `1h.ts` and `1h.available_at` `(time, symbol)` per timeframe.

    Give them as `indicators` of a bar strategy or as what a middleware prepares; `current_bar`
    reads them. See `LongerBars.columns`.
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
    fields = {name: window[f"{timeframe}.{name}", -1] for name in FIELDS}
    return CurrentBar(timeframe, opened, known, fields)
