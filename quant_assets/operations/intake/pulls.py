"""Pulling a venue: the ranges that no delivery confirmed are asked for, and delivered as they come.

Pages that follow each other are one delivery, up to a number of rows: a kill loses that much at
most, and a long history does not become a million receipts.
"""

import hashlib
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd

from quant_assets.adapters.layouts.base import Raw
from quant_assets.adapters.providers.base import midnight
from quant_assets.adapters.pulling.base import Page, Puller, PullRequest
from quant_assets.adapters.pulling.ranges import Range, missing_ranges
from quant_assets.core.clock import utc_now
from quant_assets.core.errors import ConfigError, DataError
from quant_assets.core.venues import Venue
from quant_assets.operations.intake.delivery import Origin, deliver
from quant_assets.storage.locks import writer_lock
from quant_assets.storage.sources import Receipt, SourceStore
from quant_assets.storage.writer import write_atomically

BATCH_ROWS = 50_000
# A snapshot has no history to ask for: what is asked for is now, by either clock.
SNAPSHOTS = ("order_book",)
CLOCKS_APART = timedelta(hours=1)
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Pulled:
    """What came of one data set and symbol: receipts in order, and why it stopped, if it did."""

    dataset: str
    symbol: str
    receipts: tuple[Receipt, ...]
    failure: str = ""


def pull_venue(
    store: SourceStore,
    venue: Venue,
    provider: object,
    until: datetime,
    *,
    wait_seconds: float = 120.0,
) -> list[Pulled]:
    """Ask for what is missing between the venue's first day and `until`, and deliver it.

    A data set and symbol that fails does not keep the others from being pulled; what it brought
    before is kept. Raises `ConfigError` when the provider cannot pull.
    """
    if not isinstance(provider, Puller):
        raise ConfigError(
            f"venue {venue.name}: provider {venue.provider.name} cannot pull; drop files into the "
            "landing folder instead"
        )
    found = []
    for dataset, symbol in provider.wanted():
        receipts: list[Receipt] = []
        failure = ""
        try:
            for wanted in wanted_ranges(store, venue, dataset, symbol, until):
                pages = provider.pull(PullRequest(dataset, symbol, wanted.start, wanted.end))
                for batch in _batches(pages):
                    receipts.append(_deliver(store, venue, batch, wait_seconds))
        except DataError as error:
            failure = str(error)
        found.append(Pulled(dataset, symbol, tuple(receipts), failure))
    return found


def wanted_ranges(
    store: SourceStore, venue: Venue, dataset: str, symbol: str, until: datetime
) -> list[Range]:
    """Ranges of the venue's history up to `until` that no delivery confirmed, in time order."""
    if dataset in SNAPSHOTS:
        return [Range(until - CLOCKS_APART, until + CLOCKS_APART)]
    start, end = midnight(venue.history.first), until
    if venue.history.last is not None:
        end = min(end, midnight(venue.history.last) + timedelta(days=1))
    if start >= end:
        return []
    key = _key(dataset, symbol)
    confirmed = [
        Range(*receipt.confirmed[key]) for receipt in store.receipts() if key in receipt.confirmed
    ]
    return missing_ranges(confirmed, Range(start, end))


def _batches(pages: Iterator[Page]) -> Iterator[list[Page]]:
    """Pages that follow each other without a hole; what came before an error is given first."""
    batch: list[Page] = []
    rows = 0
    failure: DataError | None = None
    while True:
        try:
            page = next(pages, None)
        except DataError as error:
            page, failure = None, error
        if batch and (page is None or rows >= BATCH_ROWS or not _follows(batch[-1], page)):
            yield batch
            batch, rows = [], 0
        if failure is not None:
            raise failure
        if page is None:
            return
        batch.append(page)
        rows += len(page.frame)


def _follows(before: Page, page: Page) -> bool:
    return before.confirmed.end == page.confirmed.start


def _deliver(store: SourceStore, venue: Venue, pages: list[Page], wait_seconds: float) -> Receipt:
    first = pages[0]
    confirmed = Range(first.confirmed.start, pages[-1].confirmed.end)
    content = _archive(pages)
    sha256 = hashlib.sha256(content).hexdigest()
    plain = re.sub(r"[^A-Za-z0-9]+", "-", first.symbol).strip("-")
    name = f"{first.dataset}-{plain}-{confirmed.start:%Y%m%dT%H%M%S}.zip"
    path = store.folder / "archive" / f"{sha256[:16]}-{name}"
    key = _key(first.dataset, first.symbol)
    with writer_lock(store.lock, what=f"deliveries to {venue.name}", wait_seconds=wait_seconds):
        if not path.exists():
            write_atomically(path, content, mode=0o444)
        origin = Origin(
            name=name,
            sha256=sha256,
            size=len(content),
            layout=f"pulled by {venue.provider.name}",
            received_at=utc_now(),
            archived_as=path.name,
            confirmed={key: (confirmed.start, confirmed.end)},
        )
        frame = _rows(pages)
        return deliver(store, venue, origin, [Raw(first.dataset, frame)] if len(frame) else [])


def _rows(pages: list[Page]) -> pd.DataFrame:
    """Rows of all pages; `line` goes on counting from page to page."""
    frames, lines = [], 0
    for page in pages:
        if len(page.frame):
            frames.append(page.frame.assign(line=page.frame["line"] + lines))
            lines = int(frames[-1]["line"].max())
    if not frames:
        return pages[0].frame
    return pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0]


def _archive(pages: list[Page]) -> bytes:
    """The answers as they came, in a zip whose bytes depend on nothing else."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, page in enumerate(pages, start=1):
            entry = zipfile.ZipInfo(f"{number:05d}.{page.suffix}", _ZIP_EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, page.content)
    return buffer.getvalue()


def _key(dataset: str, symbol: str) -> str:
    return f"{dataset} {symbol}"
