"""Performance as a path: losses from the peak.

Equity starts at 1.0 before the first return, and that is a peak too. NaN rows are left out.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.quant.analytics.series import (
    Figure,
    as_columns,
    one_series,
    per_strategy,
)
from quant_assets.quant.market.panel import Floats

RECOVERED = -1e-12


def _path(series: Floats) -> Floats:
    wealth = np.r_[1.0, np.cumprod(1.0 + series)]
    path = (wealth / np.maximum.accumulate(wealth) - 1.0)[1:]
    return np.where(path > RECOVERED, 0.0, path)


def underwater(returns: npt.ArrayLike) -> Floats:
    """Distance from the highest equity so far, <= 0, in the shape of `returns`; NaN on NaN rows.

    equity_t / max(1, equity_1 … equity_t) - 1, exactly 0 at a peak (rounding below 1e-12 counts as
    recovered).
    """
    columns = as_columns(returns)
    path = np.full(columns.shape, np.nan)
    for k, column in enumerate(columns.T):
        present = ~np.isnan(column)
        path[present, k] = _path(column[present])
    return path.reshape(np.shape(returns))


def max_drawdown(returns: npt.ArrayLike) -> Figure:
    """Deepest point of `underwater`: negative, or 0 without a loss. NaN without rows."""
    return per_strategy(returns, lambda series: _path(series).min() if len(series) else np.nan)


def drawdown_duration(returns: npt.ArrayLike) -> Figure:
    """Longest unbroken run of rows under water, in rows; an open drawdown counts."""
    return per_strategy(returns, lambda series: float(max(_runs(_path(series))[2], default=0)))


def _runs(path: Floats) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], list[int]]:
    """Find the runs under water: first rows, rows after the last, lengths."""
    below = np.r_[False, path < 0.0, False]
    starts = np.flatnonzero(below[1:] & ~below[:-1])
    ends = np.flatnonzero(below[:-1] & ~below[1:])
    return starts, ends, (ends - starts).tolist()


def drawdown_table(returns: npt.ArrayLike, ts: pd.DatetimeIndex, top: int = 5) -> pd.DataFrame:
    """List the `top` deepest drawdowns of one series, deepest first (ties: earlier first).

    Columns: `start` (first row under water), `trough`, `recovery` (first row back at the peak, NaT
    while open), `depth` (negative fraction), `length` (rows under water), `peak` (last row at the
    peak, NaT where that is the start of the series), `rows_down` (from the peak to the trough) and
    `rows_up` (from the trough to the recovery, -1 while open); rows_down + rows_up = length + 1.
    """
    values = one_series(returns, len(ts))
    present = ~np.isnan(values)
    path = _path(values[present])
    starts, ends, lengths = _runs(path)
    troughs = np.array(
        [a + int(path[a:b].argmin()) for a, b in zip(starts, ends, strict=True)], dtype=np.intp
    )
    order = np.argsort(path[troughs], kind="stable")[:top]
    starts, troughs, ends = starts[order], troughs[order], ends[order]
    never = pd.DatetimeIndex([pd.NaT], tz="UTC").as_unit("us")
    times = ts[present].as_unit("us").append(never)
    return pd.DataFrame(
        {
            "start": times.take(starts),
            "trough": times.take(troughs),
            "recovery": times.take(ends),
            "depth": path[troughs],
            "length": np.array(lengths, dtype=np.int64)[order],
            "peak": times.take(np.where(starts > 0, starts - 1, len(path))),
            "rows_down": (troughs - starts + 1).astype(np.int64),
            "rows_up": np.where(ends < len(path), ends - troughs, -1).astype(np.int64),
        }
    )
