"""The gap ledger: which bars are missing, how many in a row, and why as far as it is known."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.contracts.gap_ledger import GapLedger
from quant_assets.core.context import IngestionContext
from quant_assets.core.telemetry import Telemetry
from quant_assets.quant.market.bars import Instants, bar_step, instant, instants, to_column
from quant_assets.quant.market.presence import presence

UNKNOWN, WHOLE_VENUE, QUARANTINED = "unknown", "whole venue", "quarantined"
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class _Runs:
    """Runs of gap rows, each (run,): symbol codes, first and last row in (symbol, time) order."""

    symbols: npt.NDArray[np.intp]
    first: npt.NDArray[np.intp]
    last: npt.NDArray[np.intp]


def gap_ledger_window(
    context: IngestionContext,
    telemetry: Telemetry,
    *,
    bars: pd.DataFrame,
    raw_doubts: pd.DataFrame,
    sessions: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """One row per run of missing bars of a symbol in the window, a `GapLedger` frame.

    bars, sessions : the window and the one before it; see `presence` for what is expected.
    `until` is the `ts` of the bar that ends the run, and the run is known when that bar is. A run
    that no bar of the window ends is open: it lasts to the end of its last missing bar, and is
    known when that one ought to have been. Cause `quarantined`: a bar of the symbol that was set
    aside lies in the run. `whole venue`: all bars of the run are missing for every listed symbol,
    of which there are at least two. Else `unknown`.
    """
    found = presence(context, bars, sessions)
    is_gap = found.rows["is_gap"].to_numpy(dtype=bool)
    if not is_gap.any():
        telemetry.log_metrics("gap_ledger", {"runs": 0.0, "bars": 0.0})
        return GapLedger.empty()
    codes, names = pd.factorize(found.rows["symbol"], sort=True)
    order = np.argsort(codes, kind="stable")
    ts, known = instants(found.rows["ts"])[order], instants(found.rows["available_at"])[order]
    runs = _runs(codes[order], is_gap[order])
    until, available_at, is_open = _ends(context, codes[order], ts, known, runs)
    symbols = names.take(runs.symbols)
    ledger = pd.DataFrame(
        {
            "ts": to_column(ts[runs.first]),
            "available_at": to_column(available_at),
            "symbol": pd.Series(symbols, dtype="str"),
            "begun_at": to_column(_begins(runs, codes[order], ts, symbols, found.begun_at)),
            "until": to_column(until),
            "bars": pd.Series(runs.last - runs.first + 1).astype("int64"),
        }
    )
    venue = _inside(runs, _missed_by_all(found.rows, is_gap)[order])
    cause = np.where(
        _quarantined(ledger, raw_doubts), QUARANTINED, np.where(venue, WHOLE_VENUE, UNKNOWN)
    )
    ledger["cause"] = pd.Series(cause, dtype="str")
    ledger["open_at_end"] = is_open
    telemetry.log_metrics(
        "gap_ledger", {"runs": float(len(ledger)), "bars": float(ledger["bars"].sum())}
    )
    return ledger.sort_values(["ts", "symbol"]).reset_index(drop=True)


def _runs(codes: npt.NDArray[np.intp], is_gap: Mask) -> _Runs:
    other = np.concatenate([[True], codes[1:] != codes[:-1], [True]])
    first = np.flatnonzero(is_gap & (other[:-1] | ~np.concatenate([[False], is_gap[:-1]])))
    last = np.flatnonzero(is_gap & (other[1:] | ~np.concatenate([is_gap[1:], [False]])))
    return _Runs(codes[first], first, last)


def _begins(
    runs: _Runs,
    codes: npt.NDArray[np.intp],
    ts: Instants,
    symbols: pd.Index,
    begun_at: Mapping[str, np.datetime64],
) -> Instants:
    """First missing bar of each run; one at a symbol's first row may go on from before."""
    begins = ts[runs.first].copy()
    leads = (runs.first == 0) | (codes[runs.first - 1] != runs.symbols)
    for run, symbol in zip(np.flatnonzero(leads), symbols[leads].tolist(), strict=True):
        begins[run] = begun_at.get(symbol, begins[run])
    return begins


def _ends(
    context: IngestionContext,
    codes: npt.NDArray[np.intp],
    ts: Instants,
    known: Instants,
    runs: _Runs,
) -> tuple[Instants, Instants, Mask]:
    """When each run ends, when that is known, and whether no bar ends it in the window."""
    after = np.minimum(runs.last + 1, len(ts) - 1)
    closed = (after > runs.last) & (codes[after] == runs.symbols)
    last = np.minimum(ts[runs.last] + bar_step(context.market), instant(context.window.end))
    until = np.where(closed, ts[after], last)
    return until, np.where(closed, known[after], known[runs.last]), ~closed


def _missed_by_all(bars: pd.DataFrame, is_gap: Mask) -> Mask:
    """Mark rows at whose time at least two symbols are listed and none of them has a bar."""
    times, _ = pd.factorize(bars["ts"])
    listed, missing = np.bincount(times), np.bincount(times, weights=is_gap)
    return np.asarray(((missing == listed) & (listed > 1))[times])


def _inside(runs: _Runs, mark: Mask) -> Mask:
    """Mark the runs all of whose rows are marked."""
    total = np.concatenate([[0], np.cumsum(mark)])
    return np.asarray(total[runs.last + 1] - total[runs.first] == runs.last - runs.first + 1)


def _quarantined(ledger: pd.DataFrame, doubts: pd.DataFrame) -> Mask:
    """Mark the runs in which a quarantined bar of the same symbol lies."""
    mine = doubts[(doubts["dataset"] == "bars") & (doubts["outcome"] == QUARANTINED)]
    mark = np.zeros(len(ledger), dtype=bool)
    if len(mine):
        runs = ledger[["ts", "symbol", "until"]].assign(run=np.arange(len(ledger)))
        found = pd.merge_asof(
            mine[["ts", "symbol"]].sort_values("ts"), runs.sort_values("ts"), on="ts", by="symbol"
        )
        inside = found["ts"] < found["until"]
        mark[found.loc[inside, "run"].to_numpy(dtype=np.intp)] = True
    return mark
