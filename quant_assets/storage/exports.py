"""Tables as files for other programs: parquet, CSV or JSON, and back again without a difference.

CSV is safe for spreadsheet programs (`core.spreadsheets`). What a file lost of the types comes back
from a contract, or from a frame like the one that was written.
"""

import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from quant_assets.contracts.base import Contract
from quant_assets.core.errors import ConfigError
from quant_assets.core.spreadsheets import plain_names, plain_texts, spreadsheet_csv
from quant_assets.storage.writer import write_atomically

SUFFIXES = (".parquet", ".csv", ".json")


def export_frame(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame without its index, in the format that the suffix names; all of it or nothing.

    JSON is a list of rows, with instants as ISO 8601 in UTC and null for what is not known.
    """
    suffix = _suffix(path)
    if suffix == ".parquet":
        buffer = io.BytesIO()
        frame.to_parquet(buffer, index=False)
        data = buffer.getvalue()
    else:
        text = spreadsheet_csv(_written(frame)) if suffix == ".csv" else _rows(frame)
        data = text.encode()
    write_atomically(path, data)


def import_frame(path: Path, like: type[Contract] | pd.DataFrame) -> pd.DataFrame:
    """Read what `export_frame` wrote; `like` has the columns and their types."""
    suffix = _suffix(path)
    model = like if isinstance(like, pd.DataFrame) else like.empty()
    if suffix == ".parquet":
        read = pd.read_parquet(path)
    elif suffix == ".csv":
        names = plain_names(pd.read_csv(path, nrows=0).columns)
        read = pd.read_csv(path, dtype="str", keep_default_na=False, header=0, names=names)
    else:
        read = pd.DataFrame(json.loads(path.read_text("utf-8")), columns=model.columns)
    missing = [name for name in model.columns if name not in read.columns]
    if missing:
        raise ConfigError(f"{path}: no columns {', '.join(missing)}; it has {list(read.columns)}")
    columns = {name: _typed(read[name], model[name].dtype, suffix) for name in model.columns}
    return pd.DataFrame(columns, copy=False)


def _suffix(path: Path) -> str:
    if path.suffix not in SUFFIXES:
        raise ConfigError(f"{path.name}: a file ends with {', '.join(SUFFIXES)}")
    return path.suffix


def _written(frame: pd.DataFrame) -> pd.DataFrame:
    """Instants as text to the microsecond; pandas would leave out parts that are 0."""
    stamps = [name for name in frame if isinstance(frame[name].dtype, pd.DatetimeTZDtype)]
    return frame.assign(**{str(name): _instants(frame[name]) for name in stamps})


def _instants(column: "pd.Series[Any]") -> "pd.Series[Any]":
    known = column.dt.tz_convert("UTC").dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    texts: pd.Series[Any] = known.where(column.notna(), "").astype("str")
    return texts


def _rows(frame: pd.DataFrame) -> str:
    """JSON whose numbers are read back to the last bit."""
    rows = _written(frame).to_dict("records")
    return json.dumps([{str(k): _value(v) for k, v in row.items()} for row in rows])


def _value(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value


def _typed(column: "pd.Series[Any]", kind: Any, suffix: str) -> Any:
    """A column with its own type again."""
    if column.dtype == kind and suffix != ".csv":
        return column
    if isinstance(kind, pd.DatetimeTZDtype):
        known = column.mask(column == "", None)
        return pd.to_datetime(known, utc=True, format="ISO8601").astype(kind)
    if pd.api.types.is_bool_dtype(kind):
        return column.map({"True": True, "False": False, True: True, False: False}).astype(kind)
    if pd.api.types.is_string_dtype(kind):
        return plain_texts(column).astype(kind) if suffix == ".csv" else column.astype(kind)
    texts = column.replace("", None) if suffix == ".csv" else column
    if pd.api.types.is_integer_dtype(kind):
        return texts.astype("str").astype(kind)
    return np.array([np.nan if pd.isna(value) else float(value) for value in texts], dtype=kind)
