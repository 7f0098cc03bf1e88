"""What came after the run that it belongs to had ended: cells, files of runs, report files.

No file's age is looked at, because a copy changes it. A finished run's manifest tells until when it
wrote, which Dagster runs were its own, and the hash of each file in its folder; a cell's manifest
tells which run wrote it and when, and the hash of each report file. What they do not account for
came later. Runs from the UI write no run manifest, so nothing is late against them.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from quant_assets.storage.doctor import Finding
from quant_assets.storage.manifests import Manifest
from quant_assets.storage.paths import Cell, Layout, encode
from quant_assets.storage.writer import TEMP_MARK, storage_error

RUN_MANIFEST = "run_manifest.json"


class FinishedRun(BaseModel):
    """The part of a finished run's manifest that says what belongs to the run.

    `artifacts` is the hash of each file in the run's folder by relative path; None in manifests of
    early versions, which did not list them. Instants are ISO texts in UTC, so they sort as text.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    run_id: str
    venue: str
    artifact_cutoff_utc: str
    dagster_run_ids: list[str]
    late_artifacts: list[str]
    artifacts: dict[str, str] | None = None


def run_files(layout: Layout, run_id: str) -> dict[str, str]:
    """SHA-256 of each file in a run's folder by relative path; its manifest is left out."""
    folder = layout.run(run_id)
    names = (path.relative_to(folder).as_posix() for path in _files(folder))
    return {name: _sha256(folder / name) for name in names if name != RUN_MANIFEST}


def late_artifacts(
    layout: Layout,
    manifests: Mapping[Cell, Manifest],
    *,
    venue: str | None = None,
    asset: str | None = None,
) -> Iterator[Finding]:
    """One warning per late cell or file, and per run manifest that cannot be read.

    `manifests` are all cells, or those of one venue and/or asset; files are looked at alike.
    """
    runs: list[FinishedRun] = []
    for path in sorted(layout.runs.glob(f"*/{RUN_MANIFEST}")):
        try:
            run = _finished(path)
        except (OSError, ValueError) as error:
            what = f"a run manifest is not readable: {str(error).splitlines()[0]}"
            yield Finding("warning", what, str(path), "delete it: results do not depend on it")
            continue
        if run is not None and venue in (None, run.venue):
            runs.append(run)
    yield from _late_cells(layout, manifests, runs)
    if asset is None:
        for run in runs:
            yield from _late_run_files(layout, run)
    yield from _late_reports(layout, manifests, venue, asset)


def _finished(path: Path) -> FinishedRun | None:
    """The run of a manifest, or None while it has not ended."""
    record = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(record, dict) and "artifact_cutoff_utc" not in record:
        return None
    return FinishedRun.model_validate(record)


def _late_cells(
    layout: Layout, manifests: Mapping[Cell, Manifest], runs: list[FinishedRun]
) -> Iterator[Finding]:
    """Cells younger than the run that claims them, or that a run found younger than its end.

    A cell that a later run wrote in its own time is accounted for.
    """
    owners = {name: run for run in runs for name in run.dagster_run_ids}
    noted = {name: run for run in runs for name in run.late_artifacts}
    for cell, manifest in manifests.items():
        written = manifest.run.written_at
        run = owners.get(manifest.run.run_id)
        if run is None:
            run = noted.get(str(cell))
        if run is not None and written > run.artifact_cutoff_utc:
            what = (
                f"{cell} was written at {written}, after run {run.run_id} had ended "
                f"at {run.artifact_cutoff_utc}"
            )
            path = str(layout.manifest(cell))
            yield Finding("warning", what, path, cell.backfill_command(force=True))


def _late_run_files(layout: Layout, run: FinishedRun) -> Iterator[Finding]:
    if run.artifacts is None:
        return
    for name, sha256 in run_files(layout, run.run_id).items():
        if run.artifacts.get(name) != sha256:
            state = "was changed" if name in run.artifacts else "appeared"
            what = f"{name} {state} after run {run.run_id} had ended at {run.artifact_cutoff_utc}"
            path = str(layout.run(run.run_id) / name)
            yield Finding("warning", what, path, "move it out of the run's folder")


def _late_reports(
    layout: Layout, manifests: Mapping[Cell, Manifest], venue: str | None, asset: str | None
) -> Iterator[Finding]:
    told = {
        layout.report(cell.asset, cell.venue, name): (cell, sha256)
        for cell, manifest in manifests.items()
        for name, sha256 in manifest.files.items()
    }
    scope = f"{encode(asset) if asset else '*'}/{encode(venue) if venue else '*'}"
    whole = venue is None and asset is None
    folders = [layout.reports] if whole else sorted(layout.reports.glob(scope))
    for path in (path for folder in folders for path in _files(folder)):
        if path not in told:
            what = "no cell's manifest names this report file, so it came after the runs or is old"
            yield Finding("warning", what, str(path), "move it out of the reports folder")
        elif _sha256(path) != told[path][1]:
            what = f"this report file is not the one that {told[path][0]} names"
            yield Finding("warning", what, str(path), "quant-assets doctor --repair")


def _files(folder: Path) -> list[Path]:
    """Files at any depth, sorted; temp files left out."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in found if not path.name.startswith(TEMP_MARK))


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise storage_error(error, path, doing="read") from error
