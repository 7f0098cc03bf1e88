"""Funding rates of Binance: the archive's files, and those crawled by REST."""

from collections.abc import Iterator

from quant_assets.adapters.files.csv_rows import column_notes, csv_rows, header
from quant_assets.adapters.files.native_symbols import named, symbol_named, symbols_of, unified
from quant_assets.adapters.layouts.base import FileLayout, Raw, SourceFile
from quant_assets.core.venues import Venue

_ARCHIVE = ("calc_time", "funding_interval_hours", "last_funding_rate")
_CRAWLED = ("timestamp", "symbol", "funding_rate")


class BinanceFunding(FileLayout):
    """Rates as fractions of notional at their times in ms, some of which are past the hour."""

    name = "binance_funding"
    expects = (
        "calc_time, funding_interval_hours, last_funding_rate in a file named like "
        "BTCUSDT-fundingRate-2024-01.csv, or timestamp, symbol, funding_rate; times in ms"
    )

    def columns(self) -> tuple[str, ...]:
        """Names of the archive's columns."""
        return _ARCHIVE

    def recognise(self, file: SourceFile) -> float:
        """By the names, in their order."""
        return 1.0 if header(file)[:3] in {_ARCHIVE, _CRAWLED} else 0.0

    def read(self, file: SourceFile, venue: Venue) -> Iterator[Raw]:
        """Rates of the instrument in the file's name, or in its rows."""
        if header(file)[:3] == _ARCHIVE:
            yield from _archive(file, venue)
            return
        notes = column_notes(file, required=_CRAWLED)
        for rows in csv_rows(file):
            symbol, strange = symbols_of(rows.words("symbol"), lambda word: unified(word, venue))
            rows.set_aside(strange, "symbol is not a base with a known quote currency")
            columns = {
                "ts": rows.stamps("timestamp", "ms"),
                "symbol": symbol,
                "rate": rows.numbers("funding_rate"),
            }
            yield rows.raw("funding", columns, notes=notes)
            notes = []


def _archive(file: SourceFile, venue: Venue) -> Iterator[Raw]:
    match = named(file, r"(?P<symbol>.+?)-fundingRate.*", like="BTCUSDT-fundingRate-2024-01.csv")
    symbol = symbol_named(file, match["symbol"], venue)
    notes = column_notes(file, required=_ARCHIVE)
    for rows in csv_rows(file):
        columns = {
            "ts": rows.stamps("calc_time", "ms"),
            "symbol": symbol,
            "rate": rows.numbers("last_funding_rate"),
        }
        yield rows.raw("funding", columns, notes=notes)
        notes = []
