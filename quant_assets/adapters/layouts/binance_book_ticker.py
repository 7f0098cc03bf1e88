"""Best bid and ask of Binance's archive."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from quant_assets.adapters.files.csv_rows import Rows, column_notes, csv_rows, header
from quant_assets.adapters.files.native_symbols import is_inverse, named, symbol_named
from quant_assets.adapters.layouts.base import FileLayout, Raw, SourceFile
from quant_assets.core.errors import DataError
from quant_assets.core.venues import Venue

_QUOTE = ("best_bid_price", "best_bid_qty", "best_ask_price", "best_ask_qty")
_COLUMNS = ("update_id", *_QUOTE, "transaction_time", "event_time")
_BOOK = ("bid_price", "bid_quantity", "ask_price", "ask_quantity")
_LIKE = "BTCUSDT-bookTicker-2024-01-31.csv"


class BinanceBookTicker(FileLayout):
    """Level 0 of the book at transaction times in ms.

    Of several updates in one millisecond the last one is the book of that time; the note counts
    the others.
    """

    name = "binance_book_ticker"
    expects = "7 columns from update_id to event_time, in a file named like " + _LIKE

    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return _COLUMNS

    def recognise(self, file: SourceFile) -> float:
        """By the names."""
        return 1.0 if set(_COLUMNS) <= set(header(file)) else 0.0

    def read(self, file: SourceFile, venue: Venue) -> Iterator[Raw]:
        """Rows of dataset `order_book` of the instrument in the file's name."""
        match = named(file, r"(?P<symbol>.+?)-bookTicker.*", like=_LIKE)
        symbol = symbol_named(file, match["symbol"], venue)
        if is_inverse(symbol):
            raise DataError(
                f"{file.name}: quantities of a coin-margined contract are contracts, not base. "
                "Deliver the book of a linear contract."
            )
        notes = column_notes(file, required=_COLUMNS)
        held, superseded = pd.DataFrame(), 0
        for rows in csv_rows(file):
            raw = _quotes(rows, symbol)
            frame = pd.concat([held, raw.frame], ignore_index=True) if len(held) else raw.frame
            ts = frame["ts"].to_numpy()
            last = np.append(ts[1:] != ts[:-1], True) if len(ts) else np.empty(0, dtype=bool)
            superseded += int((~last).sum())
            settled = frame[last]
            held = settled.iloc[-1:]  # the next batch may go on in the same millisecond
            yield Raw("order_book", settled.iloc[:-1].reset_index(drop=True), raw.rejects, notes)
            notes = []
        if superseded:
            notes = [f"{superseded} quotes were followed by another in the same millisecond"]
        yield Raw("order_book", held.reset_index(drop=True), notes=notes)


def _quotes(rows: Rows, symbol: str) -> Raw:
    columns = {
        "ts": rows.stamps("transaction_time", "ms"),
        "symbol": symbol,
        "level": np.zeros(len(rows), dtype=np.int64),
    }
    numbers = {ours: rows.numbers(theirs) for ours, theirs in zip(_BOOK, _QUOTE, strict=True)}
    return rows.raw("order_book", columns | numbers)
