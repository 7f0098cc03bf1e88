"""The gap ledger: which bars are missing, how many in a row, and why as far as it is known."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.contracts.gap_ledger import GapLedger
from quant_assets.core.context import IngestionContext
from quant_assets.core.telemetry import Telemetry
from quant_assets.quant.market.bars import Instants, instant, instants, to_column

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
) -> pd.DataFrame:
    """One row per run of gap rows of a symbol in the window, a `GapLedger` frame.

    `until` is the `ts` of the bar that ends the run, and the run is known when that bar is. Cause
    `quarantined`: a bar of the symbol that was set aside lies in the run. `whole venue`: all bars
    of the run are missing for every listed symbol, of which there are at least two. Else `unknown`.
    """
    is_gap = bars["is_gap"].to_numpy(dtype=bool)
    if not is_gap.any():
        telemetry.log_metrics("gap_ledger", {"runs": 0.0, "bars": 0.0})
        return GapLedger.empty()
    codes, names = pd.factorize(bars["symbol"], sort=True)
    order = np.argsort(codes, kind="stable")
    ts, known = instants(bars["ts"])[order], instants(bars["available_at"])[order]
    runs = _runs(codes[order], is_gap[order])
    until, available_at = _ends(context, codes[order], ts, known, runs)
    ledger = pd.DataFrame(
        {
            "ts": to_column(ts[runs.first]),
            "available_at": to_column(available_at),
            "symbol": pd.Series(names.take(runs.symbols), dtype="str"),
            "until": to_column(until),
            "bars": pd.Series(runs.last - runs.first + 1).astype("int64"),
        }
    )
    venue = _inside(runs, _missed_by_all(bars, is_gap)[order])
    cause = np.where(
        _quarantined(ledger, raw_doubts), QUARANTINED, np.where(venue, WHOLE_VENUE, UNKNOWN)
    )
    ledger["cause"] = pd.Series(cause, dtype="str")
    telemetry.log_metrics(
        "gap_ledger", {"runs": float(len(ledger)), "bars": float(ledger["bars"].sum())}
    )
    return ledger.sort_values(["ts", "symbol"]).reset_index(drop=True)


def _runs(codes: npt.NDArray[np.intp], is_gap: Mask) -> _Runs:
    other = np.concatenate([[True], codes[1:] != codes[:-1], [True]])
    first = np.flatnonzero(is_gap & (other[:-1] | ~np.concatenate([[False], is_gap[:-1]])))
    last = np.flatnonzero(is_gap & (other[1:] | ~np.concatenate([is_gap[1:], [False]])))
    return _Runs(codes[first], first, last)


def _ends(
    context: IngestionContext,
    codes: npt.NDArray[np.intp],
    ts: Instants,
    known: Instants,
    runs: _Runs,
) -> tuple[Instants, Instants]:
    """When each run ends and when that is known; a run without a bar after it lasts to the end."""
    after = np.minimum(runs.last + 1, len(ts) - 1)
    closed = (after > runs.last) & (codes[after] == runs.symbols)
    until = np.where(closed, ts[after], instant(context.window.end))
    return until, np.where(closed, known[after], known[runs.last])


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
