"""Is what was delivered still what its receipts say? Chunks and archived files are hashed."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from quant_assets.core.errors import IntegrityError
from quant_assets.storage.inventory import subfolders
from quant_assets.storage.paths import Layout
from quant_assets.storage.sources import Receipt, SourceStore


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
        for receipt in receipts:
            yield from _problems(store, receipt)


def _problems(store: SourceStore, receipt: Receipt) -> Iterator[SourceProblem]:
    delivery = f"delivery {receipt.sequence} to {store.venue} ({receipt.name})"
    archived = store.folder / "archive" / receipt.archived_as if receipt.archived_as else None
    expected = [
        (store.chunk_path(c.dataset, c.period, receipt.sequence), c.sha256) for c in receipt.chunks
    ]
    if archived is not None:
        expected.append((archived, receipt.sha256))
    for path, sha256 in expected:
        problem = _compare(path, sha256)
        if problem:
            remedy = "restore this file from a backup"
            if archived is not None and path != archived:
                again = f"quant-assets ingest --venue {store.venue} {archived}"
                remedy += f", or remove receipt {receipt.sequence} and run {again}"
            yield SourceProblem(delivery, path, problem, remedy)


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
