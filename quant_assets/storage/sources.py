"""The source store of one venue: receipts, chunks of rows by period, and the files as delivered.

`source/<venue>/receipts/<sequence>.json` is a delivery's commit point: chunks that no receipt lists
were left by a kill and are never read. No row here is ever changed or removed: many small chunks
may become one pack, in which each of them stays what it was.
"""

import hashlib
import json
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError

from quant_assets.core.errors import IntegrityError
from quant_assets.core.sources import Chunk
from quant_assets.storage.frame_cache import FrameCache
from quant_assets.storage.frames import decode_table, encode_frame, to_frame
from quant_assets.storage.paths import Layout, encode
from quant_assets.storage.source_packs import (
    MANY_CHUNKS,
    READ_ONLY,
    RECORD,
    PackedChunk,
    Packs,
    chunk_file,
    compact,
    loose_chunks,
    read_packs,
)
from quant_assets.storage.writer import storage_error, write_atomically

CACHE_BYTES = 128_000_000
_CHUNK = "chunks"


class ChunkRecord(BaseModel):
    """Where some rows of a delivery lie, and the hash of their file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    period: str
    sha256: str
    rows: int
    span: tuple[datetime, datetime] | None = None
    symbols: list[str] = []


class Receipt(BaseModel):
    """What one delivery was, and what became of each of its rows.

    `counts` has, by dataset, the rows that came in and what was stored, unchanged, revised,
    quarantined, repaired, flagged. `confirmed` has, by `dataset symbol`, the range [start, end)
    that the source says is complete; files confirm nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sequence: int
    name: str
    sha256: str
    size: int
    layout: str
    received_at: datetime
    archived_as: str = ""
    counts: dict[str, dict[str, int]] = {}
    symbols: dict[str, list[str]] = {}
    spans: dict[str, tuple[datetime, datetime]] = {}
    confirmed: dict[str, tuple[datetime, datetime]] = {}
    notes: list[str] = []
    chunks: list[ChunkRecord] = []


