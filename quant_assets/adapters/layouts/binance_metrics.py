"""Open interest of Binance: the archive's daily `metrics`, and that crawled by REST."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from quant_assets.adapters.files.csv_rows import Rows, column_notes, csv_rows, header
from quant_assets.adapters.files.native_symbols import is_inverse, symbols_of, unified
from quant_assets.adapters.layouts.base import FileLayout, Raw, SourceFile
from quant_assets.core.venues import Venue

_INTEREST = ("symbol", "sum_open_interest", "sum_open_interest_value")
_RATIOS = (
    *("count_toptrader_long_short_ratio", "sum_toptrader_long_short_ratio"),
    *("count_long_short_ratio", "sum_taker_long_short_vol_ratio"),
)
_ARCHIVE = ("create_time", *_INTEREST)
_CRAWLED = ("timestamp", *_INTEREST)
_TIME = "%Y-%m-%d %H:%M:%S"


class BinanceMetrics(FileLayout):
    """Open interest in base and its value in quote; ratios of longs to shorts are not read.

    The archive writes its times as text, which is UTC. For a coin-margined contract the first
    number counts contracts, and the second is in base: it is no value in quote and is left out.
    """

    name = "binance_metrics"
    expects = (
        "create_time (like 2024-01-31 00:05:00) or timestamp (ms), symbol, sum_open_interest, "
        "sum_open_interest_value"
    )

    def columns(self) -> tuple[str, ...]:
        """Names of the archive's columns."""
        return _ARCHIVE + _RATIOS

    def recognise(self, file: SourceFile) -> float:
        """By the names, in their order."""
        return 1.0 if header(file)[:4] in {_ARCHIVE, _CRAWLED} else 0.0

    def read(self, file: SourceFile, venue: Venue) -> Iterator[Raw]:
        """Rows of dataset `open_interest`."""
        crawled = header(file)[0] == _CRAWLED[0]
        required = _CRAWLED if crawled else _ARCHIVE
        notes = column_notes(file, required=required, optional=_RATIOS)
        for rows in csv_rows(file):
            if crawled:
                ts = rows.stamps("timestamp", "ms")
            else:
                ts = rows.text_stamps("create_time", _TIME)
            yield _interest(rows, ts, venue, notes)
            notes = []


def _interest(rows: Rows, ts: np.ndarray, venue: Venue, notes: list[str]) -> Raw:
    symbol, strange = symbols_of(rows.words("symbol"), lambda word: unified(word, venue))
    rows.set_aside(strange, "symbol is not a base with a known quote currency")
    inverse = symbol.isin([name for name in symbol.unique() if is_inverse(name)]).to_numpy()
    columns = {
        "ts": ts,
        "symbol": symbol,
        "open_interest": rows.numbers("sum_open_interest"),
        "open_interest_value": np.where(inverse, np.nan, rows.numbers("sum_open_interest_value")),
        "unit": pd.Series(np.where(inverse, "contracts", "base"), dtype="str"),
    }
    return rows.raw("open_interest", columns, notes=notes)
