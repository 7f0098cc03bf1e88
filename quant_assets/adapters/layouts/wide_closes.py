"""Layout `wide_closes`: a column of dates, and one column of closes per symbol."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.adapters.files.csv_rows import csv_rows, first_rows
from quant_assets.adapters.files.csv_rows import header as csv_header
from quant_assets.adapters.files.stamps import Instants
from quant_assets.adapters.layouts.base import FileLayout, Raw, SourceFile
from quant_assets.adapters.tabular.frames import raw_frame, remarks
from quant_assets.adapters.tabular.headers import RESERVED, TIME, Header, plain
from quant_assets.adapters.tabular.tables import header_of
from quant_assets.adapters.tabular.text_moments import DATE_FORM, text_moments
from quant_assets.core.venues import Venue


class WideCloses(FileLayout):
    """Closes alone: the first column is the date, every other one is named after its symbol.

    An empty cell is no bar: the instrument was not listed then, or did not trade. What the numbers
    are (closes, adjusted or not) the file does not say: the venue's `price_adjustment` does.
    """

    name: ClassVar[str] = "wide_closes"
    expects: ClassVar[str] = "a column date, and one column of closes per symbol"

    def recognise(self, file: SourceFile) -> float:
        """By a first column of dates and headings that are no field of a table: weak evidence."""
        header = header_of(file)
        if header is None or len(header.names) < 2 or plain(header.names[0]) not in TIME:
            return 0.0
        if any(not name or plain(name) in RESERVED for name in header.names[1:]):
            return 0.0
        lines = first_rows(file, 2)
        dated = len(lines) == 2 and pd.Series(lines[1][:1]).str.match(DATE_FORM).all()
        return 0.55 if dated else 0.0

    def read(self, file: SourceFile, venue: Venue) -> Iterator[Raw]:
        """Bars with a close and nothing else, day by day."""
        names = Header(csv_header(file), where=file.name).names
        empty = 0
        for rows in csv_rows(file):  # a batch has a bounded number of bytes, and so of cells
            ts = text_moments(rows, names[0], venue)
            closes = np.column_stack([rows.numbers(name) for name in names[1:]])
            read = np.ones(len(rows), dtype=bool)
            read[list(rows.reasons)] = False
            known = ~np.isnan(closes) & read[:, None]
            empty += int(np.count_nonzero(read)) * closes.shape[1] - int(np.count_nonzero(known))
            yield Raw("bars", _long(ts, rows.line, closes, names[1:], known), rows.rejects())
        if empty:
            yield remarks("bars", [f"{empty:,} empty cells are no bars"])

    def columns(self) -> tuple[str, ...]:
        """The heading that is always there."""
        return ("date",)


def _long(
    ts: Instants,
    line: npt.NDArray[np.int64],
    closes: npt.NDArray[np.float64],
    symbols: Sequence[str],
    known: npt.NDArray[np.bool_],
) -> pd.DataFrame:
    row, column = np.nonzero(known)
    absent = np.full(len(row), np.nan)
    cells = {
        "ts": ts[row],
        "symbol": pd.Series(np.asarray(symbols, dtype=object)[column], dtype="str"),
        **dict.fromkeys(("open", "high", "low"), absent),
        "close": closes[row, column],
        "volume": absent,
        "line": line[row],
    }
    return raw_frame(cells, np.ones(len(row), dtype=bool))
