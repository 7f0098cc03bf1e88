"""Rows of stored series that bear a doubt, as a `Doubts` frame."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.contracts.doubts import Doubts
from quant_assets.contracts.fast_check import strictly_increasing
from quant_assets.quant.market.panel import Floats


def flagged(
    dataset: str, rows: pd.DataFrame, reasons: npt.NDArray[np.str_], values: Floats
) -> pd.DataFrame:
    """Flags on `rows` (ts, available_at, symbol) of a stored series, sorted by the key of `Doubts`.

    reasons, values : shape (rows,); the measure behind a flag is NaN where there is none. Stored
    rows have no file and no line.
    """
    count = len(rows)
    if count == 0:
        return Doubts.empty()
    nothing = pd.Series([""] * count, dtype="str")
    found = rows[["ts", "available_at", "symbol"]].reset_index(drop=True)
    return united(
        [
            pd.DataFrame(
                {
                    "ts": found["ts"],
                    "available_at": found["available_at"],
                    "dataset": pd.Series([dataset] * count, dtype="str"),
                    "symbol": found["symbol"],
                    "outcome": pd.Series(["flagged"] * count, dtype="str"),
                    "reason": pd.Series(reasons, dtype="str"),
                    "value": pd.Series(values, dtype="float64"),
                    "file": nothing,
                    "line": pd.Series(np.zeros(count, dtype=np.int64)),
                    "text": nothing,
                }
            )
        ]
    )


def united(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One `Doubts` frame out of several: sorted, and each key once, as it came first."""
    filled = [part for part in parts if len(part)]
    if not filled:
        return Doubts.empty()
    key = Doubts.key_columns()
    frame = pd.concat(filled, ignore_index=True) if len(filled) > 1 else filled[0]
    if strictly_increasing(frame, key):
        return frame
    return frame.sort_values(key, kind="stable").drop_duplicates(key).reset_index(drop=True)
