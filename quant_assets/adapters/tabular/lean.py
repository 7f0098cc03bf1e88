"""What files in the layout of the LEAN engine have in common: no headings, names that tell."""

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.adapters.files.csv_rows import Rows, csv_rows, first_rows
from quant_assets.adapters.files.stamps import Instants
from quant_assets.adapters.layouts.base import SourceFile
from quant_assets.adapters.tabular.file_names import stem
from quant_assets.adapters.tabular.local_time import to_utc
from quant_assets.adapters.tabular.naming import Naming
from quant_assets.core.errors import DataError
from quant_assets.core.venues import Venue

STAMP = r"\d{8} \d{2}:\d{2}"
DAY = r"\d{8}"
NUMBER = r"-?\d*\.?\d*([eE][+-]?\d+)?"
EQUITY_SCALE = 10_000.0
MAX_LINES = 100_000
_NAME = re.compile(
    r"(?P<root>[a-z0-9.^-]+?)(_(?P<kind>trade|quote|openinterest))?(_(?P<expiry>\d{6}(\d{2})?))?"
)


@dataclass(frozen=True)
class LeanName:
    """What a file is called after: an instrument, and of a future its expiry (`yyyyMM`)."""

    root: str
    kind: str
    expiry: str

    def symbol(self, venue: Venue) -> str:
        """`AAPL`; a future is `ES-201312`; crypto pairs are unified.

        Mid prices of a contract are `ES-201312-QUOTE`, because its trades are another series.
        """
        root = Naming(venue).of_file(self.root.upper())
        if not self.expiry:
            return root
        return f"{root}-{self.expiry}" + ("-QUOTE" if self.kind == "quote" else "")


def lean_name(file: SourceFile) -> LeanName:
    """Parts of a file's name; `DataError` when it is not one of LEAN's."""
    match = _NAME.fullmatch(stem(file.name).lower())
    if match is None:
        raise DataError(
            f"{file.name}: the rows do not name their instrument, and the name is none of LEAN's. "
            "Name it like aapl.csv or es_trade_201312.csv"
        )
    return LeanName(match["root"], match["kind"] or "", match["expiry"] or "")


def begins_like(file: SourceFile, cells: list[str]) -> bool:
    """Whether the cells of the first line are as these patterns say."""
    lines = first_rows(file, 1)
    return (
        len(lines) == 1
        and len(lines[0]) == len(cells)
        and all(re.fullmatch(p, c) is not None for p, c in zip(cells, lines[0], strict=True))
    )


def lean_moments(rows: Rows, venue: Venue) -> Instants:
    """UTC instants of the column `time`, `yyyyMMdd HH:mm`.

    Around the clock LEAN writes UTC; elsewhere the hours of the market's zone, and the date of a
    daily bar with 00:00, which becomes its UTC midnight.
    """
    stamps = rows.text_stamps("time", "%Y%m%d %H:%M")
    if venue.market.calendar == "24/7":
        return stamps
    return to_utc(stamps, venue, line=rows.line, where=rows.reading.file)


class SmallTable:
    """All lines of a short file, in which every line changes the meaning of its neighbours.

    So none can be set aside: `days` refuses the file when one could not be read.
    """

    def __init__(self, file: SourceFile, columns: tuple[str, ...]) -> None:
        self.name = file.name
        self._batches: list[Rows] = []
        for rows in csv_rows(file, columns=columns):
            self._batches.append(rows)
            if sum(map(len, self._batches)) > MAX_LINES:
                raise DataError(
                    f"{file.name}: more than {MAX_LINES:,} lines about one instrument. Is it "
                    "another format?"
                )
        self.line = np.concatenate([rows.line for rows in self._batches])

    def numbers(self, column: str) -> npt.NDArray[np.float64]:
        """Numbers above 0, shape (lines,)."""
        found = []
        for rows in self._batches:
            values = rows.numbers(column)
            rows.set_aside(~(values > 0), f"{column} is not above 0")
            found.append(values)
        return np.concatenate(found)

    def words(self, column: str) -> pd.Series:
        """Cells as text."""
        return pd.concat([rows.words(column) for rows in self._batches], ignore_index=True)

    def days(self, column: str) -> Instants:
        """Days `yyyyMMdd`, each later than the one before; asked for after the other columns."""
        days = np.concatenate([rows.text_stamps(column, "%Y%m%d") for rows in self._batches])
        for rows in self._batches:
            rejects = rows.rejects()
            if rejects is not None:
                first = rejects.iloc[0]
                raise DataError(
                    f"{self.name}: line {first['line']}: {first['reason']} ({first['text']!r}). "
                    "Every line counts here: fetch the file again"
                )
        back = np.flatnonzero(np.diff(days) <= np.timedelta64(0))
        if back.size:
            row = int(back[0])
            raise DataError(
                f"{self.name}: line {int(self.line[row + 1])}: {str(days[row + 1])[:10]} does not "
                f"come after {str(days[row])[:10]}. Sort the file by date, or fetch it again"
            )
        return days
