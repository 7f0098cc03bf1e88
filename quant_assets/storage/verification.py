"""Does every manifest tell the truth? Bytes are hashed, frames decoded, references followed."""

import hashlib
import os
import shlex
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from quant_assets.core.errors import IntegrityError, StorageError
from quant_assets.storage.doctor import Finding
from quant_assets.storage.frames import column_dtypes, decode_table, table_digest
from quant_assets.storage.inventory import StoredCell, StoredObject, stored_cells, stored_objects
from quant_assets.storage.late_artifacts import late_artifacts
from quant_assets.storage.manifests import Manifest
from quant_assets.storage.paths import Cell, object_suffix
from quant_assets.storage.snapshots import SnapshotStore, read_manifest
from quant_assets.storage.source_verification import source_problems
from quant_assets.storage.trial_counts import shortened_ledgers
from quant_assets.storage.trial_store import trial_problems

Progress = Callable[[int, int], None]
Role = Literal["content", "input", "config", "file"]
MAX_THREADS = 8
BATCH = 16
_RANK: dict[Role, int] = {"content": 0, "file": 1, "config": 2, "input": 3}


@dataclass(frozen=True)
class Problem:
    """One disagreement, and the command that mends it."""

    cell: str
    path: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.cell}: {self.problem} ({self.path}). To mend it: {self.remedy}"


@dataclass(frozen=True)
class VerificationReport:
    """Counts, a row per problem, and warnings, which leave the data intact.

    `objects` and `bytes` count what was hashed. `orphans` are objects that no manifest names; they
    are no error (`gc` removes them), and None when only a part of the lake was verified.
    """

    cells: int
    objects: int
    bytes: int
    orphans: int | None
    orphan_bytes: int | None
    problems: tuple[Problem, ...]
    warnings: tuple[Finding, ...] = ()

    @property
    def ok(self) -> bool:
        """True when nothing disagrees."""
        return not self.problems

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"ok": self.ok, **asdict(self)}

    def lines(self) -> Iterator[str]:
        """The report for people."""
        for problem in self.problems:
            yield str(problem)
        yield from (str(warning) for warning in self.warnings)
        state = "all intact" if self.ok else f"{len(self.problems)} problems"
        yield f"{self.cells} cells, {self.objects} objects, {self.bytes / 1e6:,.1f} MB: {state}"
        if self.orphans:
            size = f"{(self.orphan_bytes or 0) / 1e6:,.1f} MB"
            yield f"{self.orphans} unused objects ({size}): quant-assets gc removes them"


@dataclass
class _Reference:
    """An object as the most telling manifest mentions it, and how often all of them do."""

    cell: Cell
    role: Role
    name: str
    mentions: int = 1

    def what(self) -> str:
        if self.role == "content":
            return "its object"
        return (
            f"its config {self.name[:12]}…"
            if self.role == "config"
            else f"its {self.role} {self.name}"
        )

    def remedy(self) -> str:
        again = self.cell.backfill_command(force=True)
        if self.role == "input":
            return f"{again}, which makes the cell from today's inputs"
        return again


@dataclass(frozen=True)
class _Facts:
    """What an object's bytes turned out to be."""

    problem: str = ""
    size: int = 0
    rows: int = 0
    data_sha256: str = ""
    columns: dict[str, str] = field(default_factory=dict)


