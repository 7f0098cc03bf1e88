"""Bars on the venue's grid: a missing bar becomes a gap row, never a filled price."""

from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.core.context import IngestionContext
from quant_assets.core.errors import DataError
from quant_assets.core.telemetry import Telemetry
from quant_assets.core.venues import Market
from quant_assets.core.windows import Window

Instants = npt.NDArray[np.datetime64]
Positions = npt.NDArray[np.intp]
ALWAYS_OPEN = "24/7"
LEAST_SHARE = 0.5
_ABSENT = {"open": np.nan, "high": np.nan, "low": np.nan, "close": np.nan, "volume": 0.0}


def instant(moment: datetime) -> np.datetime64:
    """Convert an aware moment to a UTC `datetime64[us]`, the unit of `instants`."""
    return pd.Timestamp(moment).tz_convert("UTC").tz_localize(None).as_unit("us").to_datetime64()


def instants(column: pd.Series) -> Instants:
    """Read a `datetime64[us, UTC]` column as UTC `datetime64[us]`, without a time zone."""
    return column.to_numpy(dtype="datetime64[us]")


def microseconds(moments: Instants) -> npt.NDArray[np.int64]:
    """UTC `datetime64[us]` as read-only int64 microseconds since 1970, without a copy.

    The one place that turns an instant into an integer: it knows the unit, and NaT is the least.
    """
    if moments.dtype != np.dtype("datetime64[us]"):
        raise DataError(f"instants are {moments.dtype}; convert them to datetime64[us]")
    return sealed(moments.view(np.int64))


def days_since_1970(moments: Instants) -> npt.NDArray[np.int64]:
    """UTC days from the first of January 1970, a Thursday, to each instant."""
    days: npt.NDArray[np.int64] = (
        moments.astype("datetime64[D]") - np.datetime64(0, "D")
    ) // np.timedelta64(1, "D")
    return days


def months_since_1970(moments: Instants) -> npt.NDArray[np.int64]:
    """UTC months from January 1970 to each instant."""
    months: npt.NDArray[np.int64] = (
        moments.astype("datetime64[M]") - np.datetime64(0, "M")
    ) // np.timedelta64(1, "M")
    return months


