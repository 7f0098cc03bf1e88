"""Liquidation snapshots of Binance's archive."""

from collections.abc import Iterator

from quant_assets.adapters.files.csv_rows import column_notes, csv_rows, header
from quant_assets.adapters.files.liquidation_rows import ForceOrderColumns, forced_orders
from quant_assets.adapters.files.native_symbols import named, symbol_named
from quant_assets.adapters.layouts.base import FileLayout, Raw, SourceFile
from quant_assets.core.venues import Venue

_COLUMNS = (
    *("time", "side", "order_type", "time_in_force", "original_quantity", "price"),
    *("average_price", "order_status", "last_fill_quantity", "accumulated_fill_quantity"),
)
_LIKE = "BTCUSD_PERP-liquidationSnapshot-2023-06-25.csv"


class BinanceLiquidations(FileLayout):
    """Forced orders at their times in ms; the archive repeats lines, which have equal ids."""

    name = "binance_liquidations"
    expects = "10 columns from time to accumulated_fill_quantity, in a file named like " + _LIKE

    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return _COLUMNS

    def recognise(self, file: SourceFile) -> float:
        """By the names."""
        return 1.0 if set(_COLUMNS) <= set(header(file)) else 0.0

    def read(self, file: SourceFile, venue: Venue) -> Iterator[Raw]:
        """Rows of dataset `liquidations` of the instrument in the file's name."""
        match = named(file, r"(?P<symbol>.+?)-liquidationSnapshot.*", like=_LIKE)
        symbol = symbol_named(file, match["symbol"], venue)
        notes = column_notes(file, required=_COLUMNS)
        for rows in csv_rows(file):
            yield forced_orders(rows, symbol, ForceOrderColumns(), notes)
            notes = []
