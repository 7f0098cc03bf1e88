"""Frames as bytes: deterministic parquet, and a digest of the values alone.

Both are made from one arrow table, so that a frame, its bytes and the frame read back agree. Equal
frames give equal tables, whatever pandas keeps inside (chunks, python or arrow strings, slices).
"""

import hashlib
import json
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from quant_assets.core.errors import IntegrityError, StorageError

_NUMPY_KINDS = "fiub"
_TEXT = pa.large_string()
_NOT_A_TIME = np.iinfo(np.int64).min


def to_table(frame: pd.DataFrame) -> pa.Table:
    """`frame` as an arrow table in canonical form: one chunk per column, NaN and NaT as null.

    Accepts float, int, bool, `str` and timestamp columns with unique names; the index is dropped.
    """
    if not frame.columns.is_unique:
        twice = sorted({str(n) for n in frame.columns[frame.columns.duplicated()]})
        raise StorageError(
            f"columns {twice} occur more than once: a stored frame needs unique names"
        )
    arrays = [_array(str(name), column) for name, column in frame.items()]
    return pa.Table.from_arrays(arrays, names=[str(name) for name in frame.columns])


def _array(name: str, column: pd.Series) -> pa.Array:
    dtype = column.dtype
    try:
        if isinstance(dtype, np.dtype) and dtype.kind in _NUMPY_KINDS:
            return pa.array(column.to_numpy(), from_pandas=True)
        if dtype.kind == "M":
            return pa.array(column.array, from_pandas=True)
        if isinstance(dtype, pd.StringDtype) and str(dtype) == "str":
            text = pa.array(column.array, type=_TEXT, from_pandas=True)
            return text.combine_chunks() if isinstance(text, pa.ChunkedArray) else text
    except (pa.ArrowException, UnicodeError) as error:
        raise StorageError(f"column {name!r} ({dtype}) cannot be stored: {error}") from error
    raise StorageError(
        f"column {name!r} has dtype {dtype}: contracts use float, int, bool, str and timestamp; "
        "convert it before storing"
    )


def encode_table(table: pa.Table) -> bytes:
    """Parquet bytes of a table from `to_table`; equal tables give equal bytes with one pyarrow.

    The settings are those of `benchmarks/snapshots.py` that write and read fastest: floats split
    by byte, numbers and times as differences, texts by dictionary, LZ4. Against plain floats with
    zstd they take half the time or less both ways; bars of rounded prices take more bytes.
    """
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, table.schema, **parquet_settings(table.schema)) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


def parquet_settings(schema: pa.Schema) -> dict[str, Any]:
    """How columns of a schema are written: compression, encodings and page checksums."""
    encodings = {field.name: _encoding(field.type) for field in schema}
    return {
        "compression": "lz4",
        "use_dictionary": [name for name, encoding in encodings.items() if encoding is None],
        "column_encoding": {name: found for name, found in encodings.items() if found is not None},
        "write_page_checksum": True,
    }


def _encoding(kind: pa.DataType) -> str | None:
    """Parquet encoding of a type; None for a dictionary."""
    if pa.types.is_floating(kind):
        return "BYTE_STREAM_SPLIT"
    if pa.types.is_timestamp(kind) or pa.types.is_integer(kind):
        return "DELTA_BINARY_PACKED"
    return None


def decode_table(data: bytes) -> pa.Table:
    """The table inside parquet bytes; page checksums are verified."""
    try:
        file = pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True)
        return file.read(use_threads=False)
    except (pa.ArrowException, OSError) as error:
        raise IntegrityError(f"stored bytes are not readable as parquet: {error}") from error


def encode_frame(frame: pd.DataFrame) -> bytes:
    """Parquet bytes of `frame`; equal frames give equal bytes with the same pyarrow.

    NaN becomes null. No pandas metadata is kept: dtypes follow from the arrow types.
    """
    return encode_table(to_table(frame))


def decode_frame(data: bytes) -> pd.DataFrame:
    """The frame that `encode_frame` wrote."""
    return to_frame(decode_table(data))


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Give `table` as pandas, with a plain index."""
    frame: pd.DataFrame = table.to_pandas(use_threads=False)
    return frame


def data_digest(frame: pd.DataFrame) -> str:
    """SHA-256 of column names, types and values; independent of parquet and of its writer.

    All NaN are equal, and -0.0 equals 0.0.
    """
    return table_digest(to_table(frame))


def table_digest(table: pa.Table) -> str:
    """`data_digest` of the frame that `table` holds."""
    whole = hashlib.sha256(str(table.num_rows).encode())
    for name, dtype in column_dtypes(table).items():
        whole.update(f"\x1f{name}\x1f{dtype}\x1f".encode())
        column = table.column(name)
        whole.update(
            _column_bytes(column.chunk(0) if column.num_chunks == 1 else column.combine_chunks())
        )
    return whole.hexdigest()


def column_dtypes(table: pa.Table) -> dict[str, str]:
    """Name of the pandas dtype per column."""
    return {field.name: _dtype(field.type) for field in table.schema}


@cache
def _dtype(kind: pa.DataType) -> str:
    if pa.types.is_large_string(kind) or pa.types.is_string(kind):
        return "str"
    if pa.types.is_timestamp(kind):
        return f"datetime64[{kind.unit}, {kind.tz}]" if kind.tz else f"datetime64[{kind.unit}]"
    if pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return str(np.dtype(kind.to_pandas_dtype()))
    raise StorageError(f"arrow type {kind} in a stored file: it was not written by this store")


def _column_bytes(column: pa.Array) -> bytes:
    kind = column.type
    if pa.types.is_floating(kind):
        values = column.to_numpy(zero_copy_only=False).astype("float64", copy=False) + 0.0
        return np.where(np.isnan(values), np.nan, values).tobytes()
    if pa.types.is_timestamp(kind):
        numbers = column.cast(pa.int64()).fill_null(_NOT_A_TIME)
        return bytes(numbers.to_numpy(zero_copy_only=False).tobytes())
    if pa.types.is_large_string(kind) or pa.types.is_string(kind):
        words = column.dictionary_encode()
        codes = words.indices.cast(pa.int64()).fill_null(-1)
        texts = json.dumps(words.dictionary.to_pylist())
        return bytes(codes.to_numpy(zero_copy_only=False).tobytes()) + texts.encode()
    return bytes(column.to_numpy(zero_copy_only=False).tobytes())
