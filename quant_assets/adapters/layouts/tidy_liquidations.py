"""Layout `tidy_liquidations`: forced orders in long form, parquet or delimited text."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from quant_assets.adapters.layouts.base import FileLayout, Raw, SourceFile
from quant_assets.adapters.tabular.headers import SYMBOL, TIME
from quant_assets.adapters.tabular.long_form import Columns, LongTable, numbers_or_nan
from quant_assets.adapters.tabular.tables import Batch, header_of
from quant_assets.core.venues import Venue

SIDE, PRICE, AVERAGE = ("side",), ("price",), ("average_price",)
# What was filled is what was liquidated; the order's size only where fills are not published.
QUANTITY = ("accumulated_filled_quantity", "quantity", "original_quantity")
EVENT = ("event_id",)
_OF_FORCED_ORDERS = ("order_status", "time_in_force", "accumulated_filled_quantity", "event_id")


class TidyLiquidations(FileLayout):
    """Columns time, symbol, side, price, quantity, with `average_price` and `event_id` if known.

    The average fill price counts where there is one, else the order's.
    """

    name: ClassVar[str] = "tidy_liquidations"
    expects: ClassVar[str] = "columns ts, symbol, side, price, average_price, quantity, event_id"

    def recognise(self, file: SourceFile) -> float:
        """By the columns; trades look alike, so a bare table needs the word in its name."""
        header = header_of(file)
        if header is None or not header.has(TIME, SYMBOL, SIDE, PRICE, QUANTITY):
            return 0.0
        if header.find(_OF_FORCED_ORDERS):
            return 0.9
        return 0.6 if "liquidation" in file.name.lower() else 0.0

    def read(self, file: SourceFile, venue: Venue) -> Iterator[Raw]:
        """Orders at their exact times; `event_id` is empty where the source gives none."""
        table = LongTable(file, venue)
        header = table.header
        side, price = (header.need(known, meaning=known[0]) for known in (SIDE, PRICE))
        quantity = header.need(QUANTITY, meaning="the quantity")
        average, event = header.find(AVERAGE), header.find(EVENT)

        def columns(rows: Batch) -> Columns:
            filled = numbers_or_nan(rows, average)
            return {
                "event_id": rows.words(event) if event else "",
                "side": rows.words(side).str.lower(),
                "price": np.where(np.isnan(filled), rows.numbers(price), filled),
                "quantity": rows.numbers(quantity),
            }

        yield from table.raws("liquidations", [side, price, average, quantity, event], columns)

    def columns(self) -> tuple[str, ...]:
        """The columns in their usual spelling."""
        return ("ts", "symbol", "side", "price", "average_price", "quantity", "event_id")
