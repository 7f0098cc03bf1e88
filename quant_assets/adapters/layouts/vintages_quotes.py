"""Layout `vintages_quotes`: daily quotes as they were collected, one archive per day."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from quant_assets.adapters.files.csv_rows import csv_rows, header
from quant_assets.adapters.layouts.base import FileLayout, Raw, SourceFile
from quant_assets.adapters.tabular.bar_columns import BarColumns, collected_after
from quant_assets.adapters.tabular.file_names import day_in
from quant_assets.adapters.tabular.tables import open_table
from quant_assets.adapters.tabular.text_moments import text_moments
from quant_assets.core.errors import DataError
from quant_assets.core.venues import Venue

_HEADER = ("symbol", "date", "open", "high", "low", "close", "volume", "adj_close")


class VintagesQuotes(FileLayout):
    """`prices.csv` of an archive that is named after its day, as `20150324.tar.gz`.

    Every archive repeats the day before with what was known then, so `collected_at` (the end of the
    archive's day, UTC) orders the versions of a row. Prices are unadjusted. A line of headings in
    the middle, where two collections were joined, is set aside.
    """

    name: ClassVar[str] = "vintages_quotes"
    expects: ClassVar[str] = f"columns {','.join(_HEADER)} in an archive like 20150324.tar.gz"

    def recognise(self, file: SourceFile) -> float:
        """By the columns and their order, in a file or archive with a day in its name."""
        return 1.0 if header(file) == _HEADER and day_in(file.name) is not None else 0.0

    def read(self, file: SourceFile, venue: Venue) -> Iterator[Raw]:
        """Daily bars with the vintage of the archive."""
        day = day_in(file.name)
        if day is None:
            raise DataError(
                f"{file.name}: neither file nor archive is named after the day of collection; "
                "name it like 20150324.tar.gz"
            )
        bars = BarColumns.of(open_table(file), venue, where=file.name)
        known = collected_after(np.array([day], dtype="datetime64[us]"))
        for rows in csv_rows(file):
            words = rows.words("symbol")
            repeated = (words == "symbol") & (rows.words("date") == "date")
            rows.set_aside(repeated.to_numpy(dtype=bool), "the line of headings once more")
            found = {"ts": text_moments(rows, "date", venue), "symbol": words, **bars.read(rows)}
            yield rows.raw("bars", {**found, "collected_at": known.repeat(len(rows))})

    def columns(self) -> tuple[str, ...]:
        """The columns, in their order."""
        return _HEADER