def sealed(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A read-only view in one piece: so each kernel is compiled for one kind of array only."""
    view = np.ascontiguousarray(values).view()
    view.flags.writeable = False
    return view


def to_column(moments: Instants) -> pd.Series:
    """UTC `datetime64[us]` values as a `datetime64[us, UTC]` column."""
    return pd.Series(pd.DatetimeIndex(moments).as_unit("us").tz_localize("UTC"))


def bar_step(market: Market) -> np.timedelta64:
    """Length of the market's bars in the unit of `instants`."""
    step: np.timedelta64 = np.timedelta64(market.bar_length).astype("timedelta64[us]")
    return step


def rows_of_window(ts: Instants, window: Window) -> slice:
    """Positions of the rows of sorted `ts` with `window.start <= ts < window.end`."""
    first, after = np.searchsorted(ts, np.array([instant(window.start), instant(window.end)]))
    return slice(int(first), int(after))


def first_row(ts: Instants, start: datetime | None) -> int:
    """Row of the first of sorted `ts` at `start` or after it, their number where none is.

    start : None: the first of all.
    """
    return 0 if start is None else int(np.searchsorted(ts, instant(start)))


def clean_bars(
    context: IngestionContext,
    telemetry: Telemetry,
    *,
    raw_bars: pd.DataFrame,
    sessions: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """One window of raw bars on the venue's grid, with a row for each missing bar.

    The grid of a 24/7 venue is every `bar_length` from the first to the last `ts` in the window
    over all symbols. Elsewhere it is the bars of the exchange's `sessions` where they are known
    (see `session_times`), so a holiday is no gap and a day that nobody delivered is one; else the
    union of the `ts` present. A symbol gets gap rows (NaN prices, volume 0, `is_gap`) strictly
    between its own first and last bar in the window; `available_at` of a gap row is when its bar
    would have been published. A bar outside of the sessions stays, and no other symbol misses it.
    Raises `DataError` for a bar of a 24/7 venue that lies off the grid.
    """
    bars = raw_bars.iloc[rows_of_window(instants(raw_bars["ts"]), context.window)]
    if len(bars) == 0:
        from quant_assets.contracts.bars import Bars  # with pandera, 0.2 s

        return Bars.empty()
    columns, symbols = pd.factorize(bars["symbol"], sort=True)
    rows, grid, counts = _on_grid(context, bars, sessions)
    inside = _lifetimes(rows, columns, shape=(len(grid), len(symbols))) & counts[:, None]
    inside[rows, columns] = True
    n_rows = int(np.count_nonzero(inside))
    n_gaps = n_rows - len(bars)
    telemetry.log_metrics("bars", {"rows": float(n_rows), "gaps": float(n_gaps)})
    if n_gaps == 0:
        return bars.reset_index(drop=True)
    position = np.cumsum(inside.ravel())[rows * len(symbols) + columns] - 1
    grid_rows, grid_columns = np.nonzero(inside)
    return _with_gaps(context, bars, position, grid[grid_rows], symbols.take(grid_columns))


def session_times(market: Market, ts: Instants, sessions: pd.DataFrame | None) -> Instants | None:
    """Times of the exchange's bars, or None where the observed grid has to do.

    ts : times of the venue's bars. sessions : a `Sessions` frame; None or without rows where the
    venue names no calendar that is known. A calendar counts when at least half of the distinct
    times are among its bars; a source that stamps otherwise (hours on the clock, where the
    exchange opens at half past) is not told to be all wrong.
    """
    if market.calendar == ALWAYS_OPEN or sessions is None or sessions.empty:
        return None
    times = instants(sessions["ts"])
    distinct = np.unique(ts)
    if len(distinct) and np.isin(distinct, times).mean() < LEAST_SHARE:
        return None
    return times


def _on_grid(
    context: IngestionContext, bars: pd.DataFrame, sessions: pd.DataFrame | None
) -> tuple[Positions, Instants, npt.NDArray[np.bool_]]:
    """Grid row of every bar, the grid, and which of its times every symbol ought to have."""
    ts = instants(bars["ts"])
    if context.market.calendar != ALWAYS_OPEN:
        times = session_times(context.market, ts, sessions)
        grid = np.unique(ts) if times is None else np.union1d(times, ts)
        grid = grid[(grid >= ts[0]) & (grid <= ts[-1])]
        counts = np.ones(len(grid), dtype=bool) if times is None else np.isin(grid, times)
        return np.searchsorted(grid, ts), grid, counts
    step = bar_step(context.market)
    offset = ts - ts[0]
    rows = (offset // step).astype(np.intp)
    off = np.flatnonzero(offset != rows * step)
    if len(off):
        bar = bars.iloc[int(off[0])]
        raise DataError(
            f"{context.venue}/{bar['symbol']}: {len(off)} bars do not lie on the grid of "
            f"{context.market.bar_length} that starts at {ts[0]} UTC, the first at {ts[off[0]]}. "
            "Mend the source, or set market.bar_length to what it delivers."
        )
    grid = ts[0] + step * np.arange(rows[-1] + 1)
    return rows, grid, np.ones(len(grid), dtype=bool)


def _lifetimes(
    rows: Positions, columns: Positions, *, shape: tuple[int, int]
) -> npt.NDArray[np.bool_]:
    """Mark the cells (time, symbol) from each symbol's first to its last bar; `rows` is sorted."""
    first, last = np.zeros(shape[1], dtype=np.intp), np.zeros(shape[1], dtype=np.intp)
    first[columns[::-1]] = rows[::-1]
    last[columns] = rows
    grid = np.arange(shape[0])[:, None]
    return np.asarray((grid >= first) & (grid <= last))


def _with_gaps(
    context: IngestionContext,
    bars: pd.DataFrame,
    position: Positions,
    ts: Instants,
    symbols: Any,
) -> pd.DataFrame:
    """All rows `ts` x `symbols`; bar i goes to row `position[i]`, the other rows are gaps."""
    delay = context.market.bar_length + context.market.publication_delay
    available_at = ts + np.timedelta64(delay)
    available_at[position] = instants(bars["available_at"])
    is_gap = np.ones(len(ts), dtype=bool)
    is_gap[position] = bars["is_gap"].to_numpy(dtype=bool)
    values: dict[str, pd.Series] = {}
    for name, absent in _ABSENT.items():
        column = np.full(len(ts), absent)
        column[position] = bars[name].to_numpy(dtype=np.float64)
        values[name] = pd.Series(column)
    return pd.DataFrame(
        {
            "ts": to_column(ts),
            "available_at": to_column(available_at),
            "symbol": pd.Series(symbols, dtype="str"),
            **values,
            "is_gap": pd.Series(is_gap),
        }
    )


def recent_bars(bars: pd.DataFrame, window: Window, *, lookback: int) -> pd.DataFrame:
    """Select the window's rows and those of the last `lookback` grid rows before it."""
    ts = instants(bars["ts"])
    inside = rows_of_window(ts, window)
    begins = np.flatnonzero(np.concatenate([[True], ts[1:] != ts[:-1]])[: inside.start])
    first = inside.start if lookback == 0 else int(begins[-lookback:][0]) if len(begins) else 0
    return bars.iloc[first : inside.stop]


def known_at(bars: pd.DataFrame) -> Instants:
    """When all bars up to a grid row were known, one instant per `ts` of the frame, in order."""
    ts = instants(bars["ts"])
    begins = np.flatnonzero(np.concatenate([[True], ts[1:] != ts[:-1]]))
    latest = np.maximum.reduceat(instants(bars["available_at"]), begins)
    return np.maximum.accumulate(latest)
