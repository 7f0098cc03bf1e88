"""Layout `yahoo_csv`: daily history of one ticker, as Yahoo Finance exports it."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from quant_assets.adapters.files.csv_rows import Rows, csv_rows
from quant_assets.adapters.layouts.base import FileLayout, Raw, SourceFile
from quant_assets.adapters.tabular.bar_columns import BarColumns
from quant_assets.adapters.tabular.file_names import instrument
from quant_assets.adapters.tabular.frames import remarks
from quant_assets.adapters.tabular.headers import SYMBOL, TIME
from quant_assets.adapters.tabular.tables import header_of, open_table
from quant_assets.adapters.tabular.text_moments import text_moments
from quant_assets.core.venues import Venue

_HEADER = ("Date", "Open", "High", "Low", "Close", "Adj Close", "Volume")


class YahooCsv(FileLayout):
    """Date, OHLC, Adj Close and Volume of the ticker that the file is named after.

    OHLC are adjusted for splits, `Adj Close` for dividends as well: it becomes `adjusted_close`.
    `ts` is the session's date at UTC midnight. A day of which Yahoo has nothing but `null` is set
    aside with that reason.
    """

    name: ClassVar[str] = "yahoo_csv"
    expects: ClassVar[str] = "columns Date,Open,High,Low,Close,Adj Close,Volume; file TICKER.csv"

    def recognise(self, file: SourceFile) -> float:
        """By the columns, in any order; a table that names its symbols is a tidy one."""
        header = header_of(file)
        if header is None or header.has(SYMBOL):
            return 0.0
        return 1.0 if set(_HEADER) <= set(header.names) else 0.0

    def read(self, file: SourceFile, venue: Venue) -> Iterator[Raw]:
        """Daily bars in the file's order."""
        symbol, header = instrument(file.name), open_table(file)
        bars, date = (
            BarColumns.of(header, venue, where=file.name),
            header.need(TIME, meaning="the date"),
        )
        for rows in csv_rows(file):
            _set_nulls_aside(rows)
            yield rows.raw(
                "bars", {"ts": text_moments(rows, date, venue), "symbol": symbol, **bars.read(rows)}
            )
        notes = header.surplus([date, *bars.used])
        if notes:
            yield remarks("bars", notes)

    def columns(self) -> tuple[str, ...]:
        """The columns as exported."""
        return _HEADER


def _set_nulls_aside(rows: Rows) -> None:
    null = np.ones(len(rows), dtype=bool)
    for name in _HEADER[1:5]:
        null &= (rows.words(name) == "null").to_numpy(dtype=bool)
    rows.set_aside(null, "the source has null for this day")
