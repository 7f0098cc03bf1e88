"""Layout `tidy_adjustments`: splits, dividends, forks and their like in long form."""

from collections.abc import Iterator
from typing import ClassVar

from quant_assets.adapters.layouts.base import FileLayout, Raw, SourceFile
from quant_assets.adapters.tabular.headers import SYMBOL, TIME
from quant_assets.adapters.tabular.long_form import Columns, LongTable
from quant_assets.adapters.tabular.tables import Batch, header_of
from quant_assets.core.venues import Venue

KIND = ("kind",)
FACTOR = ("price_factor",)


class TidyAdjustments(FileLayout):
    """Columns time, symbol, kind and price_factor.

    The time is when the event takes effect; prices before it are multiplied by the factor to be
    comparable with those after it. Kinds: split, denomination, dividend, fork, airdrop.
    """

    name: ClassVar[str] = "tidy_adjustments"
    expects: ClassVar[str] = "columns ts, symbol, kind, price_factor, in parquet or CSV"

    def recognise(self, file: SourceFile) -> float:
        """By the columns."""
        header = header_of(file)
        return 0.9 if header is not None and header.has(TIME, SYMBOL, KIND, FACTOR) else 0.0

    def read(self, file: SourceFile, venue: Venue) -> Iterator[Raw]:
        """Events in the file's order."""
        table = LongTable(file, venue)
        kind = table.header.need(KIND, meaning="the kind")
        factor = table.header.need(FACTOR, meaning="the factor")

        def columns(rows: Batch) -> Columns:
            return {
                "kind": rows.words(kind).str.strip().str.lower(),
                "price_factor": rows.numbers(factor),
            }

        yield from table.raws("adjustments", [kind, factor], columns)

    def columns(self) -> tuple[str, ...]:
        """The columns in their usual spelling."""
        return ("ts", "symbol", "kind", "price_factor")
