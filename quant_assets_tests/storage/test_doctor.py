import os
import shutil
import subprocess
import sys

import pytest

from quant_assets.storage import doctor
from quant_assets.storage.doctor import examine
from quant_assets.storage.locks import writer_lock
from quant_assets.storage.paths import Cell
from quant_assets.storage.snapshots import SnapshotStore
from quant_assets.storage.writer import temp_path, write_atomically
from quant_assets_tests.storage.samples import bars, commit, mounted

CELL = Cell("bars", "v", "2020-01-01")
GRID = b'{"cadence": "monthly", "start": "1989-10-01"}'


@pytest.fixture
def store(tmp_path):
    store = SnapshotStore(tmp_path)
    commit(store, CELL, bars())
    write_atomically(tmp_path / "workspace.json", GRID)
    return store


def only(store):
    (finding,) = examine(store)
    return finding


def test_examine_healthy_root_has_no_findings_and_changes_nothing(store):
    before = sorted(store.layout.root.rglob("*"))
    assert examine(store) == []
    assert sorted(store.layout.root.rglob("*")) == before


def test_examine_absent_root_says_how_to_make_it(tmp_path):
    finding = only(SnapshotStore(tmp_path / "new root"))
    assert finding.severity == "error"
    assert "does not exist" in finding.what
    assert finding.command == f"mkdir -p '{tmp_path}/new root'"


def test_examine_read_only_root_is_an_error(tmp_path):
    with mounted(tmp_path / "readonly", "-o", "ro") as folder:
        findings = examine(SnapshotStore(folder))
    assert [f.severity for f in findings] == ["error"]
    assert "cannot be written: Read-only file system" in findings[0].what
    assert "QUANT_ASSETS_DATA_ROOT" in findings[0].command


def test_examine_almost_full_disk_is_a_warning(tmp_path):
    with mounted(tmp_path / "small", "-o", "size=1m") as folder:
        (folder / "ballast").write_bytes(b"x" * 1_020_000)
        finding = only(SnapshotStore(folder))
    assert finding.severity == "warning"
    assert "full" in finding.what
    assert finding.command == "quant-assets gc"


def test_examine_temps_of_killed_processes_are_listed(store):
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    host = temp_path(store.layout.root).name.split("-")[2]
    temp = store.layout.folder("bars", "v") / f".tmp-{child.pid}-{host}-0"
    temp.write_bytes(b"half")
    finding = only(store)
    assert (finding.severity, finding.where) == ("info", str(temp))
    assert "1 temp files" in finding.what


def test_examine_lost_object_is_an_error_with_its_command(store):
    store.layout.object(store.require(CELL).sha256).unlink()
    finding = only(store)
    assert finding.severity == "error"
    assert "object is gone" in finding.what
    assert finding.command == CELL.backfill_command(force=True)
    assert finding.command in str(finding)


def test_examine_damaged_manifest_is_an_error_with_its_command(store):
    path = store.layout.manifest(CELL)
    path.write_bytes(b"{")
    finding = only(store)
    assert finding.severity == "error"
    assert finding.command == f"rm {path} && {CELL.backfill_command()}"


@pytest.mark.parametrize("replace", [False, True])
def test_examine_missing_or_foreign_link_is_a_warning(store, replace):
    view = store.layout.view(CELL)
    view.unlink()
    if replace:
        view.write_bytes(b"other")
    finding = only(store)
    assert finding.severity == "warning"
    assert finding.where == str(view)
    store.sweep()
    assert examine(store) == []


def test_examine_root_copied_without_links_is_one_warning(store, tmp_path):
    commit(store, Cell("bars", "v", "2020-02-01"), bars(scale=2.0))
    root = tmp_path / "copy"
    shutil.copytree(tmp_path, root, ignore=shutil.ignore_patterns("copy"))
    copy = SnapshotStore(root)
    finding = only(copy)
    assert (finding.severity, finding.where) == ("warning", str(root / "lake"))
    assert finding.what.startswith("2 links of the lake are separate files")
    assert finding.command == "quant-assets doctor --repair"
    copy.sweep()
    assert examine(copy) == []


def test_examine_stale_link_of_the_same_size_is_told_by_its_cell(store):
    old = store.layout.object(store.require(CELL).sha256)
    new = commit(store, CELL, bars(scale=2.0))
    assert new.size == old.stat().st_size
    store.layout.view(CELL).unlink()
    store.layout.view(CELL).hardlink_to(old)
    assert only(store).what == f"{CELL}: its link shows another object"


def test_examine_link_without_a_manifest_is_a_warning(store):
    store.layout.manifest(CELL).unlink()
    finding = only(store)
    assert finding.severity == "warning"
    assert "no manifest" in finding.what


def test_examine_held_lock_names_the_living_process(store):
    with writer_lock(store.layout.lock("bars", "v"), what="bars of v", wait_seconds=0):
        finding = only(store)
    assert finding.severity == "info"
    assert f"bars of v is being written by process {os.getpid()}" in finding.what
    assert f"kill {os.getpid()}" in finding.command
    assert examine(store) == []


def test_examine_many_partitions_are_a_warning(store, monkeypatch):
    monkeypatch.setattr(doctor, "MAX_PARTITIONS", 1)
    assert examine(store) == []
    commit(store, Cell("bars", "w", "2020-01-01"), bars())
    finding = only(store)
    assert finding.severity == "warning"
    assert "bars has 2 partitions, above 1" in finding.what


@pytest.mark.parametrize(
    "text", [b"{", b"[]", b'{"cadence": "hourly"}', b'{"start": "1989-10-02"}']
)
def test_examine_unreadable_workspace_file_is_an_error(store, text):
    write_atomically(store.layout.root / "workspace.json", text)
    finding = only(store)
    assert finding.severity == "error"
    assert "workspace.json is not readable" in finding.what


def test_examine_missing_workspace_file_is_a_warning_once_there_are_cells(store, tmp_path):
    (store.layout.root / "workspace.json").unlink()
    assert only(store).severity == "warning"
    empty = tmp_path / "empty"
    empty.mkdir()
    assert examine(SnapshotStore(empty)) == []


def test_examine_copied_lake_is_mentioned(store):
    write_atomically(store.layout.copies_note, b"{}")
    assert "copies instead of links" in only(store).what


def test_examine_errors_come_first_and_findings_are_plain(store):
    store.layout.view(CELL).unlink()
    write_atomically(store.layout.root / "workspace.json", b"{")
    findings = examine(store)
    assert [f.severity for f in findings] == ["error", "warning"]
    assert set(findings[0].as_dict()) == {"severity", "what", "where", "command"}
