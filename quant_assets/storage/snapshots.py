"""The store of cells: write once, read with the hash checked, look up by manifest.

Commit order is object, then manifest (the commit point), then the hard link in the lake, which is
only a view for globbing readers and is re-made by `sweep`.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from quant_assets.core.clock import timestamp
from quant_assets.core.errors import IntegrityError, MissingCellError
from quant_assets.core.hashing import canonical_json
from quant_assets.storage.frame_cache import FrameCache
from quant_assets.storage.frames import (
    column_dtypes,
    decode_table,
    encode_table,
    table_digest,
    to_frame,
    to_table,
)
from quant_assets.storage.inventory import cells_of, stored_cells, stored_objects, subfolders
from quant_assets.storage.manifests import Manifest
from quant_assets.storage.paths import Cell, Layout, object_suffix
from quant_assets.storage.writer import (
    WriteGroup,
    link_atomically,
    same_file,
    storage_error,
    sweep_temps,
    write_atomically,
)

READ_ONLY = 0o444
_OBJECT, _MANIFEST = 0, 1  # ranks: a manifest is the commit point, all its objects come before


@dataclass(frozen=True)
class _StagedCell:
    """A version that is written but not yet the cell's current one."""

    manifest: Manifest
    frame: pd.DataFrame


class SnapshotStore:
    """Cells under one data root."""

    def __init__(self, root: Path, *, cache_megabytes: int = 256) -> None:
        self.layout = Layout(root)
        self._frames = FrameCache(cache_megabytes * 1_000_000)
        self._manifests: dict[Cell, tuple[tuple[int, int, int], Manifest]] = {}
        self._manifest_paths: dict[Cell, str] = {}
        self._group = WriteGroup()
        self._staged: dict[Cell, _StagedCell] = {}
        self._staged_objects: set[str] = set()

    # -- manifests ---------------------------------------------------------------------------

    def manifest(self, cell: Cell) -> Manifest | None:
        """The cell's manifest, or None when the cell was never committed.

        This store, but no other reader, also sees what it has staged.
        """
        staged = self._staged.get(cell)
        if staged is not None:
            return staged.manifest
        path = self._manifest_path(cell)
        try:
            stat = os.stat(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise storage_error(error, Path(path), doing="read") from error
        mark = _mark(stat)
        known = self._manifests.get(cell)
        if known is not None and known[0] == mark:
            return known[1]
        manifest = read_manifest(Path(path))
        self._manifests[cell] = (mark, manifest)
        return manifest

    def _manifest_path(self, cell: Cell) -> str:
        """The manifest's path as text, made once: a plan asks for each cell many times."""
        path = self._manifest_paths.get(cell)
        if path is None:
            path = self._manifest_paths[cell] = str(self.layout.manifest(cell))
        return path

    def require(self, cell: Cell) -> Manifest:
        """The cell's manifest; `MissingCellError` when there is none."""
        manifest = self.manifest(cell)
        if manifest is None:
            raise MissingCellError(
                f"{cell} is missing: materialize it first, for example with "
                f"`{cell.backfill_command()}`"
            )
        return manifest

    def assets(self) -> list[str]:
        """Assets that have at least one folder in the lake."""
        return subfolders(self.layout.lake)

    def venues(self, asset: str) -> list[str]:
        """Venues with cells of `asset`."""
        return subfolders(self.layout.folder(asset, "x").parent)

    def windows(self, asset: str, venue: str) -> list[str]:
        """Windows with a committed cell, sorted."""
        return [cell.window for cell in self.cells_of(asset, venue)]

    def cells_of(self, asset: str, venue: str) -> list[Cell]:
        """Committed cells of one asset and venue, sorted by window."""
        found = cells_of(self.layout, asset, venue)
        return [stored.cell for stored in found if stored.manifest is not None]

    def cells(self) -> Iterator[Cell]:
        """All committed cells, sorted."""
        return (stored.cell for stored in stored_cells(self.layout) if stored.manifest is not None)

    # -- frames ------------------------------------------------------------------------------

    def read(self, cell: Cell) -> pd.DataFrame:
        """The cell's frame. Callers must not modify it: it is shared through the cache."""
        staged = self._staged.get(cell)
        if staged is not None:
            return staged.frame
        manifest = self.require(cell)
        return self.read_object(manifest.sha256, where=str(cell))

    def read_table(self, cell: Cell) -> pa.Table:
        """The committed cell as an arrow table of the caller's own."""
        return decode_table(self.read_bytes(self.require(cell).sha256, where=str(cell)))

    def read_object(self, sha256: str, *, where: str) -> pd.DataFrame:
        """The frame of one object; its bytes are hashed before anyone sees them."""
        frame = self._frames.get(sha256)
        if frame is None:
            table = decode_table(self.read_bytes(sha256, where=where))
            frame = to_frame(table)
            self._frames.put(sha256, frame, table.nbytes)
        return frame

    def read_bytes(self, sha256: str, *, where: str, suffix: str = "parquet") -> bytes:
        """Checked bytes of one object."""
        path = self.layout.object(sha256, suffix)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise IntegrityError(
                f"{where}: its object {path} is gone; "
                "recompute with `quant-assets backfill --force`"
            ) from None
        except OSError as error:
            raise storage_error(error, path, doing="read") from error
        found = hashlib.sha256(data).hexdigest()
        if found != sha256:
            raise IntegrityError(
                f"{where}: {path} has sha256 {found[:12]}… but the manifest says {sha256[:12]}…; "
                "the bytes were damaged. Recompute with `quant-assets backfill --force`, which "
                "replaces the object"
            )
        return data

    # -- writing -----------------------------------------------------------------------------

    def put_object(self, data: bytes, *, suffix: str = "parquet") -> str:
        """Store bytes under their hash; an intact object of that hash is kept as it is.

        A kept object becomes young again, so that `gc` leaves it to the manifest that is to come.
        """
        group = WriteGroup()
        sha256 = self._stage_object(group, data, suffix=suffix)
        group.publish()
        return sha256

    def _stage_object(
        self, group: WriteGroup, data: bytes, *, suffix: str = "parquet", rows: int | None = None
    ) -> str:
        """`put_object` that leaves publishing to `group`; what is there and damaged is replaced."""
        sha256 = hashlib.sha256(data).hexdigest()
        path = self.layout.object(sha256, suffix)
        if _is_intact(path, sha256):
            return sha256

        def check(temp: Path) -> None:
            written = temp.read_bytes()
            if hashlib.sha256(written).hexdigest() != sha256:
                raise IntegrityError(f"{path}: the bytes read back differ from those written")
            if rows is not None and pq.read_metadata(pa.BufferReader(written)).num_rows != rows:
                raise IntegrityError(f"{path}: the file read back has not {rows} rows")

        group.stage(path, data, rank=_OBJECT, new=not path.exists(), check=check, mode=READ_ONLY)
        return sha256

    def put_config(self, config: dict[str, Any]) -> str:
        """Store a stage's parameters; returns their digest, which is also the bytes' hash."""
        return self.put_object(canonical_json(config).encode(), suffix="json")

    def put_files(self, asset: str, venue: str, files: Mapping[str, bytes]) -> dict[str, str]:
        """Store report files by content and link them under `reports/<asset>/<venue>/<name>`.

        Returns the hash of each file by name, for the cell's manifest.
        """
        hashes = {}
        for name, data in sorted(files.items()):
            suffix = object_suffix(name)
            hashes[name] = self.put_object(data, suffix=suffix)
            target = self.layout.object(hashes[name], suffix)
            self._link(target, self.layout.report(asset, venue, name))
        return hashes

    def commit(self, cell: Cell, frame: pd.DataFrame, facts: dict[str, Any]) -> Manifest:
        """Store a validated frame as the cell's current version: `stage`, then `publish`."""
        manifest = self.stage(cell, frame, facts)
        self.publish()
        return manifest

    def stage(self, cell: Cell, frame: pd.DataFrame, facts: dict[str, Any]) -> Manifest:
        """Write a validated frame that `publish` makes the cell's current version.

        `facts` are the manifest's fields that the frame does not tell. Many cells that are
        published together cost the disk little more than one.
        """
        if len(frame) == 0 and frame.columns.is_unique:
            columns = zip(map(str, frame.columns), map(str, frame.dtypes), strict=True)
            table, data, data_sha256 = _encoded_empty(tuple(columns))
        else:
            table, data, data_sha256 = _encoded(frame)
        sha256 = hashlib.sha256(data).hexdigest()
        if sha256 not in self._staged_objects:
            self._stage_object(self._group, data, rows=table.num_rows)
            self._staged_objects.add(sha256)
        manifest = Manifest(
            asset=cell.asset,
            venue=cell.venue,
            window=cell.window,
            columns=column_dtypes(table),
            sha256=sha256,
            data_sha256=data_sha256,
            size=len(data),
            rows=table.num_rows,
            **time_span(table),
            **facts,
        )
        self._group.stage(self.layout.manifest(cell), manifest.to_bytes(), rank=_MANIFEST)
        self._staged[cell] = _StagedCell(manifest, frame)
        self._frames.put(sha256, frame, table.nbytes)
        return manifest

    def publish(self) -> None:
        """Make all staged versions current, in the order in which they were staged."""
        staged, self._staged = self._staged, {}
        self._staged_objects = set()
        self._group.publish()
        for cell, version in staged.items():
            path = self.layout.manifest(cell)
            self._manifests[cell] = (_mark(os.stat(path)), version.manifest)
            self._link(self.layout.object(version.manifest.sha256), self.layout.view(cell))

    def _link(self, target: Path, view: Path) -> None:
        """Make `view` show an object; where that had to be a copy, leave a note in the root."""
        reason = link_atomically(target, view)
        note = self.layout.copies_note
        if reason is not None and not note.exists():
            fact = {"first": str(view), "reason": reason, "since": timestamp()}
            write_atomically(note, json.dumps(fact, sort_keys=True).encode())

    def is_published(self, cell: Cell, sha256: str) -> bool:
        """True when the lake's view shows the object: one inode, or equal bytes where copied."""
        return self._shows(self.layout.view(cell), self.layout.object(sha256))

    def is_copy(self, view: Path, target: Path) -> bool:
        """True when a link of lake or reports is a needless copy: a file with the object's bytes.

        Where links are impossible (there is a note about it) no copy is needless.
        """
        if same_file(target, view) or self.layout.copies_note.exists():
            return False
        return _has_bytes_of(target, view)

    def _shows(self, view: Path, target: Path) -> bool:
        if same_file(target, view):
            return True
        return self.layout.copies_note.exists() and _has_bytes_of(target, view)

    def sweep(self) -> dict[str, int]:
        """Start-up clean-up: stale temps removed, links of lake and reports re-made.

        Unreadable manifests and lost objects are left for `verify` and `doctor` to name.
        """
        temps = sweep_temps(self.layout.root)
        objects = stored_objects(self.layout)
        links = 0
        for stored in stored_cells(self.layout):
            if stored.manifest is None:
                continue
            try:
                manifest = read_manifest(Path(stored.manifest))
            except IntegrityError:
                continue
            target = objects.get(f"{manifest.sha256}.parquet")
            if target is not None and target.inode != stored.view_inode:
                links += self._relink(Path(target.path), self.layout.view(stored.cell))
            for name, sha256 in manifest.files.items() if stored.cell.window == "all" else ():
                target = objects.get(f"{sha256}.{object_suffix(name)}")
                if target is not None:
                    link = self.layout.report(stored.cell.asset, stored.cell.venue, name)
                    links += self._relink(Path(target.path), link)
        return {"temps": temps, "links": links}

    def _relink(self, target: Path, view: Path) -> int:
        """Number of links made: 0 when `view` shows the object already."""
        if self._shows(view, target):
            return 0
        self._link(target, view)
        return 1


def _encoded(frame: pd.DataFrame) -> tuple[pa.Table, bytes, str]:
    """The frame's table, its parquet bytes, and the digest of its values."""
    table = to_table(frame)
    return table, encode_table(table), table_digest(table)


@cache
def _encoded_empty(columns: tuple[tuple[str, str], ...]) -> tuple[pa.Table, bytes, str]:
    """`_encoded` of the frame with these names and types but no rows.

    A venue that lacks a dataset stores it in every window.
    """
    return _encoded(pd.DataFrame({name: pd.Series([], dtype=dtype) for name, dtype in columns}))


def read_manifest(path: Path) -> Manifest:
    """Parse one manifest file; a damaged one is an `IntegrityError` that names it."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise storage_error(error, path, doing="read") from error
    return Manifest.from_bytes(data, path)


def _mark(stat: os.stat_result) -> tuple[int, int, int]:
    """What tells one version of a file from the next."""
    return (stat.st_mtime_ns, stat.st_size, stat.st_ino)


def _has_bytes_of(target: Path, view: Path) -> bool:
    try:
        return hashlib.sha256(view.read_bytes()).hexdigest() == target.stem
    except FileNotFoundError:
        return False
    except OSError as error:
        raise storage_error(error, view, doing="read") from error


def _is_intact(path: Path, sha256: str) -> bool:
    try:
        intact = hashlib.sha256(path.read_bytes()).hexdigest() == sha256
        if intact:
            with contextlib.suppress(PermissionError):  # another user's object: as old as it is
                os.utime(path)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise storage_error(error, path, doing="read") from error
    return intact


def time_span(table: pa.Table) -> dict[str, str | None]:
    """First and last time of the rows, and when the last of them could be known."""
    names = table.column_names
    clock = next((name for name in ("ts", "decided_at") if name in names), None)
    known = next((name for name in ("available_at", "decided_at") if name in names), None)
    if clock is None or known is None or table.num_rows == 0:
        return {"first_ts": None, "last_ts": None, "available_at_max": None}
    times = table.column(clock)
    return {
        "first_ts": _iso(times[0]),
        "last_ts": _iso(times[-1]),
        "available_at_max": _iso(pc.max(table.column(known))),
    }


def _iso(moment: pa.Scalar) -> str | None:
    value = moment.as_py()
    return None if value is None else str(value.isoformat())
