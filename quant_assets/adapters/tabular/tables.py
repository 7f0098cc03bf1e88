"""A table in bounded batches, whether it is delimited text or parquet."""

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from quant_assets.adapters.files.csv_rows import Rows, csv_rows
from quant_assets.adapters.files.csv_rows import header as csv_header
from quant_assets.adapters.files.stamps import Instants
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


def moments(rows: Batch, column: str, venue: Venue) -> Instants:
    """UTC instants of a column; see `text_moments` and `ParquetRows.moments`."""
    if isinstance(rows, ParquetRows):
        return rows.moments(column, venue)
    return text_moments(rows, column, venue)
