"""Is what was delivered still what its receipts say? Chunks and archived files are hashed."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from quant_assets.core.errors import IntegrityError
from quant_assets.storage.inventory import subfolders
from quant_assets.storage.paths import Layout
from quant_assets.storage.source_packs import Pack, PackedChunk, Packs, read_packs
from quant_assets.storage.sources import Receipt, SourceStore

_BACKUP = "restore this file from a backup"


@dataclass(frozen=True)
class SourceProblem:
    """A file of a delivery that is gone or is not what its receipt says."""

    delivery: str
    path: Path
    problem: str
    remedy: str


def source_problems(layout: Layout, venue: str | None) -> Iterator[SourceProblem]:
    """Problems of the deliveries to one venue, or to all, in the order of their arrival."""
    names = subfolders(layout.root / "source") if venue is None else [venue]
    for name in names:
        store = SourceStore(layout, name)
        try:
            receipts = store.receipts()
        except IntegrityError as error:
            yield SourceProblem(f"deliveries to {name}", store.folder, str(error), "see there")
            continue
        packed = _Packed()
        for receipt in receipts:
            try:
                yield from _problems(store, receipt, packed)
            except IntegrityError as error:
                delivery = f"delivery {receipt.sequence} to {name} ({receipt.name})"
                yield SourceProblem(delivery, store.folder, str(error), "see there")


def _problems(store: SourceStore, receipt: Receipt, packed: "_Packed") -> Iterator[SourceProblem]:
    delivery = f"delivery {receipt.sequence} to {store.venue} ({receipt.name})"
    archived = store.folder / "archive" / receipt.archived_as if receipt.archived_as else None
    expected = []
    for record in receipt.chunks:
        own = store.chunk_path(record.dataset, record.period, receipt.sequence)
        place = packed.place(own.parent, receipt.sequence)
        if place is None or own.exists():
            expected.append((own, record.sha256))
        elif place[1].sha256 != record.sha256 or place[1].rows != record.rows:
            path = own.parent / place[0].file
            yield SourceProblem(delivery, path, "holds another delivery of this number", _BACKUP)
        elif packed.is_new(own.parent, place[0]):
            expected.append((own.parent / place[0].file, place[0].sha256))
    if archived is not None:
        expected.append((archived, receipt.sha256))
    for path, sha256 in expected:
        problem = _compare(path, sha256)
        if problem:
            remedy = _BACKUP
            if archived is not None and path != archived:
                again = f"quant-assets ingest --venue {store.venue} {archived}"
                remedy += f", or remove receipt {receipt.sequence} and run {again}"
            yield SourceProblem(delivery, path, problem, remedy)


class _Packed:
    """Packs by folder; each is hashed once, with the first delivery that lies in it."""

    def __init__(self) -> None:
        self._by_folder: dict[Path, Packs] = {}
        self._seen: set[Path] = set()

    def place(self, folder: Path, sequence: int) -> tuple[Pack, PackedChunk] | None:
        """The pack and the chunk in it, None for a chunk that is a file of its own."""
        if folder not in self._by_folder:
            self._by_folder[folder] = read_packs(folder)
        found = self._by_folder[folder].places.get(sequence)
        return None if found is None else found[:2]

    def is_new(self, folder: Path, pack: Pack) -> bool:
        """True the first time that the pack is asked for."""
        path = folder / pack.file
        new = path not in self._seen
        self._seen.add(path)
        return new


def _compare(path: Path, sha256: str) -> str:
    """What is wrong with a file; empty when nothing is."""
    try:
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        return "is gone"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return "" if found == sha256 else f"has sha256 {found[:12]}…, its receipt says {sha256[:12]}…"
