"""`runs/<run_id>/run_manifest.json`: what a launch planned, did, and what it depended on.

Written at the start, so that a crash leaves a readable record with the planned stages, and again
at the end. A stage is an asset; a stage instance is an asset of one venue.
"""

import json
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from quant_assets.core.clock import run_stamp, timestamp
from quant_assets.core.hashing import digest
from quant_assets.orchestration.cells import CellSpec
from quant_assets.orchestration.graph import ordered_specs
from quant_assets.orchestration.plan import Plan
from quant_assets.orchestration.workspace import Workspace
from quant_assets.storage.late_artifacts import RUN_MANIFEST, run_files
from quant_assets.storage.manifests import environment, environment_digest
from quant_assets.storage.paths import Cell
from quant_assets.storage.writer import write_atomically


@cache
def git_commit() -> str:
    """Commit of the checkout that the package runs from; empty outside a checkout."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)  # noqa: S603
    except OSError:
        return ""
    return found.stdout.strip() if found.returncode == 0 else ""


def contract_digest(spec: CellSpec) -> dict[str, str]:
    """Digest of each out's schema: columns, dtypes and checks."""
    return {out: digest(repr(contract.to_schema())) for out, contract in spec.outs.items()}


@dataclass
class RunJournal:
    """Collects timings while a launch runs and writes the manifest."""

    workspace: Workspace
    plan: Plan
    options: dict[str, Any]
    run_id: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    _clock: dict[str, list[float]] = field(default_factory=dict)

    def start(self) -> str:
        """Write the manifest of what is planned; returns the run id."""
        names = {cell.spec.main for cell in self.plan.pending}
        specs = [spec for spec in ordered_specs() if spec.main in names]
        self.facts = {
            "venue": self.plan.venue,
            "started_at": timestamp(),
            "git_commit": git_commit(),
            "package_version": version("quant_assets"),
            "environment": environment(),
            "environment_digest": environment_digest(),
            "toggles": self.options,
            "guards": {"KEEP_RESEARCH": True},
            "settings": self.workspace.settings.model_dump(mode="json"),
            "config_digest": digest(self.workspace.venue(self.plan.venue).model_dump(mode="json")),
            "spec_hashes": {spec.main: spec.code_version for spec in specs},
            "ontology_hashes": {k: v for spec in specs for k, v in contract_digest(spec).items()},
            "planned_stages": [spec.main for spec in specs],
            "planned_stage_instances": [f"{spec.main}--{self.plan.venue}" for spec in specs],
            "planned_cells": len(self.plan.pending),
        }
        self.run_id = f"{run_stamp()}-{digest(self.facts)[:8]}"
        self._write()
        return self.run_id

    def moved(self, asset: str, _key: str, _unchanged: bool) -> None:
        """Progress callback: keeps first and last moment per stage instance."""
        now = time.perf_counter()
        self._clock.setdefault(f"{asset}--{self.plan.venue}", [now, now, 0.0])
        entry = self._clock[f"{asset}--{self.plan.venue}"]
        entry[1] = now
        entry[2] += 1

    def finish(self, dagster_run_ids: Sequence[str], failures: Sequence[tuple[str, str]]) -> None:
        """Write the final manifest: timings, data hash, failures, the audit fields."""
        cutoff = timestamp()
        instances = {name: round(last - first, 6) for name, (first, last, _) in self._clock.items()}
        done = {name: int(count) for name, (_, _, count) in self._clock.items()}
        planned = self.facts["planned_stage_instances"]
        logical: dict[str, float] = {}
        for name, seconds in instances.items():
            stage = name.split("--")[0]
            logical[stage] = round(logical.get(stage, 0.0) + seconds, 6)
        self.facts |= {
            "dagster_run_ids": list(dagster_run_ids),
            "instance_timings": instances,
            "logical_timings": logical,
            "instance_cells": done,
            "not_done": [name for name in planned if name not in done],
            "failures": [{"stage": stage, "cause": cause} for stage, cause in failures],
            "data_hash": data_hash(self.workspace, self.plan),
            "artifact_cutoff_utc": cutoff,
            "artifacts": run_files(self.workspace.store.layout, self.run_id),
            "late_artifacts": late_artifacts(self.workspace, self.plan, cutoff),
            "ended_at": timestamp(),
        }
        self._write()

    def _write(self) -> None:
        path = self.workspace.store.layout.run(self.run_id) / RUN_MANIFEST
        text = json.dumps({"run_id": self.run_id, **self.facts}, indent=1, sort_keys=True)
        write_atomically(path, text.encode())


def late_artifacts(workspace: Workspace, plan: Plan, cutoff: str) -> list[str]:
    """Cells in the plan's scope that somebody wrote after the run had ended."""
    cells = [
        Cell(out, state.venue, state.window) for state in plan.cells for out in state.spec.outs
    ]
    manifests = ((str(cell), workspace.store.manifest(cell)) for cell in cells)
    return sorted(name for name, m in manifests if m is not None and m.run.written_at > cutoff)


def data_hash(workspace: Workspace, plan: Plan) -> str:
    """One digest over the manifests of all cells in the plan's scope: equal data, equal digest."""
    cells = [
        Cell(out, state.venue, state.window) for state in plan.cells for out in state.spec.outs
    ]
    manifests = ((str(cell), workspace.store.manifest(cell)) for cell in cells)
    return digest({name: m.data_sha256 for name, m in manifests if m is not None})


def last_failures(workspace: Workspace, venue: str) -> list[dict[str, str]]:
    """Failures of the newest run of the venue; one that never ended counts as interrupted."""
    found = workspace.store.layout.runs.glob(f"*/{RUN_MANIFEST}")
    for path in sorted(found, reverse=True):
        record = json.loads(path.read_text(encoding="utf-8"))
        if record.get("venue") != venue:
            continue
        if "ended_at" not in record:
            return [{"stage": "run", "cause": f"run {record['run_id']} was interrupted"}]
        return list(record["failures"])
    return []
