"""`verify --replay`: compute a venue again on an empty root and compare every cell.

Bytes are compared while the environment digest is equal; in another environment (other versions of
numpy, pandas, …) values are compared at 1e-9 relative, and the report says which it was.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from quant_assets.core.errors import ConfigError, StorageError
from quant_assets.orchestration.graph import ordered_specs
from quant_assets.orchestration.status import newest_window
from quant_assets.orchestration.workspace import Workspace
from quant_assets.storage.manifests import Manifest, environment_digest
from quant_assets.storage.paths import Cell
from quant_assets.storage.snapshots import SnapshotStore

RELATIVE = 1e-9


@dataclass(frozen=True)
class ReplayReport:
    """What was compared, how, and which cells differ."""

    venue: str
    cells: int
    compared: str
    differing: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """True when every cell came out the same."""
        return not self.differing

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"ok": self.ok, **asdict(self)}

    def lines(self) -> Iterator[str]:
        """The report for people."""
        for name in self.differing:
            yield f"{name}: the replay gave something else"
        verdict = "all equal" if self.ok else f"{len(self.differing)} differ"
        yield f"replayed {self.cells} cells of {self.venue}, compared by {self.compared}: {verdict}"


def replay_venue(workspace: Workspace, venue: str, *, windows: str | None = None) -> ReplayReport:
    """Materialize `venue` elsewhere, up to the last stored (or given) window, and compare.

    Venue-wide assets depend on all windows, so they are compared only when the whole stored span
    was replayed.
    """
    newest = newest_window(workspace, venue)
    if newest is None:
        raise ConfigError(f"nothing of {venue} is stored yet: run quant-assets backfill first")
    first = workspace.span(venue).first_data
    last = windows.rpartition("...")[2] if windows else newest
    with tempfile.TemporaryDirectory(prefix="quant-assets-replay-") as folder:
        other = SnapshotStore(Path(folder))
        _hand_over_ledgers(workspace.store, other, venue)
        _materialize(venue, f"{first}...{last}", Path(folder))
        cells = [
            cell
            for cell in workspace.store.cells()
            if cell.venue == venue
            and (cell.window <= last or (cell.window == "all" and last == newest))
        ]
        return _compare(workspace.store, other, venue, cells)


def _hand_over_ledgers(store: SnapshotStore, other: SnapshotStore, venue: str) -> None:
    """Give the replay what earlier runs counted; it must add nothing to it.

    Without its fingerprint the cell counts as stale, so its step does run.
    """
    ledgers = {spec.main for spec in ordered_specs() if spec.extends_itself}
    for cell in store.cells():
        manifest = store.manifest(cell)
        if cell.venue != venue or manifest is None or cell.asset not in ledgers:
            continue
        facts = {
            "kind": manifest.kind,
            "contract": manifest.contract,
            "fingerprint": "",
            "code_version": manifest.code_version,
            "config_digest": other.put_config({}),
            "run": manifest.run,
        }
        other.commit(cell, store.read(cell), facts)


def _materialize(venue: str, windows: str, root: Path) -> None:
    command = [sys.executable, "-m", "quant_assets.cli.main", "backfill"]
    command += ["--venue", venue, "--windows", windows]
    environment = {**os.environ, "QUANT_ASSETS_DATA_ROOT": str(root)}
    environment.pop("DAGSTER_HOME", None)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        raise StorageError(f"the replay failed:\n{(done.stdout + done.stderr).strip()[-2000:]}")


def _compare(
    store: SnapshotStore, other: SnapshotStore, venue: str, cells: list[Cell]
) -> ReplayReport:
    here = environment_digest()
    pairs = [(cell, store.require(cell), other.manifest(cell)) for cell in cells]
    same_environment = all(mine.run.environment == here for _, mine, _ in pairs)
    differing = []
    for cell, mine, theirs in pairs:
        if theirs is None or not _equal(store, other, (cell, mine, theirs), same_environment):
            differing.append(str(cell))
    compared = "bytes" if same_environment else f"values at {RELATIVE:g} (another environment)"
    return ReplayReport(venue, len(cells), compared, tuple(differing))


def _equal(
    store: SnapshotStore,
    other: SnapshotStore,
    pair: tuple[Cell, Manifest, Manifest],
    same_environment: bool,
) -> bool:
    cell, mine, theirs = pair
    if mine.sha256 == theirs.sha256:
        return mine.files == theirs.files or not same_environment
    return not same_environment and _close(store.read(cell), other.read(cell))


def _close(mine: pd.DataFrame, theirs: pd.DataFrame) -> bool:
    if list(mine.columns) != list(theirs.columns) or len(mine) != len(theirs):
        return False
    for name in mine.columns:
        if mine[name].dtype == "float64":
            if not np.allclose(mine[name], theirs[name], rtol=RELATIVE, atol=0, equal_nan=True):
                return False
        elif not mine[name].equals(theirs[name]):
            return False
    return True