def verify(
    store: SnapshotStore,
    *,
    venue: str | None = None,
    asset: str | None = None,
    progress: Progress | None = None,
) -> VerificationReport:
    """Check all cells, or those of one venue and/or asset, down to the last bit.

    Per manifest: it parses and fits its own check and its place; its object, inputs, config and
    files exist with the right hash; size, rows, columns and data digest of the decoded frame are
    as told; the lake's link is the object, or has its bytes. Warnings name links that are copies,
    and what came after the end of its run. Without `asset`, what was delivered is compared with its
    receipts, too. `progress` is called with (done, total) objects.
    """
    whole = venue is None and asset is None
    objects = stored_objects(store.layout)
    manifests, problems = _read_manifests(store, venue, asset)
    references: dict[str, _Reference] = {}
    for manifest in manifests.values():
        _collect(manifest, references, problems)
    facts = _examine_all(objects, references, progress)
    for name, found in facts.items():
        if found.problem:
            problems.append(_object_problem(store, name, found.problem, references[name]))
    copied: list[int] = []
    for stored, manifest in manifests.items():
        problems.extend(_told_wrong(store, stored, manifest, facts))
        if not _is_linked(store, stored, manifest, objects):
            if store.is_copy(store.layout.view(stored.cell), store.layout.object(manifest.sha256)):
                copied.append(manifest.size)
            else:
                problems.append(_link_problem(store, stored))
        copied.extend(_copied_files(store, stored.cell, manifest, objects))
    if asset is None:
        problems.extend(
            Problem(found.delivery, str(found.path), found.problem, found.remedy)
            for found in source_problems(store.layout, venue)
        )
    problems.extend(
        Problem(
            str(cell), str(store.layout.manifest(cell)), why, "put the ledger back from a backup"
        )
        for cell, why in shortened_ledgers(store).items()
        if venue in (None, cell.venue) and asset in (None, cell.asset)
    )
    if asset is None:
        problems.extend(
            Problem("trials", str(path), why, "put the folder back from a backup")
            for path, why in trial_problems(store.layout.root, venue).items()
        )
    orphans = [entry for name, entry in objects.items() if name not in references]
    cells = {stored.cell: manifest for stored, manifest in manifests.items()}
    return VerificationReport(
        cells=len(manifests),
        objects=len(facts),
        bytes=sum(found.size for found in facts.values()),
        orphans=len(orphans) if whole else None,
        orphan_bytes=sum(os.stat(entry.path).st_size for entry in orphans) if whole else None,
        problems=tuple(sorted(problems, key=lambda p: (p.cell, p.path, p.problem))),
        warnings=(
            *_copied(store, copied),
            *late_artifacts(store.layout, cells, venue=venue, asset=asset),
        ),
    )


def _read_manifests(
    store: SnapshotStore, venue: str | None, asset: str | None
) -> tuple[dict[StoredCell, Manifest], list[Problem]]:
    manifests, problems = {}, []
    for stored in stored_cells(store.layout):
        cell, path = stored.cell, stored.manifest
        if path is None or venue not in (None, cell.venue) or asset not in (None, cell.asset):
            continue
        again = f"rm {shlex.quote(path)} && {cell.backfill_command()}"
        try:
            manifest = read_manifest(Path(path))
        except StorageError as error:
            why = "its manifest is damaged" if isinstance(error, IntegrityError) else str(error)
            problems.append(Problem(str(cell), path, why, again))
            continue
        told = Cell(manifest.asset, manifest.venue, manifest.window)
        if told != cell:
            problems.append(Problem(str(cell), path, f"its manifest belongs to {told}", again))
        else:
            manifests[stored] = manifest
    return manifests, problems


def _collect(
    manifest: Manifest, references: dict[str, _Reference], problems: list[Problem]
) -> None:
    """Note every object that `manifest` names, by file name."""
    cell = Cell(manifest.asset, manifest.venue, manifest.window)

    def note(role: Role, name: str, file: str) -> None:
        known = references.get(file)
        if known is None:
            references[file] = _Reference(cell, role, name)
            return
        known.mentions += 1
        if _RANK[role] < _RANK[known.role]:
            references[file] = _Reference(cell, role, name, known.mentions)

    note("content", "", f"{manifest.sha256}.parquet")
    note("config", manifest.config_digest, f"{manifest.config_digest}.json")
    for asset, windows in manifest.inputs.items():
        for window, sha256 in windows.items():
            file = f"{sha256}.parquet"
            known = references.get(file)
            if known is None:
                note("input", f"{asset} {window}", file)
            else:
                known.mentions += 1
    for name, sha256 in manifest.files.items():
        try:
            note("file", name, f"{sha256}.{object_suffix(name)}")
        except StorageError as error:
            problems.append(Problem(str(cell), name, str(error), cell.backfill_command(force=True)))


