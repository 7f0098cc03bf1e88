"""Late cells and files by hand: one run that wrote one cell and one report at noon."""

import json
import shutil
from pathlib import Path

import pytest

from quant_assets.storage.late_artifacts import run_files
from quant_assets.storage.paths import Cell
from quant_assets.storage.snapshots import SnapshotStore
from quant_assets.storage.verification import verify
from quant_assets.storage.writer import write_atomically
from quant_assets_tests.storage.samples import bars, commit, record

CELL = Cell("bars", "v", "w")
BEFORE, CUTOFF, AFTER = (f"2026-01-01T{hour}:00:00.000+00:00" for hour in ("11", "12", "13"))


def finish(store: SnapshotStore, run_id: str, *, cutoff: str = CUTOFF, **changes: object) -> None:
    """Write the manifest of a finished launch whose Dagster run is called `<run_id>-dagster`."""
    facts = {
        "run_id": run_id,
        "venue": "v",
        "artifact_cutoff_utc": cutoff,
        "dagster_run_ids": [f"{run_id}-dagster"],
        "late_artifacts": [],
        "artifacts": run_files(store.layout, run_id),
    }
    path = store.layout.run(run_id) / "run_manifest.json"
    write_atomically(path, json.dumps({**facts, **changes}).encode())


def write_cell(store: SnapshotStore, run_id: str, written_at: str) -> None:
    """Commit the cell as a Dagster run would."""
    commit(store, CELL, bars(), run=record(run_id=f"{run_id}-dagster", written_at=written_at))


@pytest.fixture
def store(root: Path) -> SnapshotStore:
    store = SnapshotStore(root)
    write_cell(store, "r1", BEFORE)
    files = store.put_files("tear_sheet", "v", {"tear_sheet.html": b"<p>report</p>"})
    run = record(run_id="r1-dagster", written_at=BEFORE)
    commit(store, Cell("tear_sheet", "v", "all"), bars(1), files=files, kind="venue", run=run)
    write_atomically(store.layout.run("r1") / "telemetry" / "bars--v.parquet", b"rows")
    finish(store, "r1")
    return store


def warnings(store: SnapshotStore, **scope: str) -> list[tuple[str, str]]:
    """What is warned about, and where below the root; the data are intact all the same."""
    report = verify(store, **scope)
    assert report.ok
    root = store.layout.root
    return [(w.what, str(Path(w.where).relative_to(root))) for w in report.warnings]


def test_finished_run_whose_files_are_all_told_has_no_warning(store: SnapshotStore):
    assert warnings(store) == []
    assert verify(store).as_dict()["warnings"] == ()


def test_copy_with_new_times_and_no_links_has_no_late_file(store: SnapshotStore, tmp_path: Path):
    shutil.copytree(store.layout.root, tmp_path / "copy", copy_function=shutil.copyfile)
    copy = SnapshotStore(tmp_path / "copy")
    copy.sweep()
    assert warnings(copy) == []


def test_cell_that_its_run_claims_but_was_written_after_its_end_is_late(store: SnapshotStore):
    write_cell(store, "r1", AFTER)
    text = f"bars v|w was written at {AFTER}, after run r1 had ended at {CUTOFF}"
    assert warnings(store) == [(text, "lake/bars/v/w.json")]
    (warning,) = verify(store).warnings
    assert warning.command == CELL.backfill_command(force=True)
    assert f"warning: {text}" in next(verify(store).lines())


def test_cell_of_a_later_run_in_its_own_time_is_not_late(store: SnapshotStore):
    write_cell(store, "r2", AFTER)
    assert warnings(store) == [], "nobody claims it: a run from the UI wrote it"
    finish(store, "r2", cutoff="2026-01-01T14:00:00.000+00:00")
    assert warnings(store) == []


def test_recorded_late_cell_is_told_until_a_later_run_accounts_for_it(store: SnapshotStore):
    write_cell(store, "somebody", AFTER)
    finish(store, "r1", late_artifacts=[str(CELL)])
    assert [path for _, path in warnings(store)] == ["lake/bars/v/w.json"]
    write_cell(store, "r2", AFTER)
    finish(store, "r2", cutoff="2026-01-01T14:00:00.000+00:00")
    assert warnings(store) == []


def test_file_that_appears_or_changes_in_a_finished_runs_folder_is_late(store: SnapshotStore):
    folder = store.layout.run("r1")
    (folder / "notes.txt").write_text("late")
    (folder / "telemetry" / "bars--v.parquet").write_bytes(b"others")
    assert warnings(store) == [
        (f"notes.txt appeared after run r1 had ended at {CUTOFF}", "runs/r1/notes.txt"),
        (
            f"telemetry/bars--v.parquet was changed after run r1 had ended at {CUTOFF}",
            "runs/r1/telemetry/bars--v.parquet",
        ),
    ]


def test_file_of_an_unfinished_or_an_early_run_is_not_judged(store: SnapshotStore):
    (store.layout.run("r1") / "notes.txt").write_text("late")
    finish(store, "r1", artifacts=None)
    assert warnings(store) == []
    path = store.layout.run("r1") / "run_manifest.json"
    path.write_text(json.dumps({"run_id": "r1", "venue": "v"}))
    assert warnings(store) == []


def test_report_file_that_no_cell_names_or_that_is_another_is_told(store: SnapshotStore):
    path = store.layout.report("tear_sheet", "v", "tear_sheet.html")
    path.with_name("late.html").write_text("<p>late</p>")
    path.unlink()
    path.write_text("<p>edited</p>")
    assert warnings(store) == [
        (
            "no cell's manifest names this report file, so it came after the runs or is old",
            "reports/tear_sheet/v/late.html",
        ),
        (
            "this report file is not the one that tear_sheet v|all names",
            "reports/tear_sheet/v/tear_sheet.html",
        ),
    ]
    store.sweep()
    assert [path for _, path in warnings(store)] == ["reports/tear_sheet/v/late.html"]


def test_part_of_the_lake_has_the_warnings_of_that_part(store: SnapshotStore):
    write_cell(store, "r1", AFTER)
    (store.layout.run("r1") / "notes.txt").write_text("late")
    store.layout.report("tear_sheet", "v", "late.html").write_text("late")
    assert len(warnings(store)) == 3
    assert [path for _, path in warnings(store, asset="bars")] == ["lake/bars/v/w.json"]
    assert len(warnings(store, asset="tear_sheet")) == 1
    assert len(warnings(store, venue="v")) == 3
    assert warnings(store, venue="other") == []


@pytest.mark.parametrize("text", ["{", "[]", '{"artifact_cutoff_utc": 1}'])
def test_unreadable_run_manifest_is_a_warning(store: SnapshotStore, text: str):
    (store.layout.run("r1") / "run_manifest.json").write_text(text)
    ((what, path),) = warnings(store)
    assert what.startswith("a run manifest is not readable")
    assert path == "runs/r1/run_manifest.json"
