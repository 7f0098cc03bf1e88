"""Klines of Binance's archive, with and without a first line of names, and as crawled by REST."""

from collections.abc import Iterator
from typing import Any

from quant_assets.adapters.files.csv_rows import Rows, column_notes, csv_rows, first_rows, header
from quant_assets.adapters.files.native_symbols import (
    check_step,
    is_inverse,
    named,
    symbol_named,
)
from quant_assets.adapters.files.stamps import DIGITS, one_unit_later
from quant_assets.adapters.layouts.base import FileLayout, Raw, SourceFile
from quant_assets.core.venues import Venue

_PRICES = ("open", "high", "low", "close", "volume")
_ARCHIVE = (
    *("open_time", *_PRICES, "close_time", "quote_volume", "count"),
    *("taker_buy_volume", "taker_buy_quote_volume", "ignore"),
)
_CRAWLED = ("timestamp", *_PRICES, "quote_volume", "trades", "close_time")
_NAME = r"(?P<symbol>[^\W_]+(?:_(?:PERP|\d{6}))?)(?:-(?P<step>\d+[a-zA-Z]+)(?:-[\d-]+)?)?"
_STAMP_DIGITS = {DIGITS["ms"], DIGITS["us"]}


class BinanceKlines(FileLayout):
    """Bars with open and close time in ms, or in us (spot from 2025 on).

    The close time is the last instant of the bar: `closes_at` is one unit later. Volume of a
    coin-margined contract is taken from the column of base volume, because the first one counts
    contracts. Klines of mark and index prices look alike: their bars, which have trades and no
    volume, are set aside.
    """

    name = "binance_klines"
    expects = (
        "12 columns from open_time to ignore, or timestamp to close_time, with times in ms or us, "
        "in a file named like BTCUSDT-1m-2024-01.csv"
    )

    def columns(self) -> tuple[str, ...]:
        """Names of the archive's columns."""
        return _ARCHIVE

    def recognise(self, file: SourceFile) -> float:
        """By the names, or by two times around five numbers."""
        names = set(header(file))
        if set(_ARCHIVE[:7]) <= names or set(_CRAWLED) <= names:
            return 1.0
        return 0.9 if _headerless(file) else 0.0

    def read(self, file: SourceFile, venue: Venue) -> Iterator[Raw]:
        """Bars of the instrument in the file's name."""
        match = named(file, _NAME, like="BTCUSDT-1m-2024-01.csv")
        symbol = symbol_named(file, match["symbol"], venue)
        if match["step"]:
            check_step(file, match["step"], venue)
        if _headerless(file):
            for rows in csv_rows(file, columns=_ARCHIVE):
                yield _bars(rows, symbol, "open_time", [])
            return
        opens = "timestamp" if "timestamp" in header(file) else "open_time"
        notes = column_notes(
            file, required=(opens, *_PRICES, "close_time"), optional=_ARCHIVE + _CRAWLED
        )
        for rows in csv_rows(file):
            yield _bars(rows, symbol, opens, notes)
            notes = []


def _headerless(file: SourceFile) -> bool:
    cells = first_rows(file, 1)
    return (
        bool(cells)
        and len(cells[0]) == len(_ARCHIVE)
        and all(c.isdecimal() and len(c) in _STAMP_DIGITS for c in (cells[0][0], cells[0][6]))
    )


def _bars(rows: Rows, symbol: str, opens: str, notes: list[str]) -> Raw:
    closing = rows.integers("close_time")
    numbers = {name: rows.numbers(name) for name in _PRICES}
    columns: dict[str, Any] = {
        "ts": rows.stamps(opens, "ms", "us"),
        "symbol": symbol,
        "closes_at": one_unit_later(closing, rows.stamps("close_time", "ms", "us")),
        **numbers,
    }
    names = rows.table.schema.names
    count = "count" if "count" in names else "trades"
    if count in names:
        columns["trades"] = rows.integers(count)
        phantom = (columns["trades"] > 0) & (numbers["volume"] == 0)
        rows.set_aside(phantom, "trades without volume: a kline of a mark or index price")
    if "quote_volume" in names:
        other = rows.numbers("quote_volume")
        columns["volume" if is_inverse(symbol) else "quote_volume"] = other
    return rows.raw("bars", columns, notes=notes)
