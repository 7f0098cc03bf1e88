"""The landing folder: a file that has come to rest is taken in once, archived, and has a receipt.

`landing/<venue>/` below the data root. A file that is still being written is left alone. One that
cannot be read stays where it is, with a note beside the store that says why; it is tried again when
its content changes.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from quant_assets.adapters.files.opening import open_source
from quant_assets.adapters.files.recognition import recognise
from quant_assets.adapters.layouts.base import FileLayout, Raw, SourceFile, layouts
from quant_assets.core.clock import timestamp, utc_now
from quant_assets.core.errors import DataError
from quant_assets.core.hashing import file_digest
from quant_assets.core.venues import Venue
from quant_assets.operations.intake.compaction import tidy_up
from quant_assets.operations.intake.delivery import Origin, deliver
from quant_assets.storage.locks import writer_lock
from quant_assets.storage.paths import encode
from quant_assets.storage.sources import Receipt, SourceStore
from quant_assets.storage.writer import copy_atomically, storage_error, write_atomically

REST_SECONDS = 2.0
ELSEWHERE = "elsewhere"  # of a file that was named, not dropped


@dataclass(frozen=True)
class Outcome:
    """What became of one file: a receipt, a receipt from before, or a refusal."""

    path: Path
    receipt: Receipt | None = None
    repeated: bool = False
    refusal: str = ""


def landing_folder(store: SourceStore) -> Path:
    """Where files for a venue are dropped."""
    return store.layout.root / "landing" / encode(store.venue)


def waiting_files(store: SourceStore, *, rest_seconds: float = REST_SECONDS) -> list[Path]:
    """Files that came to rest, sorted by name; hidden and temporary ones are left alone."""
    folder = landing_folder(store)
    if not folder.is_dir():
        return []
    now = time.time()
    found = []
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.name.startswith(".") or not entry.is_file(follow_symlinks=False):
            continue
        if entry.name.endswith((".part", ".tmp", ".crdownload")):
            continue
        if now - entry.stat().st_mtime >= rest_seconds:
            found.append(Path(entry.path))
    return found


def take_in(
    store: SourceStore, venue: Venue, path: Path, *, keep: bool = False, wait_seconds: float = 120.0
) -> Outcome:
    """Take in one file; `keep` leaves it where it is.

    The same content twice is one delivery. Order: a copy in the archive, chunks, receipt, and only
    then the file leaves the landing folder, so a kill at any point loses nothing.
    """
    with writer_lock(store.lock, what=f"deliveries to {venue.name}", wait_seconds=wait_seconds):
        mark = _mark(path)
        sha256 = file_digest(path)
        known = store.find(sha256)
        if known is not None:
            _leave(path, keep, mark)
            return Outcome(path, known, repeated=True)
        received = utc_now()
        try:
            archived = _archive(store, path, sha256)
            receipt = _deliver(store, venue, path, _origin(path, sha256, archived, received))
        except DataError as error:
            _refuse(store, path, sha256, str(error))
            return Outcome(path, refusal=str(error))
        _refusal(store, sha256).unlink(missing_ok=True)
        _leave(path, keep, mark)
        tidy_up(store, receipt)
    return Outcome(path, receipt)


def take_in_all(
    store: SourceStore,
    venue: Venue,
    *,
    rest_seconds: float = REST_SECONDS,
    retry: bool = False,
    progress: Callable[[Path], None] | None = None,
) -> list[Outcome]:
    """Take in every file that rests in the landing folder; `retry`: also those refused before."""
    outcomes = []
    for path in waiting_files(store, rest_seconds=rest_seconds):
        if not retry and is_refused(store, file_digest(path)):
            continue
        if progress is not None:
            progress(path)
        outcomes.append(take_in(store, venue, path))
    return outcomes


def is_refused(store: SourceStore, sha256: str) -> bool:
    """True when a file with this content was refused and has not been taken in since."""
    return _refusal(store, sha256).exists()


def refusals(store: SourceStore) -> list[dict[str, str]]:
    """Files that could not be read, with the reason; newest last."""
    found = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in (store.folder / "refused").glob("*.json")
    ]
    return sorted(found, key=lambda note: (note["at"], note["name"]))


def open_refusals(store: SourceStore) -> list[str]:
    """Reasons of the refusals that nobody has mended yet.

    One is over when a file of that name was taken in later, or when the file has left the landing
    folder in which it was refused.
    """
    taken = {receipt.name: timestamp(receipt.received_at) for receipt in store.receipts()}
    folder = landing_folder(store)
    return [
        note["reason"]
        for note in refusals(store)
        if taken.get(note["name"], "") < note["at"]
        and (note.get("from") == ELSEWHERE or (folder / note["name"]).exists())
    ]


def _origin(path: Path, sha256: str, archived: Path, received: datetime) -> Origin:
    return Origin(
        name=path.name,
        sha256=sha256,
        size=path.stat().st_size,
        layout="",
        received_at=received,
        archived_as=archived.name,
    )


def _deliver(store: SourceStore, venue: Venue, path: Path, origin: Origin) -> Receipt:
    names: list[str] = []

    def rows() -> Iterator[Raw]:
        for file in open_source(path):
            layout = _layout(file, venue)
            if layout.name not in names:
                names.append(layout.name)
            yield from layout.read(file, venue)

    raws = list(rows())
    if not raws:
        raise DataError(
            f"{path.name}: has no rows. If the source had nothing to say, delete the file; "
            "else fetch it again"
        )
    origin = Origin(**{**vars(origin), "layout": ", ".join(names)})
    return deliver(store, venue, origin, raws)


def _layout(file: SourceFile, venue: Venue) -> FileLayout:
    """The layout that the venue names, else the one that the content shows."""
    named = venue.provider.settings.get("layout")
    if named is None:
        return recognise(file)
    known = layouts()
    if named not in known:
        raise DataError(
            f"venue {venue.name}: provider.settings.layout: no layout {named!r}; known: "
            f"{', '.join(known)}"
        )
    return known[named]


def _archive(store: SourceStore, path: Path, sha256: str) -> Path:
    """A copy of the file under its hash; made once, however often it is tried."""
    target = store.folder / "archive" / f"{sha256[:16]}-{encode(path.name)}"
    if target.exists() and file_digest(target) == sha256:
        return target
    if not copy_atomically(path, target, sha256=sha256):
        raise DataError(f"{path.name}: changed while it was read; leave it until it is complete")
    return target


def _mark(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


def _leave(path: Path, keep: bool, mark: tuple[int, int]) -> None:
    """Remove the file, unless somebody has gone on writing it: then it is a delivery to come."""
    if not keep and _mark(path) == mark:
        try:
            path.unlink()
        except OSError as error:
            raise storage_error(error, path, doing="remove") from error


def _refusal(store: SourceStore, sha256: str) -> Path:
    return store.folder / "refused" / f"{sha256}.json"


def _refuse(store: SourceStore, path: Path, sha256: str, reason: str) -> None:
    note = {"name": path.name, "sha256": sha256, "reason": reason, "at": timestamp()}
    if path.parent.resolve() != landing_folder(store).resolve():
        note["from"] = ELSEWHERE
    write_atomically(_refusal(store, sha256), json.dumps(note, sort_keys=True, indent=1).encode())
