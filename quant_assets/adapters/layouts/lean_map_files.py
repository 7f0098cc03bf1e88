"""Layout `lean_map_files`: the tickers of one instrument over time."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import pandas as pd

from quant_assets.adapters.files.csv_rows import first_rows
from quant_assets.adapters.layouts.base import FileLayout, Raw, SourceFile
from quant_assets.adapters.tabular.frames import raw_frame
from quant_assets.adapters.tabular.lean import DAY, SmallTable, begins_like, lean_name
from quant_assets.core.errors import DataError
from quant_assets.core.venues import Venue

_TICKER, _EXCHANGE = r"[A-Za-z][A-Za-z0-9.^-]*", r"[A-Za-z]*"
_COLUMNS = ("date", "ticker", "exchange")
IN_USE = np.datetime64("2050-01-01", "us")


class LeanMapFiles(FileLayout):
    """`yyyyMMdd,ticker,exchange`: first the day of listing, then each ticker's last day.

    A day from 2050 on means that the ticker is in use. The instrument's symbol is the file's name.
    """

    name: ClassVar[str] = "lean_map_files"
    expects: ClassVar[str] = "no headings: yyyyMMdd,ticker,exchange"

    def recognise(self, file: SourceFile) -> float:
        """By the form of the first lines; the exchange may be left out."""
        forms = ([DAY, _TICKER, _EXCHANGE], [DAY, _TICKER])
        return 0.9 if any(begins_like(file, form) for form in forms) else 0.0

    def read(self, file: SourceFile, venue: Venue) -> Iterator[Raw]:
        """The tickers, in order."""
        symbol = lean_name(file).symbol(venue)
        width = len(first_rows(file, 1)[0])
        yield Raw("aliases", _aliases(SmallTable(file, _COLUMNS[:width]), symbol))

    def columns(self) -> tuple[str, ...]:
        """What the cells mean."""
        return _COLUMNS


def _aliases(table: SmallTable, symbol: str) -> pd.DataFrame:
    tickers, days = table.words("ticker").str.upper(), table.days("date")
    if len(days) < 2:
        raise DataError(
            f"{table.name}: line 1: a listing without a last day; each ticker needs a line "
            "with its last day, 20501231 while it is in use"
        )
    first = days[:-1] + np.timedelta64(1, "D")
    first[0] = days[0]
    last = np.where(days[1:] >= IN_USE, np.datetime64("NaT", "us"), days[1:])
    cells = {
        "ts": first,
        "symbol": symbol,
        "ticker": tickers.iloc[1:].reset_index(drop=True),
        "last": last,
        "line": table.line[1:],
    }
    return raw_frame(cells, np.ones(len(first), dtype=bool))
