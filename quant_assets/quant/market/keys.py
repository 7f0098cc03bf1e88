"""One row per key: what a later delivery revises is kept once, as it was known last."""

import pandas as pd

from quant_assets.contracts.base import Contract
from quant_assets.contracts.fast_check import strictly_increasing


def latest_rows(frame: pd.DataFrame, contract: type[Contract]) -> pd.DataFrame:
    """Sort rows by the contract's key and keep, of equal keys, the row that became known last.

    Of rows that became known together the later one in the frame is kept. A frame in which no key
    repeats is returned as it is; no value of a kept row is changed.
    """
    key = contract.key_columns()
    if strictly_increasing(frame, key):
        return frame
    ordered = frame.sort_values([*key, "available_at"], kind="stable")
    return ordered.drop_duplicates(key, keep="last").reset_index(drop=True)
