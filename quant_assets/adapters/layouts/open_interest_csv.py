"""Open interest as `t,oi,oi_usd`, one file per base asset."""

from collections.abc import Iterator

import pandas as pd

from quant_assets.adapters.files.csv_rows import column_notes, csv_rows, header
from quant_assets.adapters.files.native_symbols import named, of_base
from quant_assets.adapters.layouts.base import FileLayout, Raw, SourceFile
from quant_assets.core.errors import DataError
from quant_assets.core.venues import Venue

_COLUMNS = ("t", "oi", "oi_usd")


class OpenInterestCsv(FileLayout):
    """Open interest in base and its value in USD, at times in ms; gaps stay gaps.

    The value counts as one in the venue's currency, which has to be a dollar.
    """

    name = "open_interest_csv"
    expects = "t (ms), oi (base), oi_usd, in a file named like BTC_oi_5m.csv"

    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return _COLUMNS

    def recognise(self, file: SourceFile) -> float:
        """By the names."""
        return 1.0 if header(file)[:3] == _COLUMNS else 0.0

    def read(self, file: SourceFile, venue: Venue) -> Iterator[Raw]:
        """Rows of dataset `open_interest` of the base asset in the file's name."""
        match = named(file, r"(?P<base>[^\W_]+)_oi(?:_.*)?", like="BTC_oi_5m.csv")
        symbol = of_base(match["base"], venue)
        if symbol is None or "USD" not in venue.market.currency:
            raise DataError(
                f"{file.name}: values in USD, but venue {venue.name} has the currency "
                f"{venue.market.currency}. Deliver the file to a venue in dollars."
            )
        notes = column_notes(file, required=_COLUMNS)
        for rows in csv_rows(file):
            columns = {
                "ts": rows.stamps("t", "ms"),
                "symbol": symbol,
                "open_interest": rows.numbers("oi"),
                "open_interest_value": rows.numbers("oi_usd"),
                "unit": pd.Series(["base"] * len(rows), dtype="str"),
            }
            yield rows.raw("open_interest", columns, notes=notes)
            notes = []
