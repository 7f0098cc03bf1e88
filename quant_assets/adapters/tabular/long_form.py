"""Tables in long form: one row per instant and symbol."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from quant_assets.adapters.layouts.base import Raw, SourceFile
from quant_assets.adapters.tabular.file_names import instrument
from quant_assets.adapters.tabular.frames import remarks
from quant_assets.adapters.tabular.headers import SYMBOL, TIME
from quant_assets.adapters.tabular.naming import Naming
from quant_assets.adapters.tabular.selection import selection
from quant_assets.adapters.tabular.tables import Batch, batches, moments, open_table
from quant_assets.core.venues import Venue

Columns = dict[str, Any]


class LongTable:
    """A file of rows with time and symbol, for one venue.

    `word` is the instrument of a file whose rows do not name one.
    """

    def __init__(self, file: SourceFile, venue: Venue, *, word: str | None = None) -> None:
        self.file, self.venue = file, venue
        self.header = open_table(file)
        self.time = self.header.need(TIME, meaning="the time")
        self._naming = Naming(venue)
        self._fixed = None if word is None else self._naming.of_file(word)
        self._named = None if word is not None else self.header.need(SYMBOL, meaning="the symbol")
        self._selection = selection(self.header, venue, where=file.name)

    def raws(
        self, dataset: str, used: Iterable[str | None], columns: Callable[[Batch], Columns]
    ) -> Iterator[Raw]:
        """Raw frames of the venue's rows; `columns` makes them from a batch of the `used` ones.

        Columns that nobody reads, and rows of other venues, are in the notes of the last frame.
        """
        own = [self.time, *([self._named] if self._named else []), *self._selection.columns]
        read = list(dict.fromkeys([*own, *(name for name in used if name is not None)]))
        for rows in batches(self.file, read):
            keep = self._selection.mask(rows)
            found = {"ts": moments(rows, self.time, self.venue), "symbol": self._symbol(rows)}
            found |= columns(rows)
            for row in [row for row in rows.reasons if not keep[row]]:
                del rows.reasons[row]  # a bad line of another venue is not ours to judge
            yield rows.raw(dataset, found, keep=keep)
        notes = self._selection.notes() + self.header.surplus(read)
        if notes:
            yield remarks(dataset, notes)

    def _symbol(self, rows: Batch) -> Any:
        return self._fixed if self._named is None else self._naming.symbols(rows, self._named)


def one_instrument(file: SourceFile, venue: Venue) -> LongTable:
    """A table whose file is named after its instrument."""
    return LongTable(file, venue, word=instrument(file.name))


def numbers_or_nan(rows: Batch, column: str | None) -> npt.NDArray[np.float64]:
    """Numbers of a column; NaN where the table does not have it."""
    return np.full(len(rows), np.nan) if column is None else rows.numbers(column)
