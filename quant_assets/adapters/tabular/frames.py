"""Raw frames out of arrays, and the empty one of each dataset."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from quant_assets.adapters.files.stamps import Mask, to_column
from quant_assets.adapters.layouts.base import RAW_COLUMNS, Raw

_TIMES = frozenset({"ts", "last", "closes_at", "collected_at"})
_WORDS = frozenset({"symbol", "unit", "event_id", "side", "kind", "ticker"})


def raw_frame(columns: Mapping[str, Any], keep: Mask) -> pd.DataFrame:
    """Frame of the rows in `keep`; a text stands for all rows, times are UTC `datetime64[us]`."""
    return pd.DataFrame({name: _cells(values, keep) for name, values in columns.items()})


def _cells(values: Any, keep: Mask) -> Any:
    if isinstance(values, str):
        return pd.Series([values] * int(keep.sum()), dtype="str")
    if isinstance(values, pd.Series):
        return values[keep].reset_index(drop=True)
    if np.issubdtype(values.dtype, np.datetime64):
        return to_column(values[keep])
    return values[keep]


def remarks(dataset: str, notes: list[str]) -> Raw:
    """Remarks about a whole file, with a frame that has no rows."""
    nothing = np.zeros(0, dtype=bool)
    columns = {name: _empty(name) for name in RAW_COLUMNS[dataset]}
    return Raw(dataset, raw_frame(columns, nothing), None, notes)


def _empty(name: str) -> Any:
    if name in _WORDS:
        return pd.Series([], dtype="str")
    if name in _TIMES:
        return np.empty(0, dtype="datetime64[us]")
    return np.empty(0, dtype="int64" if name in {"line", "level"} else "float64")
