"""Layout `lean_open_interest`: open interest of one future, in contracts."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from quant_assets.adapters.files.csv_rows import csv_rows
from quant_assets.adapters.layouts.base import FileLayout, Raw, SourceFile
from quant_assets.adapters.tabular.lean import STAMP, begins_like, lean_moments, lean_name
from quant_assets.core.venues import Venue

_COLUMNS = ("time", "open_interest")


class LeanOpenInterest(FileLayout):
    """`yyyyMMdd HH:mm,contracts`, named after root and expiry, as `es_openinterest_201312.csv`."""

    name: ClassVar[str] = "lean_open_interest"
    expects: ClassVar[str] = "no headings: yyyyMMdd HH:mm,contracts"

    def recognise(self, file: SourceFile) -> float:
        """By the form of the first lines."""
        return 0.9 if begins_like(file, [STAMP, r"\d+(\.0+)?"]) else 0.0

    def read(self, file: SourceFile, venue: Venue) -> Iterator[Raw]:
        """Snapshots in the file's order."""
        symbol = lean_name(file).symbol(venue)
        for rows in csv_rows(file, columns=_COLUMNS):
            found = {
                "ts": lean_moments(rows, venue),
                "symbol": symbol,
                "open_interest": rows.numbers("open_interest"),
                "open_interest_value": np.full(len(rows), np.nan),
                "unit": "contracts",
            }
            yield rows.raw("open_interest", found)

    def columns(self) -> tuple[str, ...]:
        """What the cells mean."""
        return _COLUMNS
