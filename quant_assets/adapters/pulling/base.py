"""What is asked of a live source, and what comes back: pages, each with the range it confirms.

A page is whole or it is not there: whatever goes wrong is raised before the page is yielded, so
that nothing of a bad answer can be stored, and the range stays missing and is asked for again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

import pandas as pd

from quant_assets.adapters.pulling.ranges import Range


@dataclass(frozen=True)
class PullRequest:
    """Rows of one dataset and symbol with `start <= ts < end`; both aware."""

    dataset: str
    symbol: str
    start: datetime
    end: datetime

    @property
    def range(self) -> Range:
        """What is asked for; a `ValueError` when it is empty."""
        return Range(self.start, self.end)

    def __str__(self) -> str:
        return f"{self.dataset} of {self.symbol} {self.range}"


@dataclass(frozen=True)
class Page:
    """One answer of a source.

    `frame` has the columns of `layouts.base.RAW_COLUMNS`; `line` is the number of the row in the
    page. `confirmed` is the one range for which the source said that these rows are all: it ends
    where the last row does, because an answer may be cut short. `content` is the answer itself,
    `suffix` what kind of text it is (`json`, `csv`).
    """

    dataset: str
    symbol: str
    frame: pd.DataFrame
    confirmed: Range
    content: bytes
    suffix: str


@runtime_checkable
class Puller(Protocol):
    """A provider that can ask its source for more."""

    def wanted(self) -> list[tuple[str, str]]:
        """Every (dataset, symbol) that the venue wants; nothing is asked of the source."""

    def kept(self, dataset: str) -> timedelta | None:
        """How far back the source tells a dataset; None: without end."""

    def pull(self, request: PullRequest) -> Iterator[Page]:
        """Pages of the request in time order, asked for one by one as they are taken.

        What the source has not published yet, or cannot publish, is simply not confirmed. Raises
        `DataError` that names source, dataset, symbol, range and what to do; pages that were
        yielded before are good.
        """
