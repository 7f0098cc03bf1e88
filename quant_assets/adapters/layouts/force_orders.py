"""Force-order messages written line by line, without a line of names, as stream recorders do."""

from collections.abc import Iterator

from quant_assets.adapters.files.csv_rows import csv_rows, first_rows
from quant_assets.adapters.files.liquidation_rows import SIDES, ForceOrderColumns, forced_orders
from quant_assets.adapters.files.native_symbols import of_base, symbols_of
from quant_assets.adapters.files.stamps import DIGITS
from quant_assets.adapters.layouts.base import FileLayout, Raw, SourceFile
from quant_assets.core.venues import Venue

_COLUMNS = (
    *("symbol", "side", "order_type", "time_in_force", "original_quantity", "price"),
    *("average_price", "order_status", "last_filled_quantity", "accumulated_filled_quantity"),
    *("trade_time", "usd_size"),
)
_FIELDS = ForceOrderColumns(time="trade_time", filled="accumulated_filled_quantity")


class ForceOrders(FileLayout):
    """Twelve cells a line; the symbol is a base asset, in the venue's currency, or a native one.

    The word `None` as average price means that none was recorded. A symbol that is no single word
    (a recorder's greeting got in front of it) is set aside, not mended.
    """

    name = "force_orders"
    expects = "12 columns without names: " + ", ".join(_COLUMNS)

    def columns(self) -> tuple[str, ...]:
        """What the columns mean."""
        return _COLUMNS

    def recognise(self, file: SourceFile) -> float:
        """By the side and the time of the first line."""
        cells = first_rows(file, 1)
        if not cells or len(cells[0]) != len(_COLUMNS):
            return 0.0
        side, time = cells[0][1], cells[0][10]
        return 0.9 if side.lower() in SIDES and len(time) == DIGITS["ms"] else 0.0

    def read(self, file: SourceFile, venue: Venue) -> Iterator[Raw]:
        """Rows of dataset `liquidations`."""
        for rows in csv_rows(file, columns=_COLUMNS):
            symbol, strange = symbols_of(rows.words("symbol"), lambda word: of_base(word, venue))
            rows.set_aside(strange, "symbol is not a single word of letters and digits")
            yield forced_orders(rows, symbol, _FIELDS)
