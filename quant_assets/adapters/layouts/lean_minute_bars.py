"""Layout `lean_minute_bars`: one session of minute or second trade bars of the LEAN engine."""

import re
from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from quant_assets.adapters.files.csv_rows import csv_rows
from quant_assets.adapters.layouts.base import FileLayout, Raw, SourceFile
from quant_assets.adapters.tabular.file_names import day_in, stem
from quant_assets.adapters.tabular.lean import EQUITY_SCALE, NUMBER, begins_like
from quant_assets.adapters.tabular.local_time import to_utc
from quant_assets.adapters.tabular.naming import Naming
from quant_assets.core.errors import DataError
from quant_assets.core.venues import Venue

_PRICES = ("open", "high", "low", "close")
_COLUMNS = ("time", *_PRICES, "volume")
_NAME = re.compile(r"\d{8}_(?P<root>[a-z0-9.^-]+)_(minute|second)_trade(_[a-z0-9_]+)?")
DAY_MS = 86_400_000


class LeanMinuteBars(FileLayout):
    """`milliseconds since midnight,open,high,low,close,volume`; the name has day and instrument.

    For example `20131007_trade.zip/20131007_spy_minute_trade.csv`. Midnight is that of the market's
    zone (of UTC around the clock), on a clock that is not moved during the session.
    """

    name: ClassVar[str] = "lean_minute_bars"
    expects: ClassVar[str] = "no headings: ms since midnight,open,high,low,close,volume"

    def recognise(self, file: SourceFile) -> float:
        """By the form of the first lines, and a name that has the day."""
        if _NAME.fullmatch(stem(file.name).lower()) is None:
            return 0.0
        return 0.9 if begins_like(file, [r"\d{1,8}", *[NUMBER] * 5]) else 0.0

    def read(self, file: SourceFile, venue: Venue) -> Iterator[Raw]:
        """Bars of the session, in the file's order."""
        match, day = _NAME.fullmatch(stem(file.name).lower()), day_in(stem(file.name))
        if match is None or day is None:
            raise DataError(
                f"{file.name}: the name tells neither day nor instrument; name it like "
                "20131007_spy_minute_trade.csv"
            )
        symbol = Naming(venue).of_file(match["root"].upper())
        equity, midnight = venue.market.asset_class == "equity", np.datetime64(day, "us")
        for rows in csv_rows(file, columns=_COLUMNS):
            time = rows.integers("time")
            rows.set_aside((time < 0) | (time >= DAY_MS), "time lies outside the day")
            stamps = midnight + time.astype("timedelta64[ms]")
            if venue.market.calendar != "24/7":
                stamps = to_utc(stamps, venue, line=rows.line, where=file.name)
            found = {"ts": stamps, "symbol": symbol}
            for name in _PRICES:
                found[name] = rows.integers(name) / EQUITY_SCALE if equity else rows.numbers(name)
            yield rows.raw("bars", {**found, "volume": rows.numbers("volume")})

    def columns(self) -> tuple[str, ...]:
        """What the cells mean."""
        return _COLUMNS
