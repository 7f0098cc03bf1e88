"""Layout `lean_factor_files`: splits and dividends of one instrument, as cumulative factors."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import pandas as pd

from quant_assets.adapters.layouts.base import FileLayout, Raw, SourceFile
from quant_assets.adapters.tabular.frames import raw_frame
from quant_assets.adapters.tabular.lean import DAY, NUMBER, SmallTable, begins_like, lean_name
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
        yield Raw("adjustments", _events(SmallTable(file, _COLUMNS), symbol))

    def columns(self) -> tuple[str, ...]:
        """What the cells mean."""
        return _COLUMNS


def _events(table: SmallTable, symbol: str) -> pd.DataFrame:
    factors = {kind: table.numbers(column) for kind, column in _KINDS.items()}
    days = table.days("date")
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
        "line": table.line[row],
    }
    return raw_frame(cells, np.ones(len(row), dtype=bool))
