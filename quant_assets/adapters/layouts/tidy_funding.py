"""Layout `tidy_funding`: settlements in long form, parquet or delimited text."""

from collections.abc import Iterator
from typing import ClassVar

from quant_assets.adapters.layouts.base import FileLayout, Raw, SourceFile
from quant_assets.adapters.tabular.headers import SYMBOL, TIME
from quant_assets.adapters.tabular.long_form import Columns, LongTable
from quant_assets.adapters.tabular.tables import Batch, header_of
from quant_assets.core.venues import Venue

RATE = ("funding_rate", "rate")
MARK = ("mark_price",)


class TidyFunding(FileLayout):
    """Columns time, symbol, funding_rate (a fraction per interval), and mark_price if known."""

    name: ClassVar[str] = "tidy_funding"
    expects: ClassVar[str] = "columns ts, symbol, funding_rate, in parquet or CSV"

    def recognise(self, file: SourceFile) -> float:
        """By the columns; a table that also has prices of bars is one of bars."""
        header = header_of(file)
        known = header is not None and header.has(TIME, SYMBOL, RATE) and not header.has(("close",))
        return 0.9 if known else 0.0

    def read(self, file: SourceFile, venue: Venue) -> Iterator[Raw]:
        """Rates at their exact times."""
        table = LongTable(file, venue)
        rate, mark = table.header.need(RATE, meaning="the rate"), table.header.find(MARK)

        def columns(rows: Batch) -> Columns:
            found: Columns = {"rate": rows.numbers(rate)}
            return found if mark is None else {**found, "mark_price": rows.numbers(mark)}

        yield from table.raws("funding", [rate, mark], columns)

    def columns(self) -> tuple[str, ...]:
        """The columns in their usual spelling."""
        return ("ts", "symbol", "funding_rate")
