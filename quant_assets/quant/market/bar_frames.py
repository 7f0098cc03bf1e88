"""Long frames of bars, of any library that gives Arrow data, as a panel reads them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from quant_assets.core.errors import DataError


def pandas_frame(frame: Any) -> pd.DataFrame:
    """The frame itself, or that of another library by way of Arrow; `DataError` for no frame."""
    if isinstance(frame, pd.DataFrame):
        return frame
    if not hasattr(frame, "__arrow_c_stream__"):
        raise DataError(f"bars are a {type(frame).__name__}; give a BarPanel or a frame with ts")
    found: pd.DataFrame = pd.DataFrame.from_arrow(frame)  # type: ignore[attr-defined]  # stubs lag
    return found


def readable_bars(given: Any, fields: Sequence[str]) -> pd.DataFrame:
    """The frame with times in UTC and float64 for all that a panel reads.

    fields : names of prices and volume. Raises `DataError` for a column that is absent or no
    numbers, and for rows without ts or symbol.
    """
    frame = pandas_frame(given)
    absent = [name for name in ("ts", "symbol", "close") if name not in frame.columns]
    if absent:
        raise DataError(f"the bars lack {', '.join(absent)}; they have {list(frame.columns)}")
    read: dict[str, Any] = {"ts": _utc(frame["ts"])}
    for key in ("ts", "symbol"):
        missing = read.get(key, frame[key]).isna().to_numpy()
        if missing.any():
            raise DataError(f"row {int(np.argmax(missing))} has no {key}; leave it out")
    for name, dtype in frame.dtypes.items():
        if name in fields and not pd.api.types.is_numeric_dtype(dtype):
            raise DataError(f"{name} is {dtype}, no numbers; convert it with pd.to_numeric")
        if name in fields or pd.api.types.is_float_dtype(dtype):
            read[str(name)] = frame[name].to_numpy(dtype="float64", na_value=np.nan)
    return frame.assign(**read)


def _utc(column: pd.Series) -> pd.Series:
    """Times as UTC; a `DataError` for numbers, whose unit nobody knows, and what is no time."""
    if pd.api.types.is_numeric_dtype(column.dtype):
        raise DataError(
            f"ts is {column.dtype}; convert it with pd.to_datetime(ts, unit=…, utc=True)"
        )
    try:
        return pd.to_datetime(column, utc=True, format="ISO8601")
    except (TypeError, ValueError) as cause:
        raise DataError(f"ts is no column of times: {cause}") from cause
