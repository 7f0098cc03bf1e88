"""Layout `tidy_open_interest`: snapshots in long form, parquet or delimited text."""

from collections.abc import Iterator
from typing import ClassVar

from quant_assets.adapters.layouts.base import FileLayout, Raw, SourceFile
from quant_assets.adapters.tabular.headers import SYMBOL, TIME, Header
from quant_assets.adapters.tabular.long_form import Columns, LongTable, numbers_or_nan
from quant_assets.adapters.tabular.tables import Batch, header_of
from quant_assets.core.errors import DataError
from quant_assets.core.venues import Venue

# Binance's own name counts the base asset; a bare `open_interest` needs a column `unit`.
BASE = ("sum_open_interest", "open_interest_base")
BARE = ("open_interest",)
QUOTE = ("open_interest_value", "sum_open_interest_value", "oi_usd", "open_interest_usd")
UNIT = ("unit",)


class TidyOpenInterest(FileLayout):
    """Columns time, symbol, and one of `sum_open_interest` or `open_interest` with `unit`.

    A file that has nothing but the value in quote currency (`oi_usd`) is read in unit `quote`.
    """

    name: ClassVar[str] = "tidy_open_interest"
    expects: ClassVar[str] = "columns ts, symbol, open_interest, unit, open_interest_value"

    def recognise(self, file: SourceFile) -> float:
        """By the columns; a table that also has prices of bars is one of bars."""
        header = header_of(file)
        if header is None or not header.has(TIME, SYMBOL) or header.has(("close",)):
            return 0.0
        return 0.9 if header.find((*BASE, *BARE, *QUOTE)) else 0.0

    def read(self, file: SourceFile, venue: Venue) -> Iterator[Raw]:
        """Snapshots at their exact times."""
        table = LongTable(file, venue)
        header = table.header
        value, unit = header.find(QUOTE), header.find(UNIT)
        amount = header.find((*BASE, *BARE)) or value
        if amount is None:
            header.need((*BASE, *BARE, *QUOTE), meaning="the open interest")
        fixed = "" if unit else _unit(header, file.name)

        def columns(rows: Batch) -> Columns:
            return {
                "open_interest": numbers_or_nan(rows, amount),
                "open_interest_value": numbers_or_nan(rows, value),
                "unit": rows.words(unit) if unit else fixed,
            }

        yield from table.raws("open_interest", [amount, value, unit], columns)

    def columns(self) -> tuple[str, ...]:
        """The columns in their usual spelling."""
        return ("ts", "symbol", "open_interest", "unit", "open_interest_value")


def _unit(header: Header, where: str) -> str:
    if header.find(BASE):
        return "base"
    if header.find(BARE):
        raise DataError(
            f"{where}: column open_interest does not say what it counts. Add a column unit (base, "
            "contracts or quote), or name it sum_open_interest when it counts the base asset"
        )
    return "quote"
