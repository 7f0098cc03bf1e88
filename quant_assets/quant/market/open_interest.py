"""Open interest at its exact snapshot times, and the steps in it that are no trade."""

import numpy as np
import pandas as pd

from quant_assets.contracts.doubts import Doubts
from quant_assets.contracts.open_interest import OpenInterest
from quant_assets.core.context import IngestionContext
from quant_assets.core.telemetry import Telemetry
from quant_assets.quant.market.flagged import flagged
from quant_assets.quant.market.keys import latest_rows

DATASET = "open_interest"
LARGEST_RATIO = 5.0
UNIT_CHANGE, RESET, JUMP = "unit changed", "reset to zero", "jump"


def clean_open_interest(
    context: IngestionContext, telemetry: Telemetry, *, raw_open_interest: pd.DataFrame
) -> pd.DataFrame:
    """One window of snapshots, one row per key; times and values stay exactly as published.

    Nothing is filled: a snapshot that was not taken has no row. Steps that no trading explains are
    counted here and listed in `doubts`; the rows stay.
    """
    del context
    frame = latest_rows(raw_open_interest, OpenInterest)
    reasons = open_interest_steps(frame)["reason"].tolist()
    telemetry.log_metrics(
        DATASET,
        {"snapshots": float(len(frame)), "repeated": float(len(raw_open_interest) - len(frame))}
        | {reason: float(reasons.count(reason)) for reason in (UNIT_CHANGE, RESET, JUMP)},
    )
    return frame if len(frame) else OpenInterest.empty()


def open_interest_steps(open_interest: pd.DataFrame) -> pd.DataFrame:
    """Flag snapshots that do not follow from the one before of the same symbol, as `Doubts`.

    `unit changed`: another unit than before. `reset to zero`: nothing is left. `jump`: at least
    five times, or at most a fifth, of the snapshot before in the same unit, which is how an
    undeclared change from coins to contracts looks. `value` is the ratio new / old, NaN where the
    old one is 0. The first snapshot of a symbol has no one before it; only the past is read.
    """
    if len(open_interest) < 2:
        return Doubts.empty()
    symbols, _ = pd.factorize(open_interest["symbol"])
    order = np.argsort(symbols, kind="stable")
    rows = open_interest.iloc[order]
    follows = np.concatenate([[False], np.diff(symbols[order]) == 0])
    values = rows["open_interest"].to_numpy(dtype=np.float64)
    units, _ = pd.factorize(rows["unit"])
    before = np.concatenate([[np.nan], values[:-1]])
    changed = follows & np.concatenate([[False], np.diff(units) != 0])
    ratio = np.full(len(values), np.nan)
    np.divide(values, before, out=ratio, where=follows & (before > 0))
    reset = follows & ~changed & (before > 0) & (values == 0)
    jump = follows & ~changed & ~reset
    jump &= (ratio >= LARGEST_RATIO) | (ratio <= 1.0 / LARGEST_RATIO)
    reasons = np.select([changed, reset, jump], [UNIT_CHANGE, RESET, JUMP], default="")
    found = np.flatnonzero(reasons != "")
    return flagged(DATASET, rows.iloc[found], reasons[found], ratio[found])
