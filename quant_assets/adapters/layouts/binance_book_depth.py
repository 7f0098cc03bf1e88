"""Book depth of Binance's archive: recognised, and refused with the reason."""

from collections.abc import Iterator

from quant_assets.adapters.files.csv_rows import header
from quant_assets.adapters.layouts.base import FileLayout, Raw, SourceFile
from quant_assets.core.errors import DataError
from quant_assets.core.venues import Venue

_COLUMNS = ("timestamp", "percentage", "depth", "notional")


class BinanceBookDepth(FileLayout):
    """Quantity within 0.2 to 5 percent of a mid price that the file does not have.

    A level of an order book is a price with a quantity. Neither the prices nor the mid price can
    be had from these sums, and an average price per band would be a level that never existed.
    """

    name = "binance_book_depth"
    expects = "timestamp, percentage, depth, notional; cannot be stored"

    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return _COLUMNS

    def recognise(self, file: SourceFile) -> float:
        """By the names."""
        return 1.0 if set(_COLUMNS) <= set(header(file)) else 0.0

    def read(self, file: SourceFile, venue: Venue) -> Iterator[Raw]:
        """Refuse."""
        del venue
        raise DataError(
            f"{file.name}: sums of quantity by percent from the mid price are no levels of an order"
            " book: there is no price in them. Deliver bookTicker files for the best bid and ask, "
            "or a recorded depth stream for levels."
        )
        yield
