"""What a venue has been given so far: chunks of normalised rows, in the order of their arrival.

Everything that comes from outside (files that were dropped, pages that were pulled) is kept as it
was delivered. A later delivery never changes an earlier one: it revises it, and both stay.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import pandas as pd


@dataclass(frozen=True)
class Chunk:
    """Rows of one dataset and UTC year or month (`2024`, `2024-02`) out of one delivery.

    `sequence` counts the venue's deliveries; of two rows with one key the higher one is newer.
    `first` and `last` are the times of the first and the last row.
    """

    dataset: str
    period: str
    sequence: int
    sha256: str
    rows: int
    first: datetime
    last: datetime
    symbols: frozenset[str]

    @property
    def mark(self) -> tuple[str, str, int, str]:
        """What a digest over chunks has to contain."""
        return self.dataset, self.period, self.sequence, self.sha256


class Sources(Protocol):
    """Reads the chunks of one venue."""

    def version(self) -> int:
        """Number of deliveries so far; equal versions have equal chunks."""

    def chunks(self, dataset: str, start: datetime, end: datetime) -> list[Chunk]:
        """Chunks with rows about [start, end), in the order of arrival."""

    def read(self, chunk: Chunk) -> pd.DataFrame:
        """Rows of a chunk, sorted by the key of its contract; its hash is checked."""


class NoSources:
    """A venue whose provider needs no deliveries."""

    def version(self) -> int:
        """There will never be any."""
        return 0

    def chunks(self, dataset: str, start: datetime, end: datetime) -> list[Chunk]:
        """There are none."""
        del dataset, start, end
        return []

    def read(self, chunk: Chunk) -> pd.DataFrame:
        """There is nothing to read."""
        raise LookupError(chunk)
