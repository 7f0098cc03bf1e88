"""Layout `tidy_bars`: bars in long form, parquet or delimited text."""

from collections.abc import Iterator
from typing import ClassVar

from quant_assets.adapters.files.stamps import from_text
from quant_assets.adapters.layouts.base import FileLayout, Raw, SourceFile
from quant_assets.adapters.tabular.bar_columns import BarColumns, base_volume, collected_after
from quant_assets.adapters.tabular.headers import SYMBOL, TIME
from quant_assets.adapters.tabular.long_form import Columns, LongTable
from quant_assets.adapters.tabular.tables import Batch, header_of
from quant_assets.core.venues import Venue

VINTAGE = ("file_date", "vintage")


class TidyBars(FileLayout):
    """Columns time, symbol, close, with open, high, low, volume and more where known.

    The time is the bar's open; the date of a daily bar becomes its UTC midnight. `file_date` or
    `vintage` (`20150324`) tells when the row was collected.
    """

    name: ClassVar[str] = "tidy_bars"
    expects: ClassVar[str] = "columns ts, symbol, open, high, low, close, volume"

    def recognise(self, file: SourceFile) -> float:
        """By the columns."""
        header = header_of(file)
        return 0.9 if header is not None and header.has(TIME, SYMBOL, ("close",)) else 0.0

    def read(self, file: SourceFile, venue: Venue) -> Iterator[Raw]:
        """Bars in the file's order."""
        table = LongTable(file, venue)
        bars = BarColumns.of(table.header, venue, where=file.name)
        vintage = table.header.find(VINTAGE)

        def columns(rows: Batch) -> Columns:
            found = bars.read(rows)
            if vintage is not None:
                found["collected_at"] = collected_after(from_text(rows.words(vintage), "%Y%m%d"))
            return found

        yield from map(base_volume, table.raws("bars", [*bars.used, vintage], columns))

    def columns(self) -> tuple[str, ...]:
        """The columns in their usual spelling."""
        return ("ts", "symbol", "open", "high", "low", "close", "volume")
