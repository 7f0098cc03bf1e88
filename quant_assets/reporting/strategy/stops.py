"""Where the protective stops of trades stood, bar by bar, for the eye."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.quant.risk.terms import (
    STOP_FRACTION,
    STOP_PRICE,
    TRAIL_FRACTION,
    TRAIL_PRICE,
    ExitTerms,
)
from quant_assets.quant.simulation.execution.results import BacktestResult
from quant_assets.reporting.tables import records

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
STOPS = (STOP_FRACTION, STOP_PRICE, TRAIL_FRACTION, TRAIL_PRICE)
TRAILS = (TRAIL_FRACTION, TRAIL_PRICE)
FRACTIONS = (STOP_FRACTION, TRAIL_FRACTION)


def stop_paths(
    result: BacktestResult, trades: pd.DataFrame, column: int
) -> Iterator[tuple[Rows, Floats]]:
    """Rows of each trade of one symbol and the tightest stop that stood in them.

    Distances are those of the plan at the trade's decision; a trail follows the best price of the
    bars that were complete. Trades without a stop are left out, and so are stops that a strategy
    places as orders of its own.
    """
    exits = result.preparation.plan.exits
    if exits is None or not np.isin(exits.kind, STOPS).any():
        return
    bars = result.preparation.bars
    ts = pd.DatetimeIndex(bars.ts, tz="UTC")
    for row in records(trades):
        first = int(ts.searchsorted(row["entry_ts"]))
        last = len(ts) - 1 if pd.isna(row["exit_ts"]) else int(ts.searchsorted(row["exit_ts"]))
        rows = np.arange(first, last + 1)
        side = 1.0 if row["direction"] == "long" else -1.0
        prices = bars.high if side > 0 else bars.low
        decided = int(ts.searchsorted(row["decided_ts"]))
        levels = _levels(
            exits, (decided, column), side * float(row["entry_price"]), side * prices[rows, column]
        )
        if np.isfinite(levels).any():
            yield rows, side * levels


def _levels(exits: ExitTerms, place: tuple[int, int], entry: float, best: Floats) -> Floats:
    """The tightest stop in each row of a trade. All prices are times the trade's side.

    place : decision row and column. best : best price of each row; a trail sees the rows before.
    """
    decided, column = place
    seen = np.concatenate([[entry], np.fmax.accumulate(np.fmax(best, entry))[:-1]])
    tightest = np.full(len(best), np.nan)
    for kind, level in zip(exits.kind.tolist(), exits.level, strict=True):
        distance = float(level[decided if len(level) > 1 else 0, column])
        if kind not in STOPS or not np.isfinite(distance):
            continue
        base = seen if kind in TRAILS else np.full(len(best), entry)
        away = distance * np.abs(base) if kind in FRACTIONS else distance
        tightest = np.fmax(tightest, base - away)
    return tightest
