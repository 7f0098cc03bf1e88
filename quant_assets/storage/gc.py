"""Old versions leave only here: objects that no current manifest names, and that are not young."""

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from quant_assets.core.clock import utc_now
from quant_assets.core.errors import CellLockedError, IntegrityError
from quant_assets.storage.inventory import StoredObject, stored_cells, stored_objects
from quant_assets.storage.locks import held_locks
from quant_assets.storage.manifests import Manifest
from quant_assets.storage.paths import object_suffix
from quant_assets.storage.snapshots import SnapshotStore, read_manifest
from quant_assets.storage.writer import fsync_path, storage_error

GRACE_SECONDS = 3600.0


@dataclass(frozen=True)
class GcReport:
    """What was removed, or would be (`dry_run`).

    `kept` objects are named by a manifest; `young` ones are named by none, but a writer may be
    about to. `removed` and `bytes` count the rest.
    """

    dry_run: bool
    kept: int
    young: int
    removed: int
    bytes: int

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def lines(self) -> Iterator[str]:
        """The report for people."""
        verb = "would be removed (dry run)" if self.dry_run else "removed"
        yield f"{self.removed} objects, {self.bytes / 1e6:,.1f} MB {verb}"
        yield f"{self.kept} objects are in use, {self.young} unused ones are still too young"


def collect(
    store: SnapshotStore, *, dry_run: bool = True, grace_seconds: float = GRACE_SECONDS
) -> GcReport:
    """Remove objects that no current manifest names as content, input, config or file.

    grace_seconds : age below which an unused object stays, because its manifest may be on the way.

    Raises `CellLockedError` while a writer is at work and `IntegrityError` when a manifest cannot
    be read (what it names would look unused); nothing is removed then. Nothing but objects is
    ever touched.
    """
    held = [] if dry_run else held_locks(store.layout)
    if held:
        raise CellLockedError(
            f"{len(held)} writers are at work, first {held[0].what}: nothing was removed. "
            "Let them finish, then run `quant-assets gc` again."
        )
    objects = stored_objects(store.layout)
    used = _used(store)
    unused = [entry for name, entry in objects.items() if name not in used]
    limit = utc_now().timestamp() - grace_seconds
    sizes = [size for entry in unused if (size := _remove(entry, limit, dry_run)) is not None]
    for folder in sorted({str(Path(entry.path).parent) for entry in unused} if not dry_run else ()):
        fsync_path(Path(folder))
    return GcReport(
        dry_run=dry_run,
        kept=len(objects) - len(unused),
        young=len(unused) - len(sizes),
        removed=len(sizes),
        bytes=sum(sizes),
    )


def _used(store: SnapshotStore) -> set[str]:
    """File names of all objects that a current manifest names."""
    used: set[str] = set()
    damaged = []
    for stored in stored_cells(store.layout):
        if stored.manifest is None:
            continue
        try:
            used.update(_named(read_manifest(Path(stored.manifest))))
        except IntegrityError:
            damaged.append(stored.manifest)
    if damaged:
        raise IntegrityError(
            f"{len(damaged)} manifests cannot be read, first {damaged[0]}: nothing was removed, "
            "because what they name is unknown. `quant-assets verify` says how to mend them."
        )
    return used


def _named(manifest: Manifest) -> Iterator[str]:
    yield f"{manifest.sha256}.parquet"
    yield f"{manifest.config_digest}.json"
    for windows in manifest.inputs.values():
        yield from (f"{sha256}.parquet" for sha256 in windows.values())
    for name, sha256 in manifest.files.items():
        yield f"{sha256}.{object_suffix(name)}"


def _remove(entry: StoredObject, limit: float, dry_run: bool) -> int | None:
    """Size of the object when it went (or would go); None when it is too young or gone already."""
    try:
        stat = os.stat(entry.path)
        if stat.st_mtime > limit:
            return None
        if not dry_run:
            os.unlink(entry.path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise storage_error(error, Path(entry.path), doing="remove") from error
    return stat.st_size
