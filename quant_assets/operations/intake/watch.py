"""One look at a landing folder: small files are taken in, large ones are named for a run."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from quant_assets.core.errors import QuantAssetsError
from quant_assets.core.hashing import file_digest
from quant_assets.core.venues import Venue
from quant_assets.operations.intake.at_rest import is_being_written
from quant_assets.operations.intake.landing import (
    Outcome,
    is_refused,
    take_in,
    waiting_files,
)
from quant_assets.storage.sources import SourceStore

LARGE_BYTES = 64 * 2**20
PACKED = (".zip", ".gz", ".tgz", ".bz2", ".xz", ".parquet", ".feather")
PACKED_SHARE = 1 / 8  # what a packed file may hold is several times its size
LOOK_SECONDS = 20.0
LOCK_SECONDS = 2.0

# Size, time of the last write in ns, and content hash of a file that stays in the folder.
Seen = tuple[int, int, str]
BROKE = "!"  # before the hash of a file that a reader broke on


@dataclass(frozen=True)
class LargeFile:
    """A file that is better taken in by a run of its own."""

    path: Path
    sha256: str


@dataclass
class Look:
    """What one look found. `seen` goes into the next look; `later` files had to wait."""

    outcomes: list[Outcome] = field(default_factory=list)
    large: list[LargeFile] = field(default_factory=list)
    later: int = 0
    seen: dict[str, Seen] = field(default_factory=dict)

    @property
    def refused(self) -> list[Outcome]:
        """Files that could not be read, each told once."""
        return [outcome for outcome in self.outcomes if outcome.refusal]


def look(
    store: SourceStore,
    venue: Venue,
    seen: dict[str, Seen],
    *,
    rest_seconds: float,
    deadline: float,
    large_bytes: int = LARGE_BYTES,
) -> Look:
    """Take in what rests in the folder until `deadline` (of `time.monotonic`).

    A file whose size and time are those of the look before is not read again. One that was refused
    before, with the same content, is left alone in silence; so is one that a reader broke on.
    """
    found = Look()
    for path, mark in _marked(store, rest_seconds):
        known = seen.get(path.name)
        if known is not None and known[:2] == mark and _is_told(store, known[2]):
            found.seen[path.name] = known
            continue
        if time.monotonic() >= deadline or is_being_written(path):
            found.later += 1
            continue
        same = known is not None and known[:2] == mark
        sha256 = known[2] if known is not None and same else file_digest(path)
        found.seen[path.name] = (*mark, sha256)
        if is_refused(store, sha256):
            continue
        if _is_large(path, mark[0], large_bytes) and store.find(sha256) is None:
            found.large.append(LargeFile(path, sha256))
            continue
        outcome = _take_in(store, venue, path)
        found.outcomes.append(outcome)
        if not outcome.refusal:
            del found.seen[path.name]
        elif not is_refused(store, sha256):
            found.seen[path.name] = (*mark, BROKE + sha256)
    return found


def _take_in(store: SourceStore, venue: Venue, path: Path) -> Outcome:
    """Take in one file; whatever a reader breaks on is a refusal, or no other file got its turn."""
    try:
        return take_in(store, venue, path, wait_seconds=LOCK_SECONDS)
    except QuantAssetsError:
        raise
    except Exception as error:  # noqa: BLE001 - a layout is a plug-in
        cause = f"{type(error).__name__}: {error}"
        return Outcome(path, refusal=f"{path.name}: its reader broke, which is a fault: {cause}")


def _is_told(store: SourceStore, sha256: str) -> bool:
    return sha256.startswith(BROKE) or is_refused(store, sha256)


def _is_large(path: Path, size: int, large_bytes: int) -> bool:
    packed = path.name.lower().endswith(PACKED)
    return size > large_bytes * (PACKED_SHARE if packed else 1.0)


def _marked(store: SourceStore, rest_seconds: float) -> Iterator[tuple[Path, tuple[int, int]]]:
    for path in waiting_files(store, rest_seconds=rest_seconds):
        try:
            stat = path.stat()
        except FileNotFoundError:
            continue  # somebody else took it
        yield path, (stat.st_size, stat.st_mtime_ns)
