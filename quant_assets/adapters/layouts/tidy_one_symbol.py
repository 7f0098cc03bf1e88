"""Layout `tidy_one_symbol`: the bars of one instrument, after which the file is named."""

from collections.abc import Iterator
from typing import ClassVar

from quant_assets.adapters.layouts.base import FileLayout, Raw, SourceFile
from quant_assets.adapters.tabular.bar_columns import OPTIONAL, BarColumns, base_volume
from quant_assets.adapters.tabular.headers import SYMBOL, TIME
from quant_assets.adapters.tabular.long_form import one_instrument
from quant_assets.adapters.tabular.tables import header_of
from quant_assets.core.venues import Venue

# Other layouts of one instrument have these.
_FOREIGN = (*OPTIONAL["adjusted_close"], "tick_volume")


class TidyOneSymbol(FileLayout):
    """Columns time, open, high, low, close and volume; the file's name is the symbol's.

    Endings that tell length and span are no part of it: `6EH4.XCME_1min_bars_20240101_20240131.csv`
    holds bars of 6EH4.XCME.
    """

    name: ClassVar[str] = "tidy_one_symbol"
    expects: ClassVar[str] = "columns timestamp, open, high, low, close, volume; file SYMBOL.csv"

    def recognise(self, file: SourceFile) -> float:
        """By the columns; less sure than a layout that knows more of them."""
        header = header_of(file)
        if header is None or header.has(SYMBOL) or header.has(_FOREIGN):
            return 0.0
        return 0.7 if header.has(TIME, ("open",), ("high",), ("low",), ("close",)) else 0.0

    def read(self, file: SourceFile, venue: Venue) -> Iterator[Raw]:
        """Bars in the file's order."""
        table = one_instrument(file, venue)
        bars = BarColumns.of(table.header, venue, where=file.name)
        yield from map(base_volume, table.raws("bars", bars.used, bars.read))

    def columns(self) -> tuple[str, ...]:
        """The columns in their usual spelling."""
        return ("timestamp", "open", "high", "low", "close", "volume")
