"""Feather files of freqtrade: futures, spot, mark and funding, told apart by their names."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
import pyarrow as pa

from quant_assets.adapters.files.damage import decoding
from quant_assets.adapters.files.feather_schema import feather_columns
from quant_assets.adapters.files.limits import LIMITS
from quant_assets.adapters.files.native_symbols import check_step, named
from quant_assets.adapters.files.stamps import to_column
from quant_assets.adapters.files.streams import seekable
from quant_assets.adapters.layouts.base import FileLayout, Raw, SourceFile
from quant_assets.core.errors import DataError
from quant_assets.core.venues import Venue

_COLUMNS = ("date", "open", "high", "low", "close", "volume")
_NAME = (
    r"(?P<base>[^_]+)_(?P<quote>[^_]+)"
    r"(?:-(?P<spot_step>\d+[a-zA-Z]+)"
    r"|_(?P<settle>[^_-]+)-(?P<step>\d+[a-zA-Z]+)-(?P<kind>futures|mark|funding_rate))"
)
_LIKE = "BTC_USDT_USDT-5m-futures.feather or BTC_USDT-5m.feather"
_BATCH_ROWS = 1_000_000


class FreqtradeFeather(FileLayout):
    """Candles of one pair; of funding files `open` is the rate, of mark files the mark price.

    `date` is the open time, in UTC by its type. A funding time keeps its milliseconds.
    """

    name = "freqtrade_feather"
    expects = "a feather file with date (UTC), open, high, low, close, volume, named like " + _LIKE

    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return _COLUMNS

    def recognise(self, file: SourceFile) -> float:
        """By the schema at the file's beginning."""
        return 1.0 if set(_COLUMNS) <= set(feather_columns(file)) else 0.0

    def read(self, file: SourceFile, venue: Venue) -> Iterator[Raw]:
        """Rows by record batch; `line` is the row."""
        match = named(file, _NAME, like=_LIKE)
        kind = match["kind"] or "spot"
        symbol = f"{match['base']}/{match['quote']}"
        symbol += f":{match['settle']}" if match["settle"] else ""
        step = venue.market.bar_length
        if kind in {"futures", "spot"}:
            step = check_step(file, match["step"] or match["spot_step"], venue)
        for first, table, notes in _batches(file):
            frame = _frame(table, first, symbol)
            if kind == "funding_rate":
                yield Raw("funding", _only(frame, "rate"), notes=notes)
            elif kind == "mark":
                yield Raw("marks", _only(frame, "mark_price"), notes=notes)
            else:
                frame["closes_at"] = frame["ts"] + step
                yield Raw("bars", frame, notes=notes)


def _batches(file: SourceFile) -> Iterator[tuple[int, pa.RecordBatch, list[str]]]:
    """Number of the first row, at most a million rows, and notes (with the first batch)."""
    with seekable(file.open()) as stream:
        with decoding(file.name):
            reader = pa.ipc.open_file(pa.PythonFile(stream, mode="r"))
            types = {field.name: field.type for field in reader.schema}
        if len(types) < len(reader.schema) or len(types) > LIMITS.columns:
            raise DataError(
                f"{file.name}: a column stands twice in it, or there are more than "
                f"{LIMITS.columns}. Fetch it again."
            )
        notes = _check(file, types)
        row = 1
        for index in range(reader.num_record_batches):
            with decoding(file.name):
                batch = reader.get_batch(index)
                batch.validate(full=True)
            for start in range(0, len(batch), _BATCH_ROWS):
                part = batch.slice(start, _BATCH_ROWS)
                yield row, part, notes
                notes = []
                row += len(part)
            if row > LIMITS.rows:
                raise DataError(f"{file.name}: more than {LIMITS.rows:,} rows. Cut it into parts.")
        if row == 1:
            raise DataError(f"{file.name}: no data, it has no rows. Fetch it again.")


def _check(file: SourceFile, types: Mapping[str, pa.DataType]) -> list[str]:
    missing = [name for name in _COLUMNS if name not in types]
    added = [name for name in types if name not in _COLUMNS]
    if missing:
        raise DataError(
            f"{file.name}: its columns changed: missing {', '.join(missing)}; "
            f"not expected {', '.join(added) or 'none'}."
        )
    date = types["date"]
    if not pa.types.is_timestamp(date) or date.tz != "UTC":
        raise DataError(f"{file.name}: column date is {date}, a timestamp in UTC is expected.")
    for name in _COLUMNS[1:]:
        kind = types[name]
        if not pa.types.is_floating(kind) and not pa.types.is_integer(kind):
            raise DataError(f"{file.name}: column {name} is {kind}, numbers are expected.")
    return [f"column {name} is new and was not read" for name in added]


def _frame(batch: pa.RecordBatch, first: int, symbol: str) -> pd.DataFrame:
    ts = batch.column("date").cast(pa.timestamp("us", tz="UTC"), safe=False)
    frame = pd.DataFrame({"ts": to_column(ts.to_numpy(zero_copy_only=False))})
    frame["symbol"] = pd.Series([symbol] * len(batch), dtype="str")
    for name in _COLUMNS[1:]:
        values = batch.column(name).cast(pa.float64(), safe=False)
        frame[name] = values.to_numpy(zero_copy_only=False)
    frame["line"] = np.arange(first, first + len(batch), dtype=np.int64)
    return frame


def _only(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """The column `open` under the name of what it means; the other prices are none."""
    return frame[["ts", "symbol", "open", "line"]].rename(columns={"open": name})
