"""Quality of the bars per symbol and day: how many there are, and how many bear a doubt."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.contracts.quality import Quality
from quant_assets.core.context import IngestionContext
from quant_assets.core.telemetry import Telemetry
from quant_assets.quant.market.bars import Instants, instants, to_column
from quant_assets.quant.market.presence import presence

Codes = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]
STALE, SPIKE = "stale", "spike"


def quality_window(
    context: IngestionContext,
    telemetry: Telemetry,
    *,
    bars: pd.DataFrame,
    doubts: pd.DataFrame,
    sessions: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """One row per symbol and UTC day with an expected bar or a doubt about bars, a `Quality` frame.

    bars, sessions : the window and the one before it. `expected` counts what `presence` expects,
    bars before a symbol's first and after its last bar of the window included; `score` is the
    share of them that are there and that no doubt of any kind names. A day of which nothing was
    expected has `expected`, `completeness` and `score` 0. A day is known when the last of its rows
    is.
    """
    found = presence(context, bars, sessions)
    bars = found.rows
    doubts = doubts[doubts["dataset"] == "bars"]
    ts = _stacked(bars, doubts, "ts")
    if len(ts) == 0:
        return Quality.empty()
    symbols, names = pd.factorize(pd.concat([bars["symbol"], doubts["symbol"]]), sort=True)
    days, first, day = np.unique(ts.astype("datetime64[D]"), return_index=True, return_inverse=True)
    cells = day * len(names) + symbols
    counts = _counts(bars, doubts, cells, clean=~_doubtful(ts, symbols, len(bars)))
    kept = np.flatnonzero(np.bincount(cells, minlength=len(days) * len(names)))
    counts = {name: values[kept] for name, values in counts.items()}
    clean, expected = counts.pop("clean"), counts["expected"]
    share = np.maximum(expected, 1)
    telemetry.log_metrics(
        "quality",
        {"symbol_days": float(len(kept)), "score": float(clean.sum() / max(1, expected.sum()))},
    )
    latest: Instants = np.full(len(days) * len(names), ts.min())
    np.maximum.at(latest, cells, _stacked(bars, doubts, "available_at"))
    return pd.DataFrame(
        {
            "ts": to_column(ts[first[kept // len(names)]]),
            "available_at": to_column(latest[kept]),
            "symbol": pd.Series(names.take(kept % len(names)), dtype="str"),
            **{name: pd.Series(values).astype("int64") for name, values in counts.items()},
            "completeness": pd.Series(counts["present"] / share),
            "score": pd.Series(clean / share),
            "grid": pd.Series([found.grid] * len(kept), dtype="str"),
        }
    )


def _stacked(bars: pd.DataFrame, doubts: pd.DataFrame, column: str) -> Instants:
    """Times of the bar rows, then of the doubts."""
    return np.concatenate([instants(bars[column]), instants(doubts[column])])


def _doubtful(ts: Instants, symbols: Codes, n_bars: int) -> Mask:
    """Mark the bar rows (the first `n_bars`) that one of the doubts after them names."""
    _, times = np.unique(ts, return_inverse=True)
    rows = times * (int(symbols.max()) + 1) + symbols
    return np.isin(rows[:n_bars], rows[n_bars:])


def _counts(
    bars: pd.DataFrame, doubts: pd.DataFrame, cells: Codes, *, clean: Mask
) -> dict[str, Codes]:
    """Counts per cell by column of `Quality`, and of bars that are there without a doubt."""
    size, n_bars = int(cells.max()) + 1, len(bars)
    is_gap = bars["is_gap"].to_numpy(dtype=bool)
    reason, outcome = doubts["reason"], doubts["outcome"]
    own = {
        "expected": np.ones(n_bars, dtype=bool),
        "present": ~is_gap,
        "gaps": is_gap,
        "clean": ~is_gap & clean,
    }
    about = {
        "stale": reason == STALE,
        "spikes": reason == SPIKE,
        "quarantined": outcome == "quarantined",
        "repaired": outcome == "repaired",
    }
    counts = {name: np.bincount(cells[:n_bars][mark], minlength=size) for name, mark in own.items()}
    return counts | {
        name: np.bincount(cells[n_bars:][mark.to_numpy(dtype=bool)], minlength=size)
        for name, mark in about.items()
    }
