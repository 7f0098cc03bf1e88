"""A table in bounded batches, whether it is delimited text or parquet."""

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from quant_assets.adapters.files.csv_rows import Rows, csv_rows
from quant_assets.adapters.files.csv_rows import header as csv_header
from quant_assets.adapters.files.stamps import Instants, from_integers
from quant_assets.adapters.layouts.base import SourceFile
from quant_assets.adapters.tabular.headers import Header
from quant_assets.adapters.tabular.parquet_rows import (
    ParquetRows,
    column_names,
    is_parquet,
    parquet_rows,
)
from quant_assets.adapters.tabular.text_moments import text_moments
from quant_assets.core.errors import DataError
from quant_assets.core.venues import Venue

Batch: TypeAlias = Rows | ParquetRows


def open_table(file: SourceFile) -> Header:
    """Header of a table; `DataError` when two of its columns have one meaning, or it has none."""
    names = column_names(file) if is_parquet(file) else csv_header(file)
    return Header(names, where=file.name)


def header_of(file: SourceFile) -> Header | None:
    """Header of a table, None for what is no (sound) table: for asking what a file is."""
    try:
        return open_table(file)
    except DataError:
        return None


def batches(file: SourceFile, columns: Sequence[str]) -> Iterator[Batch]:
    """Rows of a table, a bounded number at a time; of a parquet file only `columns` are decoded."""
    return parquet_rows(file, columns) if is_parquet(file) else csv_rows(file)


def closing_moments(rows: Batch, column: str, venue: Venue) -> Instants:
    """When bars close: like `moments`, or integers told apart by their digits; NaT where empty.

    A time that was misread would show: a bar closes about one bar length after it opens.
    """
    numbers = _integers(rows, column)
    if numbers is None:
        return moments(rows, column, venue)
    stamps = from_integers(numbers, "s", "ms", "us")
    rows.set_aside(np.isnat(stamps) & (numbers != 0), f"{column} is no time of 10, 13 or 16 digits")
    return stamps


def _integers(rows: Batch, column: str) -> npt.NDArray[np.int64] | None:
    """A column of integers, 0 where empty; None for any other."""
    if isinstance(rows, ParquetRows):
        whole = pa.types.is_integer(rows.table.column(column).type)
        return np.nan_to_num(rows.numbers(column)).astype(np.int64) if whole else None
    words = rows.words(column).str.strip()
    if not words.str.fullmatch(r"\d{0,18}").all():
        return None
    return words.mask(words == "", "0").to_numpy(dtype=np.int64)


def moments(rows: Batch, column: str, venue: Venue) -> Instants:
    """UTC instants of a column; see `text_moments` and `ParquetRows.moments`."""
    if isinstance(rows, ParquetRows):
        return rows.moments(column, venue)
    return text_moments(rows, column, venue)
