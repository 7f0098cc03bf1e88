"""Pulling a venue: the ranges that no delivery confirmed are asked for, and delivered as they come.

Pages of all data sets and symbols are one delivery, up to a number of rows: a kill loses that much
at most, and neither a long history nor a year of hourly pulls becomes a million receipts.
"""

import hashlib
import io
import re
import zipfile
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from quant_assets.adapters.layouts.base import Raw
from quant_assets.adapters.providers.base import midnight
from quant_assets.adapters.pulling.base import Page, Puller, PullRequest
from quant_assets.adapters.pulling.ranges import Range, missing_ranges
from quant_assets.core.clock import utc_now
from quant_assets.core.errors import ConfigError, DataError
from quant_assets.core.venues import Venue
from quant_assets.operations.intake.compaction import tidy_up
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
    """What came of one data set and symbol: rows, the end of what is confirmed, why it stopped."""

    dataset: str
    symbol: str
    rows: int = 0
    until: datetime | None = None
    failure: str = ""


@dataclass
class Pull:
    """What one pull of a venue brought."""

    receipts: list[Receipt] = field(default_factory=list)
    pulled: list[Pulled] = field(default_factory=list)

    @property
    def failures(self) -> list[str]:
        """Why some of it stopped."""
        return [each.failure for each in self.pulled if each.failure]


def pull_venue(
    store: SourceStore,
    venue: Venue,
    provider: object,
    until: datetime,
    *,
    wait_seconds: float = 120.0,
) -> Pull:
    """Ask for what is missing between the venue's first day and `until`, and deliver it.

    A data set and symbol that fails does not keep the others from being pulled; what it brought
    before is kept. Raises `ConfigError` when the provider cannot pull.
    """
    if not isinstance(provider, Puller):
        raise ConfigError(
            f"venue {venue.name}: provider {venue.provider.name} cannot pull; drop files into the "
            "landing folder instead"
        )
    result = Pull()
    basket = _Basket(store, venue, wait_seconds, result.receipts)
    for dataset, symbol in provider.wanted():
        found = Pulled(dataset, symbol)
        try:
            for wanted in wanted_ranges(store, venue, provider, (dataset, symbol), until):
                for page in provider.pull(PullRequest(dataset, symbol, wanted.start, wanted.end)):
                    basket.put(page)
                    rows = found.rows + len(page.frame)
                    found = replace(found, rows=rows, until=page.confirmed.end)
        except DataError as error:
            found = replace(found, failure=str(error))
        result.pulled.append(found)
    basket.deliver()
    result.pulled = [
        replace(p, failure=p.failure or basket.failures.get(_key(p.dataset, p.symbol), ""))
        for p in result.pulled
    ]
    return result


def wanted_ranges(
    store: SourceStore, venue: Venue, provider: Puller, what: tuple[str, str], until: datetime
) -> list[Range]:
    """Ranges of a data set and symbol up to `until` that no delivery confirmed, in time order.

    What the source does not keep that long is left out: see `lost_ranges`.
    """
    dataset, symbol = what
    if dataset in SNAPSHOTS:
        return [Range(until - CLOCKS_APART, until + CLOCKS_APART)]
    kept, history = provider.kept(dataset), _history(venue, until)
    if history is None:
        return []
    start = history.start if kept is None else max(history.start, until - kept)
    if start >= history.end:
        return []
    return missing_ranges(_confirmed(store, dataset, symbol), Range(start, history.end))


@dataclass(frozen=True)
class Lost:
    """A range that the source no longer tells, and that nobody delivered."""

    dataset: str
    symbol: str
    start: datetime
    end: datetime
    kept: timedelta


def lost_ranges(store: SourceStore, venue: Venue, provider: Puller, until: datetime) -> list[Lost]:
    """Ranges of the venue's history that cannot be pulled any more, only delivered as files.

    A file counts for the whole span from its first to its last row of the symbol's data set.
    """
    history, found = _history(venue, until), []
    for dataset, symbol in provider.wanted():
        kept = provider.kept(dataset)
        if history is None or kept is None or history.start >= until - kept:
            continue
        known = [*_confirmed(store, dataset, symbol), *_delivered(store, dataset, symbol)]
        gone = Range(history.start, min(history.end, until - kept))
        found += [
            Lost(dataset, symbol, part.start, part.end, kept)
            for part in missing_ranges(known, gone)
        ]
    return found


