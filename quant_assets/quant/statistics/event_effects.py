"""What happens after events: means with calendar-time errors, one cell or tens of thousands.

Overlapping outcomes and events that hit many symbols at once are not independent. Outcomes are
summed per bar, bars are weighted by Bartlett's triangle, and the degrees of freedom count days,
weighted by how evenly the events fall on them. A naive t-test of the same outcomes rejects 40 % of
true nulls on twelve pooled perpetuals.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.market.panel import Floats
from quant_assets.quant.statistics.distributions import Tail, two_sided_p_value

if TYPE_CHECKING:
    from quant_assets.quant.statistics.event_kernel import Events, Panel

__all__ = [
    "EventEffect",
    "EventScan",
    "OutcomeWindows",
    "ScanEvents",
    "ScanPanel",
    "event_effect",
    "scan_events",
]

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class EventEffect:
    """Mean outcome of one set of events.

    effective_days : G_eff = (sum of n_day)^2 / sum of n_day^2
    t_value, p_value : NaN with too few days or outcomes that do not vary
    """

    mean: float
    standard_error: float
    t_value: float
    p_value: float
    n_events: int
    n_excluded: int
    effective_days: float
    lags: int


@dataclass(frozen=True)
class EventScan:
    """Effects of all cells, shape (group, kind, horizon, bucket) each.

    n_events : outcomes known; mean, t_value and p_value : NaN where there are none
    p_value : NaN also below `min_events`; effective_days : see `EventEffect`
    """

    n_events: Integers
    mean: Floats
    standard_error: Floats
    t_value: Floats
    p_value: Floats
    effective_days: Floats


def event_effect(
    outcomes: npt.ArrayLike,
    bars: npt.ArrayLike,
    days: npt.ArrayLike,
    *,
    horizon_bars: int,
    lags: int | None = None,
    tail: Tail = "t",
) -> EventEffect:
    """Test whether the mean outcome of events is 0.

    Variance `1/n^2 sum over bars s, t of (1 - |s - t| / (L + 1)) u_s u_t`, u_t the sum of the
    demeaned outcomes that begin at bar t; L = 2 horizons. The t distribution has G_eff - 1 degrees
    of freedom. Newey & West (1987) in calendar time: Driscoll & Kraay (1998).

    Parameters
    ----------
    outcomes : shape (event,)
        Return of each event's forward window; NaN = not known: excluded and counted.
    bars, days : shape (event,), integers
        Bar at which the event was known, on one clock for all symbols, and that bar's day.
    horizon_bars : int
        Length of the forward windows.
    lags : int, optional
        L; None: `2 horizon_bars`.
    tail : {"t", "normal"}
        Distribution of the p-value.
    """
    from quant_assets.quant.statistics import event_kernel as kernel

    y = np.asarray(outcomes, dtype=np.float64)
    at = _whole("bars", bars).astype(np.int64)
    day = _whole("days", days).astype(np.int64)
    if not y.ndim == at.ndim == day.ndim == 1 or not len(y) == len(at) == len(day):
        raise DataError(f"outcomes {y.shape}, bars {at.shape}, days {day.shape}: one entry each")
    if np.isinf(y).any():
        raise DataError(f"event {int(np.flatnonzero(np.isinf(y))[0])} has an infinite outcome")
    width = _plan(np.array([horizon_bars]), lags, 0)[0, 1]
    known = np.flatnonzero(~np.isnan(y))
    known = known[np.argsort(at[known], kind="stable")]
    n = len(known)
    mean, variance, effective = float("nan"), float("nan"), float("nan")
    if np.any(np.diff(day[known]) < 0):
        raise DataError("a later bar belongs to an earlier day: days must follow the bars")
    if n > 0:
        work = kernel.scratch(n)
        work.value[:] = y[known]
        work.bar[:] = _codes("bars", at[known] - at[known[0]])
        work.day[:] = _codes("days", day[known] - day[known[0]])
        mean = float(work.value.sum()) / n
        variance = kernel.variance_of_mean(n, mean, int(width), work)
        effective = kernel.effective_days(n, work.day)
    error = float(np.sqrt(variance))
    t_value = mean / error
    return EventEffect(
        mean=mean,
        standard_error=error,
        t_value=t_value,
        p_value=float(two_sided_p_value(t_value, effective - 1.0, tail)),
        n_events=n,
        n_excluded=len(y) - n,
        effective_days=effective,
        lags=int(width),
    )


@dataclass(frozen=True)
class ScanPanel:
    """What events are looked up in; arrays in any memory order, columns contiguous is fastest.

    log_prices : (time, symbol); NaN where there is none
    conditions : (time, symbol), integers: the bucket at each bar, negative for none; 127 at most
    days : (time,), integers that do not decrease: the day of each bar
    groups : (symbol,), integers from 0, optional: symbols of one group are pooled into the same
        cells. None: each symbol has cells of its own
    """

    log_prices: Floats
    conditions: npt.NDArray[np.integer]
    days: npt.NDArray[np.integer]
    groups: npt.NDArray[np.integer] | None = None


@dataclass(frozen=True)
class ScanEvents:
    """One row per event, shape (event,) each, integers from 0.

    symbol, bar : column and row of the panel; kind : which detector raised it
    """

    symbol: npt.NDArray[np.integer]
    kind: npt.NDArray[np.integer]
    bar: npt.NDArray[np.integer]


@dataclass(frozen=True)
class OutcomeWindows:
    """Bars over which outcomes are measured.

    horizons : shape (horizon,), integers >= 1
    lags : int or shape (horizon,), the L of each horizon; None: twice the horizon
    delay_bars : bars from the event to the price at which one could act; 1 for the next open
    """

    horizons: npt.ArrayLike
    lags: npt.ArrayLike | None = None
    delay_bars: int = 1


def scan_events(
    panel: ScanPanel,
    events: ScanEvents,
    windows: OutcomeWindows,
    *,
    min_events: int = 30,
    tail: Tail = "t",
) -> EventScan:
    """Test every cell of group x kind x horizon x bucket as `event_effect` does.

    The outcome of an event at bar t over a horizon of h bars is
    `log_prices[t + delay + h] - log_prices[t + delay]`; one that is not known is left out.
    Memory: 36 bytes for each event of the largest group; a copy of the panel unless its columns
    are contiguous.

    Parameters
    ----------
    panel, events : see `ScanPanel`, `ScanEvents`
        Events in any order; sorted by group, kind and bar is fastest.
    windows : see `OutcomeWindows`
        Over which bars outcomes are measured.
    min_events, tail : int, {"t", "normal"}
        Cells with fewer known outcomes get no p-value; the distribution of those that do.
    """
    from quant_assets.quant.statistics import event_kernel as kernel

    plan = _plan(np.asarray(windows.horizons), windows.lags, windows.delay_bars)
    table, rows = _panel(panel), _events(panel, events)
    n_groups = int(table.group.max(initial=-1)) + 1
    n_kinds = int(rows.kind.max(initial=-1)) + 1
    n_buckets = int(table.bucket.max(initial=-1)) + 1
    sizes = (n_groups, n_kinds * n_buckets, len(plan))
    out = kernel.Outputs(np.empty(sizes, dtype=np.int64), *(np.empty(sizes) for _ in range(3)))
    edges = np.empty(n_groups + 1, dtype=np.int64)
    ordered = kernel.edges_of(rows, table.group, edges)
    longest = int(np.diff(edges).max(initial=0))
    room = kernel.Room(kernel.cells_for(longest, sizes[1]), kernel.scratch(longest), n_buckets)
    if not ordered or not kernel.scan(rows, edges, table, plan, out, room):
        order = np.lexsort((rows.bar, table.group[rows.symbol]))
        rows = kernel.Events(*(column[order] for column in rows))
        kernel.scan(rows, edges, table, plan, out, room)
    if not np.isfinite(out.mean[out.n > 0]).all():
        bar, symbol = np.argwhere(np.isinf(table.prices.T))[0]
        raise DataError(f"log price of symbol {symbol} at bar {bar} is infinite: mend it")
    shape = (n_groups, n_kinds, n_buckets, len(plan))
    mean, variance, days = (
        np.asarray(column).reshape(shape).swapaxes(2, 3)
        for column in (out.mean, out.variance, out.days)
    )
    n = out.n.reshape(shape).swapaxes(2, 3)
    error = np.sqrt(variance)
    t_value = mean / error
    p_value = two_sided_p_value(t_value, days - 1.0, tail)
    p_value[n < min_events] = np.nan
    return EventScan(n, mean, error, t_value, p_value, days)


def _plan(horizons: npt.NDArray[np.integer], lags: npt.ArrayLike | None, delay: int) -> Integers:
    """Rows of (horizon, lag, delay), checked."""
    length = np.asarray(horizons, dtype=np.int64)
    width = np.broadcast_to(np.asarray(2 * length if lags is None else lags), length.shape)
    if length.ndim != 1 or (length < 1).any() or (width < 0).any() or delay < 0:
        raise ConfigError(
            f"horizons {length.tolist()} must be >= 1, lags {width.tolist()} and delay_bars "
            f"{delay} >= 0"
        )
    return np.stack([length, width, np.full_like(length, delay)], axis=1).astype(np.int64)


def _codes(name: str, values: npt.ArrayLike) -> npt.NDArray[np.int32]:
    """`values` as 32-bit integers from 0, writable and contiguous."""
    array = _whole(name, values)
    if array.size and (array.min() < 0 or array.max() >= np.iinfo(np.int32).max):
        raise DataError(
            f"{name} run from {array.min()} to {array.max()}: expected integers from 0 below 2^31"
        )
    return np.require(array, np.int32, ["C", "W"])


def _whole(name: str, values: npt.ArrayLike) -> npt.NDArray[np.integer]:
    array = np.asarray(values)
    if array.size and array.dtype.kind not in "iu":
        raise DataError(f"{name} have dtype {array.dtype}: expected integers")
    return array


def _panel(panel: ScanPanel) -> "Panel":
    from quant_assets.quant.statistics import event_kernel as kernel

    prices = np.asarray(panel.log_prices, dtype=np.float64)
    conditions = _whole("conditions", panel.conditions)
    groups = np.arange(prices.shape[-1]) if panel.groups is None else np.asarray(panel.groups)
    if (
        prices.ndim != 2
        or conditions.shape != prices.shape
        or np.shape(panel.days) != prices.shape[:1]
        or groups.shape != prices.shape[1:]
    ):
        raise DataError(
            f"log_prices {prices.shape} must be (time, symbol), conditions {conditions.shape} "
            f"alike, days {np.shape(panel.days)} (time,), groups {groups.shape} (symbol,)"
        )
    if conditions.max(initial=0) > np.iinfo(np.int8).max or np.any(np.diff(panel.days) < 0):
        raise DataError("conditions must be at most 127, and days must not decrease")
    days = np.asarray(panel.days)
    return kernel.Panel(
        np.require(prices.T, np.float64, ["C", "W"]),
        np.require(np.maximum(conditions, -1).T, np.int8, ["C", "W"]),
        _codes("days", days - days[:1]),
        _codes("groups", groups),
    )


def _events(panel: ScanPanel, events: ScanEvents) -> "Events":
    from quant_assets.quant.statistics import event_kernel as kernel

    named = {"symbol": events.symbol, "kind": events.kind, "bar": events.bar}
    rows = kernel.Events(*(_codes(name, column) for name, column in named.items()))
    n_times, n_symbols = np.shape(panel.log_prices)
    if not len(rows.symbol) == len(rows.kind) == len(rows.bar):
        raise DataError(f"events: {[len(column) for column in rows]} rows, expected as many each")
    if rows.symbol.max(initial=-1) >= n_symbols or rows.bar.max(initial=-1) >= n_times:
        raise DataError(f"an event lies outside the panel of {n_times} bars x {n_symbols} symbols")
    return rows
