"""Which rows of a file are this venue's.

A file may hold several venues or markets in columns `venue`, `exchange`, `market` or `contract`;
`provider.settings.select` of the venue names the word that its rows have there, for example
`select: {venue: binance, market: perp}`. Any other column may be named too. A key whose column a
file does not have is no condition on that file; a file without one row of the venue is refused.
"""

from dataclasses import dataclass, field

import numpy as np

from quant_assets.adapters.files.stamps import Mask
from quant_assets.adapters.tabular.headers import PLACES, Header, plain
from quant_assets.adapters.tabular.tables import Batch
from quant_assets.core.errors import ConfigError, DataError
from quant_assets.core.venues import Venue

_SHOWN = 8


@dataclass
class Selection:
    """Conditions (column, word) that a row must meet to be the venue's, and how many did."""

    venue: str
    where: str
    conditions: tuple[tuple[str, str], ...]
    kept: int = 0
    seen: int = 0
    words: dict[str, set[str]] = field(default_factory=dict)

    @property
    def columns(self) -> list[str]:
        """Columns that are looked at."""
        return [column for column, _ in self.conditions]

    def mask(self, rows: Batch) -> Mask:
        """Rows that meet every condition, shape (rows,)."""
        keep = np.ones(len(rows), dtype=bool)
        for column, word in self.conditions:
            cells = rows.words(column)
            self.words.setdefault(column, set()).update(cells.unique()[:_SHOWN])
            keep &= np.asarray(cells == word, dtype=bool)
        self.seen += len(rows)
        self.kept += int(keep.sum())
        return keep

    def notes(self) -> list[str]:
        """How many rows were left to other venues; `DataError` when all of them were."""
        if not self.conditions:
            return []
        wanted = " and ".join(f"{column} {word!r}" for column, word in self.conditions)
        if self.kept == 0:
            found = "; ".join(
                f"{column}: {', '.join(sorted(words)[:_SHOWN])}"
                for column, words in self.words.items()
            )
            raise DataError(
                f"{self.where}: none of {self.seen:,} rows has {wanted}; the file has {found}. "
                f"Correct provider.settings.select of venue {self.venue}, or leave the file out"
            )
        left = self.seen - self.kept
        return [f"{left} rows without {wanted} were left to other venues"] if left else []


def selection(header: Header, venue: Venue, *, where: str) -> Selection:
    """Conditions of a venue on a table.

    Raises `DataError` when the table has a column of venues or markets that `select` leaves open.
    """
    wanted = _wanted(venue)
    names = {plain(name): name for name in header.names}
    undecided = [names[place] for place in PLACES if place in names and place not in wanted]
    if undecided:
        raise DataError(
            f"{where}: column {undecided[0]!r} splits the rows between venues or markets, and "
            f"venue {venue.name} does not say which are its own: set provider.settings.select, "
            f"for example select: {{{undecided[0]}: binance}}"
        )
    conditions = tuple((names[key], word) for key, word in wanted.items() if key in names)
    return Selection(venue.name, where, conditions)


def _wanted(venue: Venue) -> dict[str, str]:
    settings = venue.provider.settings.get("select") or {}
    if not isinstance(settings, dict) or not all(isinstance(v, str) for v in settings.values()):
        raise ConfigError(
            f"venue {venue.name}: provider.settings.select: {settings!r} is not a mapping of a "
            "column to a word; write for example select: {venue: binance}"
        )
    return {plain(str(key)): word for key, word in settings.items()}