def _examine_all(
    objects: dict[str, StoredObject], references: dict[str, _Reference], progress: Progress | None
) -> dict[str, _Facts]:
    def examine(names: list[str]) -> list[_Facts]:
        return [
            _examine(objects.get(name), decode=references[name].role == "content") for name in names
        ]

    names = sorted(references)
    batches = [names[start : start + BATCH] for start in range(0, len(names), BATCH)]
    facts: dict[str, _Facts] = {}
    with ThreadPoolExecutor(min(MAX_THREADS, os.cpu_count() or 1)) as pool:
        for batch, found in zip(batches, pool.map(examine, batches), strict=True):
            facts.update(zip(batch, found, strict=True))
            if progress is not None:
                progress(len(facts), len(names))
    return facts


def _examine(entry: StoredObject | None, *, decode: bool) -> _Facts:
    if entry is None:
        return _Facts(problem="is gone")
    try:
        data = Path(entry.path).read_bytes()
    except OSError as error:
        return _Facts(problem=f"cannot be read: {error.strerror}")
    found = hashlib.sha256(data).hexdigest()
    if found != entry.sha256:
        return _Facts(
            problem=f"has sha256 {found[:12]}… instead of {entry.sha256[:12]}…", size=len(data)
        )
    if not decode:
        return _Facts(size=len(data))
    try:
        table = decode_table(data)
        return _Facts("", len(data), table.num_rows, table_digest(table), column_dtypes(table))
    except StorageError as error:
        return _Facts(problem=f"does not decode: {error}", size=len(data))


def _object_problem(store: SnapshotStore, name: str, problem: str, told: _Reference) -> Problem:
    """One row per bad object, told by a cell that owns it, else by the first that read it."""
    others = told.mentions - 1
    shared = f"; {others} more mentions of this object" if others else ""
    sha256, _, suffix = name.partition(".")
    path = str(store.layout.object(sha256, suffix))
    return Problem(str(told.cell), path, f"{told.what()} {problem}{shared}", told.remedy())


def _told_wrong(
    store: SnapshotStore, stored: StoredCell, manifest: Manifest, facts: dict[str, _Facts]
) -> Iterator[Problem]:
    """Where manifest and decoded frame disagree."""
    found = facts[f"{manifest.sha256}.parquet"]
    if found.problem:
        return
    pairs = {
        "size": (manifest.size, found.size),
        "rows": (manifest.rows, found.rows),
        "data_sha256": (manifest.data_sha256, found.data_sha256),
        "columns": (manifest.columns, found.columns),
    }
    for name, (told, true) in pairs.items():
        if told != true:
            yield Problem(
                str(stored.cell),
                str(store.layout.object(manifest.sha256)),
                f"its manifest tells {name} {told!r}, the object has {true!r}",
                stored.cell.backfill_command(force=True),
            )


def _is_linked(
    store: SnapshotStore,
    stored: StoredCell,
    manifest: Manifest,
    objects: dict[str, StoredObject],
) -> bool:
    """True when the lake shows the object, or when there is no object to show."""
    target = objects.get(f"{manifest.sha256}.parquet")
    if target is None or target.inode == stored.view_inode:
        return True
    return store.is_published(stored.cell, manifest.sha256)


def _link_problem(store: SnapshotStore, stored: StoredCell) -> Problem:
    state = "is missing" if stored.view_inode is None else "shows another object"
    return Problem(
        str(stored.cell),
        str(store.layout.view(stored.cell)),
        f"its link in the lake {state}",
        "any `quant-assets backfill` re-makes the links at its start",
    )


def _copied_files(
    store: SnapshotStore, cell: Cell, manifest: Manifest, objects: dict[str, StoredObject]
) -> Iterator[int]:
    """Sizes of the cell's report files that are copies."""
    for name, sha256 in manifest.files.items():
        target = objects.get(f"{sha256}.{name.rpartition('.')[2].lower()}")
        if target is not None:
            view = store.layout.report(cell.asset, cell.venue, name)
            if store.is_copy(view, Path(target.path)):
                yield os.stat(view).st_size


def _copied(store: SnapshotStore, sizes: list[int]) -> Iterator[Finding]:
    """One warning for all links that became files of their own, as a plain copy of a root does."""
    if sizes:
        what = (
            f"{len(sizes)} links to objects are separate copies of them, so "
            f"{sum(sizes) / 1e6:,.1f} MB lie on the disk twice; the data are intact"
        )
        yield Finding("warning", what, str(store.layout.root), "quant-assets doctor --repair")
