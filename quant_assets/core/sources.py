"""What a venue has been given so far: chunks of normalised rows, in the order of their arrival.

Everything that comes from outside (files that were dropped, pages that were pulled) is kept as it
was delivered. A later delivery never changes an earlier one: it revises it, and both stay.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import pandas as pd


@dataclass(frozen=True, order=True)
class Chunk:
    """Rows of one dataset and UTC month out of one delivery.

    `sequence` counts the venue's deliveries; of two rows with one key the higher one is newer.
    """

    dataset: str
    month: str
    sequence: int
    sha256: str
    rows: int


class Sources(Protocol):
    """Reads the chunks of one venue."""

    def version(self) -> int:
        """Number of deliveries so far; equal versions have equal chunks."""

    def chunks(self, dataset: str, start: datetime, end: datetime) -> list[Chunk]:
        """Chunks of the months that overlap [start, end), sorted."""

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
