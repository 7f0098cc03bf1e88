"""Layout `lean_factor_files`: splits and dividends of one instrument, as cumulative factors."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import pandas as pd

from quant_assets.adapters.files.csv_rows import Rows, csv_rows
from quant_assets.adapters.layouts.base import FileLayout, Raw, SourceFile
from quant_assets.adapters.tabular.frames import raw_frame
from quant_assets.adapters.tabular.lean import DAY, NUMBER, ascending_days, begins_like, lean_name
from quant_assets.core.errors import DataError
from quant_assets.core.venues import Venue

_COLUMNS = ("date", "price_factor", "split_factor", "reference_price")
_KINDS = {"dividend": "price_factor", "split": "split_factor"}


class LeanFactorFiles(FileLayout):
    """`yyyyMMdd,price factor,split factor,reference price`; a line holds up to its day.

    A change from one line to the next is an event after the session of the first: a dividend with
    the ratio of the price factors, a split with that of the split factors. Its `ts` is the UTC
    midnight after that session's date, which lies behind its bar and before the next one.
    """

    name: ClassVar[str] = "lean_factor_files"
    expects: ClassVar[str] = "no headings: yyyyMMdd,price factor,split factor,reference price"

    def recognise(self, file: SourceFile) -> float:
        """By the form of the first lines."""
        return 0.9 if begins_like(file, [DAY, *[NUMBER] * 3]) else 0.0

    def read(self, file: SourceFile, venue: Venue) -> Iterator[Raw]:
        """The events, in order; a file without any gives a frame without rows."""
        symbol = lean_name(file).symbol(venue)
        batches = list(csv_rows(file, columns=_COLUMNS))
        if len(batches) > 1:
            raise DataError(f"{file.name}: far too long for the events of one instrument")
        yield Raw("adjustments", _events(batches[0], symbol))

    def columns(self) -> tuple[str, ...]:
        """What the cells mean."""
        return _COLUMNS


def _events(rows: Rows, symbol: str) -> pd.DataFrame:
    factors = {kind: rows.numbers(column) for kind, column in _KINDS.items()}
    for kind, values in factors.items():
        rows.set_aside(~(values > 0), f"{_KINDS[kind]} is not above 0")
    days = ascending_days(rows, "date")
    found = []
    for kind, values in factors.items():
        before = np.flatnonzero(values[:-1] != values[1:])
        found += [(int(row), kind, values[row] / values[row + 1]) for row in before]
    found.sort()
    row = np.array([row for row, _, _ in found], dtype=np.int64)
    cells = {
        "ts": days[row] + np.timedelta64(1, "D"),
        "symbol": symbol,
        "kind": pd.Series([kind for _, kind, _ in found], dtype="str"),
        "price_factor": np.array([factor for _, _, factor in found], dtype=np.float64),
        "line": rows.line[row],
    }
    return raw_frame(cells, np.ones(len(row), dtype=bool))
