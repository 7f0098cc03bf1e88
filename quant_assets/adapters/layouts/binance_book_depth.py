"""Book depth of Binance's archive: sums of the book by percent from its mid price."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from quant_assets.adapters.files.csv_rows import Rows, column_notes, csv_rows, header
from quant_assets.adapters.files.native_symbols import (
    contract_usd,
    is_inverse,
    named,
    symbol_named,
)
from quant_assets.adapters.layouts.base import FileLayout, Raw, SourceFile
from quant_assets.core.venues import Venue

_COLUMNS = ("timestamp", "percentage", "depth", "notional")
_LIKE = "BTCUSDT-bookDepth-2024-01-31.csv"
_TIME = "%Y-%m-%d %H:%M:%S"


class BinanceBookDepth(FileLayout):
    """Quantity and its worth within 0.2 to 5 percent of the mid price, bids below zero.

    Times are text, which is UTC. A level of an order book is a price with a quantity; these sums
    have neither the prices nor the mid price, so they are a data set of their own. For a
    coin-margined contract `depth` counts contracts and `notional` is in base: they become base and
    quote by the contract's fixed worth.
    """

    name = "binance_book_depth"
    expects = f"timestamp, percentage, depth, notional, in a file named like {_LIKE}"

    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return _COLUMNS

    def recognise(self, file: SourceFile) -> float:
        """By the names."""
        return 1.0 if set(_COLUMNS) <= set(header(file)) else 0.0

    def read(self, file: SourceFile, venue: Venue) -> Iterator[Raw]:
        """Rows of dataset `depth_bands` of the instrument in the file's name."""
        match = named(file, r"(?P<symbol>.+?)-bookDepth.*", like=_LIKE)
        symbol = symbol_named(file, match["symbol"], venue)
        notes = column_notes(file, required=_COLUMNS)
        for rows in csv_rows(file):
            depth, notional = _sums(rows, symbol)
            found = {
                "ts": rows.text_stamps("timestamp", _TIME),
                "symbol": symbol,
                "band_pct": rows.numbers("percentage"),
                "depth": depth,
                "notional": notional,
            }
            yield rows.raw("depth_bands", found, notes=notes)
            notes = []


def _sums(rows: Rows, symbol: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Quantity in base and worth in quote."""
    depth, notional = rows.numbers("depth"), rows.numbers("notional")
    if is_inverse(symbol):
        return notional, depth * contract_usd(symbol)
    return depth, notional
