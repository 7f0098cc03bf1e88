"""Starts `quant-assets` in processes of its own and reads what they left on disk."""

import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from quant_assets.core.hashing import digest
from quant_assets.storage.inventory import stored_cells, stored_objects
from quant_assets.storage.manifests import Manifest
from quant_assets.storage.snapshots import SnapshotStore, read_manifest
from quant_assets.storage.verification import verify
from quant_assets.storage.writer import temp_files
from quant_assets_tests.reliability.fixture_venue import Fixture

COMMAND = (sys.executable, "-m", "quant_assets.cli.main")
TIMEOUT_SECONDS = 280.0
ENDED = ("SUCCESS", "FAILURE", "CANCELED")


def run(
    fixture: Fixture,
    root: Path,
    arguments: Sequence[str] = ("backfill",),
    *,
    before: Callable[[], None] | None = None,
    **extra: str,
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end; output and errors come back in `stdout`."""
    return subprocess.run(
        [*COMMAND, *arguments],
        env=fixture.environment(root, **extra),
        cwd=fixture.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
        preexec_fn=before,
    )


def start(
    fixture: Fixture, root: Path, log: Path, arguments: Sequence[str] = ("backfill",)
) -> subprocess.Popen[bytes]:
    """Start one command in a session of its own, as a terminal would.

    With Ctrl-C as a terminal has it, too: what a shell starts in the background ignores it.
    """
    with log.open("wb") as stream:
        return subprocess.Popen(
            [*COMMAND, *arguments],
            env=fixture.environment(root),
            cwd=fixture.folder,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=heed_interrupts,  # noqa: PLW1509 - the tests start no threads
        )


def heed_interrupts() -> None:
    """Take SIGINT as a program in the foreground does; for a child before it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def completed(
    fixture: Fixture, root: Path, arguments: Sequence[str] = ("backfill",), **extra: str
) -> "Lake":
    """Run one command that must succeed; the lake that it leaves."""
    done = run(fixture, root, arguments, **extra)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}")
    return Lake(root)


def committed(root: Path) -> int:
    """Number of manifests in the lake now; quick enough to be asked every few milliseconds."""
    count = 0
    try:
        for asset in os.scandir(root / "lake"):
            for venue in os.scandir(asset.path):
                count += sum(entry.name.endswith(".json") for entry in os.scandir(venue.path))
    except FileNotFoundError:
        return count
    return count


@dataclass(frozen=True)
class Lake:
    """What lies under one data root, read once and without the code that wrote it."""

    root: Path

    @cached_property
    def manifests(self) -> dict[str, Manifest]:
        """Manifests by `asset venue|window`; a damaged one raises."""
        layout = SnapshotStore(self.root).layout
        return {
            str(stored.cell): read_manifest(Path(stored.manifest))
            for stored in stored_cells(layout)
            if stored.manifest is not None
        }

    @property
    def digest(self) -> str:
        """One digest over the hashes of all manifests: equal work, equal digest."""
        return digest({name: manifest.hash() for name, manifest in self.manifests.items()})

    @property
    def runs(self) -> dict[str, tuple[str, str]]:
        """Which run wrote each cell, and when."""
        return {name: (m.run.run_id, m.run.written_at) for name, m in self.manifests.items()}

    @property
    def temps(self) -> set[str]:
        """Names of temp files, stale or not."""
        return {path.name for path in temp_files(self.root)} if self.root.is_dir() else set()

    @property
    def damaged(self) -> list[str]:
        """Objects whose bytes are not what their name says, and objects that manifests miss."""
        found = stored_objects(SnapshotStore(self.root).layout)
        bad = [
            entry.path
            for entry in found.values()
            if hashlib.sha256(Path(entry.path).read_bytes()).hexdigest() != entry.sha256
        ]
        named = {f"{m.sha256}.parquet" for m in self.manifests.values()}
        return sorted([*bad, *(named - set(found))])

    @property
    def problems(self) -> list[str]:
        """What `quant-assets verify` would name."""
        return [str(problem) for problem in verify(SnapshotStore(self.root)).problems]

    @property
    def records(self) -> list[dict[str, object]]:
        """Run manifests, oldest first."""
        paths = sorted(self.root.glob("runs/*/run_manifest.json"))
        return [json.loads(path.read_text(encoding="utf-8")) for path in paths]

    @property
    def unended_runs(self) -> int:
        """Runs that Dagster takes for running or waiting; they count against its run queue."""
        with closing(sqlite3.connect(self.root / "dagster" / "history" / "runs.db")) as database:
            counts = dict(database.execute("SELECT status, count(*) FROM runs GROUP BY status"))
        return sum(counts.values()) - sum(counts.get(status, 0) for status in ENDED)

    def finished(self, whole: "Lake") -> dict[str, tuple[str, str]]:
        """The cells that need no more work, with the run that wrote them.

        All outs of a multi-asset are one cell: they share a fingerprint, so `whole`, a finished
        lake of the same venues, tells which ones belong together.
        """
        groups: dict[str, set[str]] = {}
        for name, manifest in whole.manifests.items():
            groups.setdefault(f"{manifest.venue} {manifest.fingerprint}", set()).add(name)
        mine = self.runs
        complete = (group for group in groups.values() if group <= set(mine))
        return {name: mine[name] for group in complete for name in group}