@dataclass
class SourceStore:
    """Deliveries to one venue. Reading needs no lock; a writer holds the venue's source lock."""

    layout: Layout
    venue: str
    _receipts: dict[int, Receipt] = field(default_factory=dict)
    _index: dict[str, list[Chunk]] = field(default_factory=dict)
    _packs: dict[Path, Packs] = field(default_factory=dict)
    _frames: FrameCache = field(default_factory=lambda: FrameCache(CACHE_BYTES))

    @property
    def folder(self) -> Path:
        """Folder of the venue's deliveries."""
        return self.layout.root / "source" / encode(self.venue)

    @property
    def lock(self) -> Path:
        """Lock file of those who deliver."""
        return self.layout.lock("source", self.venue)

    def receipts(self) -> list[Receipt]:
        """All receipts in the order of arrival."""
        names = sorted(path.name for path in (self.folder / "receipts").glob("*.json"))
        for name in names:
            sequence = int(name.partition(".")[0])
            if sequence not in self._receipts:
                receipt = _read_receipt(self.folder / "receipts" / name)
                self._receipts[sequence] = receipt
                for chunk in chunks_of(receipt):
                    self._index.setdefault(chunk.dataset, []).append(chunk)
        return [self._receipts[sequence] for sequence in sorted(self._receipts)]

    def version(self) -> int:
        """Number of deliveries so far; a listing, nothing is read."""
        try:
            return sum(name.endswith(".json") for name in os.listdir(self.folder / "receipts"))
        except FileNotFoundError:
            return 0

    def find(self, sha256: str) -> Receipt | None:
        """The receipt of a file that was delivered before, by its content."""
        return next((r for r in self.receipts() if r.sha256 == sha256), None)

    def chunks(self, dataset: str, start: datetime, end: datetime) -> list[Chunk]:
        """Chunks with rows about [start, end), in the order of arrival."""
        if self.version() != len(self._receipts):
            self.receipts()
        return [c for c in self._index.get(dataset, []) if c.first < end and c.last >= start]

    def read(self, chunk: Chunk) -> pd.DataFrame:
        """Rows of a chunk; `IntegrityError` when its bytes are not those of its receipt.

        Callers must not modify the frame: it is shared through the cache.
        """
        folder = self.chunk_folder(chunk.dataset, chunk.period)
        path = folder / chunk_file(chunk.sequence)
        try:
            with suppress(FileNotFoundError):  # it was packed since the packs were last looked at
                return self._own_or_packed(folder, chunk)
            self._packs.pop(folder, None)
            return self._own_or_packed(folder, chunk)
        except OSError as error:
            raise storage_error(error, path, doing="read") from error

    def _own_or_packed(self, folder: Path, chunk: Chunk) -> pd.DataFrame:
        if folder not in self._packs:
            self._packs[folder] = read_packs(folder)
        place = self._packs[folder].places.get(chunk.sequence)
        if place is None:
            path = folder / chunk_file(chunk.sequence)
            return self._frame(path, chunk.sha256, f"its receipt {chunk.sequence} says")
        pack, packed, first = place
        if packed.sha256 != chunk.sha256:
            raise self._damaged(folder / pack.file, f"what receipt {chunk.sequence} says")
        frame = self._frame(folder / pack.file, pack.sha256, f"{RECORD} beside it says")
        return frame.iloc[first : first + packed.rows].reset_index(drop=True)

    def _frame(self, path: Path, sha256: str, said: str) -> pd.DataFrame:
        """Rows of a file whose bytes must have this hash."""
        frame = self._frames.get(sha256)
        if frame is None:
            data = path.read_bytes()
            if hashlib.sha256(data).hexdigest() != sha256:
                raise self._damaged(path, f"what {said}")
            table = decode_table(data)
            frame = to_frame(table)
            self._frames.put(sha256, frame, table.nbytes)
        return frame

    def _damaged(self, path: Path, what: str) -> IntegrityError:
        return IntegrityError(
            f"{path} is not {what}: the bytes were damaged. `quant-assets verify` names the "
            "deliveries; remove their receipts and deliver the files again from "
            f"{self.folder / 'archive'}"
        )

    def commit(self, receipt: Receipt, parts: Iterable[tuple[str, str, pd.DataFrame]]) -> Receipt:
        """Write the chunks (dataset, period, rows), then the receipt that lists them.

        Rows are sorted by time; those without one have no span and are found by the receipt alone.
        """
        records = []
        for dataset, period, frame in parts:
            data = encode_frame(frame)
            path = self.chunk_path(dataset, period, receipt.sequence)
            ts = frame.get("ts")
            write_atomically(path, data, mode=READ_ONLY)
            records.append(
                ChunkRecord(
                    dataset=dataset,
                    period=period,
                    sha256=hashlib.sha256(data).hexdigest(),
                    rows=len(frame),
                    span=None if ts is None else (ts.iloc[0], ts.iloc[-1]),
                    symbols=sorted(frame["symbol"].unique().tolist()),
                )
            )
        done = receipt.model_copy(update={"chunks": records})
        self._write(done)
        return done

    def next_sequence(self) -> int:
        """The number of the delivery to come."""
        return max((r.sequence for r in self.receipts()), default=0) + 1

    def chunk_path(self, dataset: str, period: str, sequence: int) -> Path:
        """File of a delivery's rows of one dataset and period, until they are packed."""
        return self.chunk_folder(dataset, period) / chunk_file(sequence)

    def chunk_folder(self, dataset: str, period: str) -> Path:
        """Folder of the rows of one dataset and period."""
        return self.folder / _CHUNK / encode(dataset) / period

    def is_crowded(self, receipt: Receipt, *, more_than: int = MANY_CHUNKS) -> bool:
        """True when the delivery came to a data set and period with more files than that."""
        return any(
            loose_chunks(self.chunk_folder(chunk.dataset, chunk.period)) > more_than
            for chunk in chunks_of(receipt)
        )

    def compact(self, *, more_than: int = MANY_CHUNKS) -> int:
        """Pack the chunks of every dataset and period that has more files than that; how many.

        The caller holds the lock of those who deliver.
        """
        by_folder: dict[Path, list[PackedChunk]] = {}
        for receipt in self.receipts():
            for chunk in chunks_of(receipt):
                folder = self.chunk_folder(chunk.dataset, chunk.period)
                packed = PackedChunk(sequence=chunk.sequence, sha256=chunk.sha256, rows=chunk.rows)
                by_folder.setdefault(folder, []).append(packed)
        count = 0
        for folder, chunks in sorted(by_folder.items()):
            if loose_chunks(folder) > more_than:
                count += compact(folder, chunks)
                self._packs.pop(folder, None)
        return count

    def _write(self, receipt: Receipt) -> None:
        path = self.folder / "receipts" / f"{receipt.sequence:08d}.json"
        body: dict[str, Any] = receipt.model_dump(mode="json")
        write_atomically(path, json.dumps(body, indent=1, sort_keys=True).encode())


def chunks_of(receipt: Receipt) -> list[Chunk]:
    """The chunks of a delivery that have a time."""
    return [
        Chunk(
            dataset=record.dataset,
            period=record.period,
            sequence=receipt.sequence,
            sha256=record.sha256,
            rows=record.rows,
            first=record.span[0],
            last=record.span[1],
            symbols=frozenset(record.symbols),
        )
        for record in receipt.chunks
        if record.span is not None
    ]


def _read_receipt(path: Path) -> Receipt:
    try:
        return Receipt.model_validate_json(path.read_bytes())
    except OSError as error:
        raise storage_error(error, path, doing="read") from error
    except ValidationError as error:
        raise IntegrityError(
            f"{path} is not a receipt ({error.error_count()} problems): it was damaged. Move it "
            "away and deliver its file again from the archive folder beside it"
        ) from error
