"""Layout `lean_bars`: daily and hourly trade bars of the LEAN engine."""

from collections.abc import Iterator
from typing import ClassVar

from quant_assets.adapters.files.csv_rows import csv_rows
from quant_assets.adapters.layouts.base import FileLayout, Raw, SourceFile
from quant_assets.adapters.tabular.lean import (
    EQUITY_SCALE,
    NUMBER,
    STAMP,
    begins_like,
    lean_moments,
    lean_name,
)
from quant_assets.core.venues import Venue

_PRICES = ("open", "high", "low", "close")
_COLUMNS = ("time", *_PRICES, "volume")


class LeanBars(FileLayout):
    """`yyyyMMdd HH:mm,open,high,low,close,volume`, named after the instrument.

    Prices of equities are integers, 10,000 times the price, and unadjusted; those of futures and
    crypto are plain. A file is named after the ticker of its days: wm.csv has Washington Mutual
    until 2008 and Waste Management from 2009 on, as the map file of WM tells. Bars are stored
    under the ticker and become their instruments on read.
    """

    name: ClassVar[str] = "lean_bars"
    expects: ClassVar[str] = "no headings: yyyyMMdd HH:mm,open,high,low,close,volume"

    def recognise(self, file: SourceFile) -> float:
        """By the form of the first lines."""
        return 0.9 if begins_like(file, [STAMP, *[NUMBER] * 5]) else 0.0

    def read(self, file: SourceFile, venue: Venue) -> Iterator[Raw]:
        """Bars in the file's order."""
        symbol = lean_name(file).symbol(venue)
        equity = venue.market.asset_class == "equity"
        for rows in csv_rows(file, columns=_COLUMNS):
            found = {"ts": lean_moments(rows, venue), "symbol": symbol}
            for name in _PRICES:
                found[name] = rows.integers(name) / EQUITY_SCALE if equity else rows.numbers(name)
            yield rows.raw("bars", {**found, "volume": rows.numbers("volume")})

    def columns(self) -> tuple[str, ...]:
        """What the cells mean."""
        return _COLUMNS
