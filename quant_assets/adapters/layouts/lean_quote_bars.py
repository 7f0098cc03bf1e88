"""Layout `lean_quote_bars`: bars of bid and ask of the LEAN engine, read as mid prices."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from quant_assets.adapters.files.csv_rows import csv_rows
from quant_assets.adapters.layouts.base import FileLayout, Raw, SourceFile
from quant_assets.adapters.tabular.frames import remarks
from quant_assets.adapters.tabular.lean import NUMBER, STAMP, begins_like, lean_moments, lean_name
from quant_assets.core.venues import Venue

_PRICES = ("open", "high", "low", "close")
_COLUMNS = (
    "time",
    *(f"bid_{name}" for name in (*_PRICES, "size")),
    *(f"ask_{name}" for name in (*_PRICES, "size")),
)


class LeanQuoteBars(FileLayout):
    """`yyyyMMdd HH:mm`, then open, high, low, close and size of the bid, and the same of the ask.

    Each price is `(bid + ask) / 2` of its own field, so high and low are those of the sides and
    not of the mid itself, which nobody recorded. An ask below its bid has no mid: the line is set
    aside. Quotes have no volume: it is NaN.
    """

    name: ClassVar[str] = "lean_quote_bars"
    expects: ClassVar[str] = "no headings: yyyyMMdd HH:mm, 5 cells of the bid, 5 of the ask"

    def recognise(self, file: SourceFile) -> float:
        """By the form of the first lines."""
        return 0.9 if begins_like(file, [STAMP, *[NUMBER] * 10]) else 0.0

    def read(self, file: SourceFile, venue: Venue) -> Iterator[Raw]:
        """Bars of mid prices in the file's order."""
        symbol = lean_name(file).symbol(venue)
        for rows in csv_rows(file, columns=_COLUMNS):
            found = {"ts": lean_moments(rows, venue), "symbol": symbol}
            for name in _PRICES:
                bid, ask = rows.numbers(f"bid_{name}"), rows.numbers(f"ask_{name}")
                rows.set_aside(ask < bid, f"{name}: the ask is below the bid, there is no mid")
                found[name] = (bid + ask) / 2.0
            yield rows.raw("bars", {**found, "volume": np.full(len(rows), np.nan)})
        yield remarks("bars", ["prices are mids, (bid + ask) / 2 of each field; no volume"])

    def columns(self) -> tuple[str, ...]:
        """What the cells mean."""
        return _COLUMNS
