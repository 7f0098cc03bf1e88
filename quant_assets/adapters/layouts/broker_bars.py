"""Layout `broker_bars`: a broker's bars, prices as integers, volume as a count of ticks."""

import re
from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from quant_assets.adapters.files.csv_rows import Rows, csv_rows
from quant_assets.adapters.layouts.base import FileLayout, Raw, SourceFile
from quant_assets.adapters.tabular.file_names import instrument
from quant_assets.adapters.tabular.frames import remarks
from quant_assets.adapters.tabular.headers import PRICES, SYMBOL, TIME
from quant_assets.adapters.tabular.scales import declared_scale
from quant_assets.adapters.tabular.tables import header_of, open_table
from quant_assets.adapters.tabular.text_moments import text_moments
from quant_assets.core.venues import Venue

TICKS = ("tick_volume",)
WHOLE = 1e-6
_LENGTH = re.compile(r"(?<=[A-Z0-9])([mhdw]\d{1,2}|mn1?)$")  # GBPUSDh1 are hours of GBPUSD


class BrokerBars(FileLayout):
    """Columns Date, open, high, low, close, tick_volume of the pair that the file is named after.

    Prices are integers that were written as floats (`104838.00000000001`): they are rounded and
    divided by the venue's `provider.settings.scale`, without which nothing is read. Ticks are
    quotes, not a volume: `volume` is NaN. Hours are those of the venue's `market.time_zone`.
    """

    name: ClassVar[str] = "broker_bars"
    expects: ClassVar[str] = "columns Date,open,high,low,close,tick_volume; file GBPUSDh1.csv"

    def recognise(self, file: SourceFile) -> float:
        """By the column of ticks."""
        header = header_of(file)
        if header is None or header.has(SYMBOL):
            return 0.0
        return 0.9 if header.has(TIME, TICKS, *PRICES.values()) else 0.0

    def read(self, file: SourceFile, venue: Venue) -> Iterator[Raw]:
        """Bars in the file's order."""
        symbol = _LENGTH.sub("", instrument(file.name))
        header = open_table(file)
        scale = declared_scale(file, venue, symbol=symbol, like=100_000)
        time = header.need(TIME, meaning="the time")
        fields = {name: header.need(known, meaning=name) for name, known in PRICES.items()}
        for rows in csv_rows(file):
            found = {
                "ts": text_moments(rows, time, venue),
                "symbol": symbol,
                **{name: _scaled(rows, column, scale) for name, column in fields.items()},
                "volume": np.full(len(rows), np.nan),
            }
            yield rows.raw("bars", found)
        ticks = header.find(TICKS)
        notes = header.surplus([time, *fields.values(), ticks])
        yield remarks("bars", [*notes, f"column {ticks!r} counts quotes: there is no volume"])

    def columns(self) -> tuple[str, ...]:
        """The columns as published."""
        return ("Date", "open", "high", "low", "close", "tick_volume")


def _scaled(rows: Rows, column: str, scale: float) -> npt.NDArray[np.float64]:
    published = rows.numbers(column)
    whole = np.rint(published)
    rows.set_aside(np.abs(published - whole) > WHOLE, f"{column} is no whole number of 1/{scale:g}")
    return np.asarray(whole / scale)
