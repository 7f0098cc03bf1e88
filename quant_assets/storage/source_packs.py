"""Many small chunks of one data set and period as one file, row for row, with nothing lost.

A pull an hour leaves thousands of chunks a year. `compact` puts the rows of a period's chunks one
behind the other into a pack, and `packs.json` beside it says which rows were whose. A chunk keeps
its identity (sequence, hash), so revisions, receipts and digests of what is read stay as they are.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, ValidationError

from quant_assets.core.errors import IntegrityError
from quant_assets.storage.frames import decode_table, encode_table, table_digest
from quant_assets.storage.writer import fsync_path, storage_error, write_atomically

READ_ONLY = 0o444
MANY_CHUNKS = 64
FULL_ROWS = 250_000  # a pack of as many rows is left alone
RECORD = "packs.json"
_PREFIX = "pack-"


class PackedChunk(BaseModel):
    """One chunk of a pack: delivery, hash of the file that it was, and its number of rows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sequence: int
    sha256: str
    rows: int


class Pack(BaseModel):
    """A file of chunks, which lie in it in this order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str
    chunks: list[PackedChunk]

    @property
    def file(self) -> str:
        """Its name, after its content."""
        return f"{_PREFIX}{self.sha256[:16]}.parquet"

    @property
    def rows(self) -> int:
        """Rows of all its chunks."""
        return sum(chunk.rows for chunk in self.chunks)


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    packs: list[Pack] = []


@dataclass(frozen=True)
class Packs:
    """The packs of one folder, and where a delivery's chunk lies in them."""

    packs: list[Pack] = field(default_factory=list)

    @cached_property
    def places(self) -> dict[int, tuple[Pack, PackedChunk, int]]:
        """By sequence: the pack, the chunk, and its first row in the pack."""
        found = {}
        for pack in self.packs:
            first = 0
            for chunk in pack.chunks:
                found[chunk.sequence] = (pack, chunk, first)
                first += chunk.rows
        return found


def read_packs(folder: Path) -> Packs:
    """The packs of a folder of chunks; none where nothing was compacted."""
    path = folder / RECORD
    try:
        return Packs(_Record.model_validate_json(path.read_bytes()).packs)
    except FileNotFoundError:
        return Packs()
    except OSError as error:
        raise storage_error(error, path, doing="read") from error
    except ValidationError as error:
        raise IntegrityError(
            f"{path} does not say what is in its packs ({error.error_count()} problems): it was "
            "damaged. Restore it from a backup, or deliver the archived files to a new data root"
        ) from error


def chunk_file(sequence: int) -> str:
    """Name of a delivery's own file in the folder of its data set and period."""
    return f"{sequence:08d}.parquet"


def loose_chunks(folder: Path) -> int:
    """Number of chunks that are files of their own; a listing, nothing is read."""
    try:
        return sum(name[0].isdigit() for name in os.listdir(folder))
    except FileNotFoundError:
        return 0


def compact(folder: Path, chunks: Iterable[PackedChunk]) -> int:
    """Put the chunks of a folder that are files of their own into a pack; how many there were.

    chunks : what the receipts list of this data set and period, in the order of arrival. Others,
        which a kill left, are not touched. The caller holds the lock of those who deliver.

    Packs that are not full are taken in, too. A kill at any moment loses nothing: the pack is read
    back and compared before `packs.json` names it, and only then the chunks' own files go. Raises
    `IntegrityError` when a chunk is not what its receipt says; nothing is changed then.
    """
    known = read_packs(folder)
    _remove_superseded(folder, known)
    loose = [chunk for chunk in chunks if chunk.sequence not in known.places]
    full = [pack for pack in known.packs if pack.rows >= FULL_ROWS]
    parts = [
        *_unpacked(folder, [pack for pack in known.packs if pack.rows < FULL_ROWS]),
        *((c, decode_table(_sound(folder / chunk_file(c.sequence), c.sha256))) for c in loose),
    ]
    packs = [_written(folder, group) for group in _alike(sorted(parts, key=_arrival))]
    body = _Record(packs=[*full, *packs]).model_dump(mode="json")
    write_atomically(folder / RECORD, json.dumps(body, indent=1, sort_keys=True).encode())
    _remove_superseded(folder, read_packs(folder))
    return len(loose)


_Part = tuple[PackedChunk, pa.Table]


def _arrival(part: _Part) -> int:
    return part[0].sequence


def _unpacked(folder: Path, packs: list[Pack]) -> Iterator[_Part]:
    for pack in packs:
        table = decode_table(_sound(folder / pack.file, pack.sha256))
        first = 0
        for chunk in pack.chunks:
            yield chunk, table.slice(first, chunk.rows)
            first += chunk.rows


def _alike(parts: list[_Part]) -> list[list[_Part]]:
    """Parts by schema, which another version of the program may have written otherwise."""
    groups: dict[str, list[_Part]] = {}
    for part in parts:
        groups.setdefault(part[1].schema.to_string(), []).append(part)
    return list(groups.values())


def _written(folder: Path, parts: list[_Part]) -> Pack:
    """One file of these chunks, read back and compared with each of them."""
    data = encode_table(pa.concat_tables([table for _, table in parts]).combine_chunks())
    pack = Pack(sha256=hashlib.sha256(data).hexdigest(), chunks=[chunk for chunk, _ in parts])
    back, first = decode_table(data), 0
    for chunk, table in parts:
        again = back.slice(first, chunk.rows).combine_chunks()
        if table_digest(again) != table_digest(table.combine_chunks()):
            raise IntegrityError(
                f"{folder}: delivery {chunk.sequence} would not be the same in a pack; nothing was "
                "changed"
            )
        first += chunk.rows
    write_atomically(folder / pack.file, data, mode=READ_ONLY)
    return pack


def _sound(path: Path, sha256: str) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise storage_error(error, path, doing="read") from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise IntegrityError(
            f"{path} is not what its receipt says: nothing was compacted. `quant-assets verify` "
            "tells how to mend it"
        )
    return data


def _remove_superseded(folder: Path, known: Packs) -> None:
    """Remove chunks that lie in a pack, and packs that nothing names."""
    named = {pack.file for pack in known.packs}
    for name in os.listdir(folder):
        packed = name[0].isdigit() and int(name.partition(".")[0]) in known.places
        if packed or (name.startswith(_PREFIX) and name not in named):
            try:
                (folder / name).unlink()
            except OSError as error:
                raise storage_error(error, folder / name, doing="remove") from error
    fsync_path(folder)
