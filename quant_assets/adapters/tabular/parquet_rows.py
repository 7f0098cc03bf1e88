"""Parquet files in bounded batches. Types are taken as they are: text is never made a number."""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from quant_assets.adapters.files.csv_rows import TEXT_SHOWN, rejects_frame
from quant_assets.adapters.files.damage import decoding
from quant_assets.adapters.files.limits import LIMITS
from quant_assets.adapters.files.stamps import Instants, Mask, from_integers
from quant_assets.adapters.files.streams import seekable
from quant_assets.adapters.layouts.base import Raw, SourceFile
from quant_assets.adapters.tabular.frames import raw_frame
from quant_assets.adapters.tabular.local_time import dates_to_utc, to_utc
from quant_assets.adapters.tabular.text_moments import says_utc, unit_of
from quant_assets.core.errors import DataError
from quant_assets.core.venues import Venue

BATCH_ROWS = 1 << 18
CELL_BYTES = 8
_MAGIC = b"PAR1"


@dataclass(frozen=True)
class ParquetRows:
    """Some rows of a parquet file; `line` is the row's number, the first row being 1.

    It offers what `files.csv_rows.Rows` does.
    """

    file: str
    table: pa.RecordBatch
    line: npt.NDArray[np.int64]
    reasons: dict[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.line)

    def words(self, column: str) -> pd.Series:
        """Text cells, empty where null; `DataError` for another type, because 1INCH is a name."""
        cells = self.table.column(column)
        if pa.types.is_dictionary(cells.type):
            cells = cells.dictionary_decode()
        if not (pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type)):
            raise self._retyped(column, "text")
        return pd.Series(pc.fill_null(cells, "").to_pandas(), dtype="str")

    def numbers(self, column: str) -> npt.NDArray[np.float64]:
        """Cells of any number type as float64, NaN where null."""
        cells = self.table.column(column)
        kinds = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_null)
        if not any(kind(cells.type) for kind in kinds):
            raise self._retyped(column, "a number")
        floats = pc.cast(cells, pa.float64(), safe=False)
        return np.array(floats.to_numpy(zero_copy_only=False), dtype=np.float64)

    def moments(self, column: str, venue: Venue) -> Instants:
        """Times and dates as UTC instants, cut to microseconds; see `local_time`."""
        cells = self.table.column(column)
        kind, unit = cells.type, unit_of(column)
        where = f"{self.file}: column {column}"
        if unit is not None and pa.types.is_integer(kind):
            return from_integers(_filled(cells, pa.int64()).astype(np.int64), unit)
        if pa.types.is_date(kind):
            return dates_to_utc(_instants(cells), venue, line=self.line, where=where)
        if not pa.types.is_timestamp(kind):
            raise self._retyped(column, "timestamp[us, UTC] (or integers in a column like ts_ms)")
        stamps = _instants(cells)
        if kind.tz is not None or says_utc(column):
            return stamps
        return to_utc(stamps, venue, line=self.line, where=where)

    def raw(
        self,
        dataset: str,
        columns: Mapping[str, Any],
        *,
        notes: Sequence[str] = (),
        keep: Mask | None = None,
    ) -> Raw:
        """The rows of `keep` as a raw frame, as `files.csv_rows.Rows.raw` makes it."""
        mask = np.ones(len(self), dtype=bool) if keep is None else keep.copy()
        mask[list(self.reasons)] = False
        frame = raw_frame({**columns, "line": self.line}, mask)
        return Raw(dataset, frame, self._rejects(columns.get("symbol", "")), list(notes))

    def set_aside(self, rows: Mask, reason: str) -> None:
        """Set rows aside; a row keeps its first reason."""
        for row in np.flatnonzero(rows):
            self.reasons.setdefault(int(row), reason)

    def _rejects(self, symbol: Any) -> pd.DataFrame | None:
        found = []
        for row, reason in self.reasons.items():
            name = symbol if isinstance(symbol, str) else str(symbol.iloc[row])
            cells = [str(column[row].as_py()) for column in self.table.columns]
            found.append((int(self.line[row]), name, reason, ",".join(cells)[:TEXT_SHOWN]))
        return rejects_frame(found) if found else None

    def _retyped(self, column: str, wanted: str) -> DataError:
        return DataError(
            f"{self.file}: column {column} is {self.table.column(column).type}, expected {wanted}. "
            "Write it with that type: nothing is guessed from another one"
        )


def is_parquet(file: SourceFile) -> bool:
    """True for a file that begins as parquet does."""
    return file.head.startswith(_MAGIC)


def column_names(file: SourceFile) -> list[str]:
    """Names of a parquet file's columns; `DataError` when it is damaged or far too wide."""
    with decoding(file.name), seekable(file.open()) as stream:
        names = list(pq.read_schema(stream).names)
    if len(names) > LIMITS.columns:
        raise DataError(f"{file.name}: {len(names)} columns, the limit is {LIMITS.columns}.")
    return names


def parquet_rows(file: SourceFile, columns: Sequence[str]) -> Iterator[ParquetRows]:
    """Rows of a parquet file; `DataError` when it has none, too many, or is damaged."""
    first = 1
    with seekable(file.open()) as stream:
        with decoding(file.name):
            reader = pq.ParquetFile(stream, pre_buffer=False)
            count, packed = reader.metadata.num_rows, stream.seek(0, io.SEEK_END)
            batches = reader.iter_batches(BATCH_ROWS, columns=list(columns), use_threads=False)
        if count == 0 or count > LIMITS.rows:
            raise DataError(
                f"{file.name}: {count:,} rows; between 1 and {LIMITS.rows:,} are taken. Fetch it "
                "again, or cut it into smaller files."
            )
        _check_ratio(file.name, count * len(columns) * CELL_BYTES, packed)
        while True:
            with decoding(file.name):
                table = next(batches, None)
            if table is None:
                break
            line = np.arange(first, first + len(table), dtype=np.int64)
            first += len(table)
            yield ParquetRows(file.name, table, line)


def _check_ratio(name: str, unpacked: int, packed: int) -> None:
    """Refuse a small file of endlessly repeated values, as any other archive."""
    if unpacked > LIMITS.ratio_floor and unpacked > LIMITS.ratio * packed:
        raise DataError(
            f"{name}: {packed:,} bytes hold cells of {unpacked:,}, above the limit of "
            f"{LIMITS.ratio:g} to 1. If you trust it, cut it into smaller files."
        )


def _instants(cells: pa.Array) -> Instants:
    plain = pc.cast(cells, pa.timestamp("us", getattr(cells.type, "tz", None)), safe=False)
    return np.array(_filled(plain, pa.int64(), np.iinfo(np.int64).min).view("datetime64[us]"))


def _filled(cells: pa.Array, kind: pa.DataType, absent: int = 0) -> npt.NDArray[np.int64]:
    whole = pc.fill_null(pc.cast(cells, kind), absent)
    return np.array(whole.to_numpy(zero_copy_only=False), dtype=np.int64)
