"""What is wrong with a data root, and the command that mends it. Nothing is changed here.

Bytes are not hashed (that is `verify`); Dagster's event log is compared elsewhere.
"""

import json
import os
import shlex
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from quant_assets.core.errors import StorageError
from quant_assets.core.windows import Grid
from quant_assets.storage.inventory import (
    StoredCell,
    StoredObject,
    stored_cells,
    stored_objects,
)
from quant_assets.storage.locks import held_locks
from quant_assets.storage.manifests import Manifest
from quant_assets.storage.snapshots import SnapshotStore, read_manifest
from quant_assets.storage.writer import is_stale, temp_files, temp_path

Severity = Literal["error", "warning", "info"]
DISK_LIMIT = 0.95
MAX_PARTITIONS = 10_000
_RELINK = "any `quant-assets backfill` re-makes the links at its start"
_MOVE = "export QUANT_ASSETS_DATA_ROOT=<another folder>"


@dataclass(frozen=True)
class Finding:
    """One thing to know: how bad, what, where, and the command that mends it."""

    severity: Severity
    what: str
    where: str
    command: str

    def __str__(self) -> str:
        mend = f" -> {self.command}" if self.command else ""
        return f"{self.severity}: {self.what} ({self.where}){mend}"

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def examine(store: SnapshotStore) -> list[Finding]:
    """Look at root, disk, temps, links, manifests, locks and sizes; errors come first."""
    root = store.layout.root
    if not root.is_dir():
        where = "is a file" if root.exists() else "does not exist yet"
        return [
            Finding(
                "error", f"the data root {where}", str(root), f"mkdir -p {shlex.quote(str(root))}"
            )
        ]
    try:
        findings = [
            *_root(root),
            *_disk(root),
            *_temps(root),
            *_cells(store),
            *_locks(store),
            *_workspace(store),
            *_copies(store),
        ]
    except StorageError as error:
        findings = [Finding("error", str(error), str(root), "see the message")]
    order: list[Severity] = ["error", "warning", "info"]
    return sorted(
        findings, key=lambda found: (order.index(found.severity), found.what, found.where)
    )


def _root(root: Path) -> Iterator[Finding]:
    probe = temp_path(root)
    try:
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        yield Finding(
            "error", f"the data root cannot be written: {error.strerror}", str(root), _MOVE
        )


def _disk(root: Path) -> Iterator[Finding]:
    """Space and inodes as a process without privileges sees them."""
    usage = shutil.disk_usage(root)
    used = usage.used / (usage.used + usage.free) if usage.used + usage.free else 0.0
    if used >= DISK_LIMIT:
        what = f"the disk is {used:.1%} full, {usage.free / 1e9:,.1f} GB are left"
        yield Finding("warning", what, str(root), "quant-assets gc")
    stat = os.statvfs(root)
    if stat.f_files and stat.f_favail < (1 - DISK_LIMIT) * stat.f_files:
        what = f"the file system has {stat.f_favail:,} of {stat.f_files:,} file entries left"
        yield Finding("warning", what, str(root), "quant-assets gc")


def _temps(root: Path) -> Iterator[Finding]:
    stale = [temp for temp in temp_files(root) if is_stale(temp)]
    if stale:
        what = f"{len(stale)} temp files were left by killed processes"
        yield Finding(
            "info", what, str(stale[0]), "any `quant-assets backfill` removes them at its start"
        )


def _cells(store: SnapshotStore) -> Iterator[Finding]:
    """Manifests, objects and links; and how many partitions each asset has."""
    objects = stored_objects(store.layout)
    inodes = {entry.inode for entry in objects.values()}
    partitions: Counter[str] = Counter()
    separate = 0
    for stored in stored_cells(store.layout):
        if stored.manifest is None:
            path = str(store.layout.view(stored.cell))
            what = f"{stored.cell} has a link but no manifest: it does not count as stored"
            yield Finding("warning", what, path, stored.cell.backfill_command())
            continue
        partitions[stored.cell.asset] += 1
        try:
            manifest = read_manifest(Path(stored.manifest))
        except StorageError as error:
            again = f"rm {shlex.quote(stored.manifest)} && {stored.cell.backfill_command()}"
            yield Finding("error", str(error), stored.manifest, again)
            continue
        if stored.view_inode not in inodes and _is_separate(store, stored, manifest, objects):
            separate += 1
        else:
            yield from _object_and_link(store, stored, manifest, objects)
    if separate:
        what = f"{separate} links of the lake are separate files: copies that lie on the disk twice"
        yield Finding("warning", what, str(store.layout.lake), "quant-assets doctor --repair")
    for asset, count in sorted(partitions.items()):
        if count > MAX_PARTITIONS:
            what = f"{asset} has {count:,} partitions, above {MAX_PARTITIONS:,} the UI becomes slow"
            where = str(store.layout.folder(asset, "x").parent)
            yield Finding("warning", what, where, "split the venues over several data roots")


def _is_separate(
    store: SnapshotStore,
    stored: StoredCell,
    manifest: Manifest,
    objects: dict[str, StoredObject],
) -> bool:
    """True for a view of the object's size that is no link, as a plain copy of a root has them."""
    if f"{manifest.sha256}.parquet" not in objects or stored.view_inode is None:
        return False
    if store.is_published(stored.cell, manifest.sha256):
        return False
    return os.stat(store.layout.view(stored.cell)).st_size == manifest.size


def _object_and_link(
    store: SnapshotStore,
    stored: StoredCell,
    manifest: Manifest,
    objects: dict[str, StoredObject],
) -> Iterator[Finding]:
    target = objects.get(f"{manifest.sha256}.parquet")
    view = str(store.layout.view(stored.cell))
    if target is None:
        path = str(store.layout.object(manifest.sha256))
        again = stored.cell.backfill_command(force=True)
        yield Finding("error", f"{stored.cell} has a manifest but its object is gone", path, again)
    elif stored.view_inode is None:
        yield Finding("warning", f"{stored.cell} has no link in the lake", view, _RELINK)
    elif stored.view_inode != target.inode and not store.is_published(stored.cell, manifest.sha256):
        yield Finding("warning", f"{stored.cell}: its link shows another object", view, _RELINK)


def _locks(store: SnapshotStore) -> Iterator[Finding]:
    for held in held_locks(store.layout):
        who, command = "an unknown process", ""
        if held.holder is not None:
            who = str(held.holder)
            command = f"let it finish, or stop it: kill {held.holder.pid}"
        yield Finding("info", f"{held.what} is being written by {who}", held.path, command)


def _workspace(store: SnapshotStore) -> Iterator[Finding]:
    path = store.layout.root / "workspace.json"
    try:
        Grid.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        if store.assets():
            what = "workspace.json is missing, so the grid of these cells is unrecorded"
            yield Finding(
                "warning", what, str(path), "quant-assets plan records it from the settings"
            )
    except (OSError, ValueError, ValidationError) as error:
        what = f"workspace.json is not readable: {str(error).splitlines()[0]}"
        again = f"rm {shlex.quote(str(path))}; the next backfill writes it from the settings"
        yield Finding("error", what, str(path), again)


def _copies(store: SnapshotStore) -> Iterator[Finding]:
    note = store.layout.copies_note
    if note.exists():
        what = "the lake holds copies instead of links, because objects cannot be linked there"
        yield Finding("info", what, str(note), "keep objects/ and lake/ on one file system")
