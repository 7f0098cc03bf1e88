"""What a delivery adds to what was known: new rows, and rows that say something else now."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

OLD = "_before"


@dataclass(frozen=True)
class Delta:
    """Rows of a delivery that the store does not have yet.

    `frame` has new and revised rows, sorted by key; `revised` has the key and the old values of
    those that were stored before with other values; `unchanged` counts the rest.
    """

    frame: pd.DataFrame
    revised: pd.DataFrame
    unchanged: int


def delta(delivered: pd.DataFrame, stored: pd.DataFrame, key: list[str]) -> Delta:
    """Compare a delivery with the newest stored rows of its months; keys are unique in both.

    Two missing values are equal.
    """
    if not len(stored):
        return Delta(delivered, stored.iloc[:0], 0)
    values = [name for name in delivered.columns if name not in key]
    known = stored.set_index(key).index
    position = known.get_indexer(pd.MultiIndex.from_frame(delivered[key]))
    seen = position >= 0
    before = stored.iloc[position[seen]].reset_index(drop=True)
    after = delivered[seen].reset_index(drop=True)
    changed = np.zeros(len(after), dtype=bool)
    for name in values:
        both_absent = before[name].isna().to_numpy() & after[name].isna().to_numpy()
        changed |= ~((before[name] == after[name]).to_numpy(dtype=bool) | both_absent)
    keep = ~seen
    keep[np.flatnonzero(seen)[changed]] = True
    return Delta(
        frame=delivered[keep].reset_index(drop=True),
        revised=before[changed].reset_index(drop=True),
        unchanged=int(np.count_nonzero(~changed)),
    )
