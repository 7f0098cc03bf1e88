"""Which bars a window ought to have: gaps inside a symbol's rows, and at the window's edges.

`bars` has gap rows between a symbol's first and last bar of a window. A bar that is missing before
the first or after the last one shows only beside the window before, so it is found here.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.core.context import IngestionContext
from quant_assets.quant.market.bars import (
    ALWAYS_OPEN,
    Instants,
    bar_step,
    instant,
    instants,
    rows_of_window,
    session_times,
    to_column,
)
from quant_assets.quant.market.grid import grid_kind

Mask = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.intp]
_KEPT = ["ts", "available_at", "symbol", "is_gap"]


@dataclass(frozen=True, eq=False)
class Presence:
    """Bars that are expected in a window, and when the gaps at its start began.

    rows : ts, available_at, symbol, is_gap, sorted by (ts, symbol); a missing bar is known when it
        would have been published. begun_at : by symbol, the first bar that was missing when the
        window began, for those whose last bars of the window before are missing. grid : how the
        times are known, a value of `Quality.grid`.
    """

    rows: pd.DataFrame
    begun_at: Mapping[str, np.datetime64]
    grid: str


def presence(
    context: IngestionContext, bars: pd.DataFrame, sessions: pd.DataFrame | None = None
) -> Presence:
    """Find what is expected in the context's window.

    bars, sessions : rows of the window and of the one before it, gap rows included; `sessions` as
    in `clean_bars`.

    A symbol is expected from its first bar on, and from the window's start when it has a bar in the
    window before; it is expected up to the window's end, or up to the venue's newest bar when the
    data end inside the window. So a symbol that has no bar in a whole window is missing all of it,
    and from the next window on it is taken as gone until it has a bar again. No later row is read.
    """
    ts = instants(bars["ts"])
    inside = rows_of_window(ts, context.window)
    codes, names = pd.factorize(bars["symbol"].iloc[: inside.stop], sort=True)
    last = _last_before(codes, ts, ~bars["is_gap"].to_numpy(dtype=bool), inside, len(names))
    mine = ts[inside] if inside.stop > inside.start else ts[: inside.stop]
    times = session_times(context.market, mine, sessions)
    grid = _grid(context, ts, inside, times)
    start = grid[0] if len(grid) else np.datetime64("NaT")
    begins = np.where(np.isnat(last), _first(codes[inside], ts[inside], len(names)), start)
    expected = (grid[:, None] >= begins) & ~np.isnat(begins)
    if times is not None:
        expected &= np.isin(grid, times)[:, None]
    known = np.union1d(ts[: inside.start], grid) if times is None else times
    before = _next_bar(context, last, known)
    waiting = np.flatnonzero(before < instant(context.window.start))  # NaT is never less
    return Presence(
        _rows(context, bars.iloc[inside], codes[inside], names, grid, expected),
        dict(zip(names.take(waiting).tolist(), before[waiting], strict=True)),
        grid_kind(context.market, times),
    )


def _last_before(codes: Codes, ts: Instants, real: Mask, inside: slice, count: int) -> Instants:
    """Time of each symbol's last real bar before the window, NaT where it has none."""
    rows = np.flatnonzero(real[: inside.start])
    last = np.full(count, np.datetime64("NaT"), dtype="datetime64[us]")
    last[codes[rows]] = ts[rows]  # rows are in time, so the last one stays
    return last


def _first(codes: Codes, ts: Instants, count: int) -> Instants:
    first = np.full(count, np.datetime64("NaT"), dtype="datetime64[us]")
    first[codes[::-1]] = ts[::-1]
    return first


def _grid(
    context: IngestionContext, ts: Instants, inside: slice, times: Instants | None
) -> Instants:
    """Times at which the window has bars, up to what is known; without sessions as observed."""
    own = ts[inside]
    if context.market.calendar != ALWAYS_OPEN and times is None:
        return np.unique(own)
    if len(own) == 0 and (context.partial or inside.start == 0):
        return own
    step, start = bar_step(context.market), instant(context.window.start)
    end = own[-1] + step if context.partial else instant(context.window.end)
    if times is not None:
        return np.union1d(times[(times >= start) & (times < end)], own)
    anchor = own[0] if len(own) else ts[inside.start - 1]
    return np.arange(start + (anchor - start) % step, end, step)


def _next_bar(context: IngestionContext, last: Instants, times: Instants) -> Instants:
    """The bar that ought to follow each symbol's last one, NaT where there is none."""
    if context.market.calendar == ALWAYS_OPEN:
        return np.asarray(last + bar_step(context.market))
    after = np.searchsorted(times, last, side="right")
    padded = np.append(times, np.datetime64("NaT"))
    return np.where(np.isnat(last), np.datetime64("NaT"), padded[np.minimum(after, len(times))])


def _rows(
    context: IngestionContext,
    bars: pd.DataFrame,
    codes: Codes,
    names: pd.Index,
    grid: Instants,
    expected: Mask,
) -> pd.DataFrame:
    """The window's rows, and one for each cell (time, symbol) that is expected and not there."""
    absent = expected.copy()
    absent[np.searchsorted(grid, instants(bars["ts"])), codes] = False
    times, symbols = np.nonzero(absent)
    if len(times) == 0:
        return bars[_KEPT].reset_index(drop=True)
    market = context.market
    missing = pd.DataFrame(
        {
            "ts": to_column(grid[times]),
            "available_at": to_column(
                grid[times] + np.timedelta64(market.bar_length + market.publication_delay)
            ),
            "symbol": pd.Series(names.take(symbols), dtype="str"),
            "is_gap": np.ones(len(times), dtype=bool),
        }
    )
    rows = pd.concat([bars[_KEPT], missing], ignore_index=True)
    return rows.sort_values(["ts", "symbol"], kind="stable").reset_index(drop=True)