def _history(venue: Venue, until: datetime) -> Range | None:
    """The venue's history up to `until`; None before its first day."""
    start, end = midnight(venue.history.first), until
    if venue.history.last is not None:
        end = min(end, midnight(venue.history.last) + timedelta(days=1))
    return Range(start, end) if start < end else None


def _confirmed(store: SourceStore, dataset: str, symbol: str) -> list[Range]:
    key = _key(dataset, symbol)
    return [
        Range(*receipt.confirmed[key]) for receipt in store.receipts() if key in receipt.confirmed
    ]


def _delivered(store: SourceStore, dataset: str, symbol: str) -> list[Range]:
    """Spans of the files that have rows of the symbol; pulled pages confirm their own ranges."""
    found = []
    for receipt in store.receipts():
        if not receipt.confirmed and symbol in receipt.symbols.get(dataset, []):
            first, last = receipt.spans[dataset]
            found.append(Range(first, last + timedelta.resolution))
    return found


class _Basket:
    """Pages that wait for their delivery: one range per data set and symbol, and not too many rows.

    A delivery is refused as a whole. Where that is the fault of one data set and symbol, the others
    are delivered without it.
    """

    def __init__(
        self, store: SourceStore, venue: Venue, wait_seconds: float, receipts: list[Receipt]
    ) -> None:
        self.store, self.venue, self.wait_seconds = store, venue, wait_seconds
        self.receipts = receipts
        self.failures: dict[str, str] = {}
        self._pages: dict[str, list[Page]] = {}
        self._rows = 0

    def put(self, page: Page) -> None:
        """Keep the page; what it cannot be delivered with is delivered before."""
        before = self._pages.get(_key(page.dataset, page.symbol))
        apart = before is not None and before[-1].confirmed.end != page.confirmed.start
        if apart or self._rows >= BATCH_ROWS:
            self.deliver()
        self._pages.setdefault(_key(page.dataset, page.symbol), []).append(page)
        self._rows += len(page.frame)

    def deliver(self) -> None:
        """Deliver all that waits."""
        pages, self._pages, self._rows = self._pages, {}, 0
        if not pages:
            return
        try:
            self.receipts.append(_deliver(self.store, self.venue, pages, self.wait_seconds))
        except DataError as error:
            if len(pages) == 1:
                self.failures.update(dict.fromkeys(pages, str(error)))
                return
            for key, alone in pages.items():
                self._pages = {key: alone}
                self.deliver()


def _deliver(
    store: SourceStore, venue: Venue, pages: dict[str, list[Page]], wait_seconds: float
) -> Receipt:
    confirmed = {
        key: (found[0].confirmed.start, found[-1].confirmed.end) for key, found in pages.items()
    }
    content = _archive(pages)
    sha256 = hashlib.sha256(content).hexdigest()
    first = min(start for start, _ in confirmed.values())
    last = max(end for _, end in confirmed.values())
    name = f"pull-{first:%Y%m%dT%H%M%S}-{last:%Y%m%dT%H%M%S}.zip"
    path = store.folder / "archive" / f"{sha256[:16]}-{name}"
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
            confirmed=confirmed,
        )
        receipt = deliver(store, venue, origin, _raws(pages))
        tidy_up(store, receipt)
        return receipt


def _raws(pages: dict[str, list[Page]]) -> list[Raw]:
    """One raw frame per page with rows; `line` goes on counting within a data set and symbol."""
    raws = []
    for found in pages.values():
        lines = 0
        for page in found:
            if len(page.frame):
                raws.append(Raw(page.dataset, page.frame.assign(line=page.frame["line"] + lines)))
                lines += int(page.frame["line"].max())
    return raws


def _archive(pages: dict[str, list[Page]]) -> bytes:
    """The answers as they came, in a zip whose bytes depend on nothing else."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for key, found in pages.items():
            plain = re.sub(r"[^A-Za-z0-9]+", "-", key).strip("-")
            for number, page in enumerate(found, start=1):
                entry = zipfile.ZipInfo(f"{plain}-{number:05d}.{page.suffix}", _ZIP_EPOCH)
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, page.content)
    return buffer.getvalue()


def _key(dataset: str, symbol: str) -> str:
    return f"{dataset} {symbol}"
