import os

import pytest

from quant_assets.core.errors import CellLockedError, IntegrityError
from quant_assets.storage.gc import collect
from quant_assets.storage.locks import writer_lock
from quant_assets.storage.paths import Cell
from quant_assets.storage.snapshots import SnapshotStore
from quant_assets.storage.verification import verify
from quant_assets_tests.storage.lakes import WINDOWS, build, cell
from quant_assets_tests.storage.samples import bars, commit

pytestmark = pytest.mark.slow

RAW = cell("raw_bars", WINDOWS[0])


@pytest.fixture
def store(root):
    """A lake with one unused old version, one old version that was read, and a report file."""
    store = SnapshotStore(root)
    build(store)
    commit(store, RAW, bars(scale=5.0))  # `bars` has read the version before
    commit(store, RAW, bars(scale=6.0))  # nobody has read the 5.0 version
    files = store.put_files("tear_sheet", "v", {"tear_sheet.html": b"<p>"})
    commit(store, Cell("tear_sheet", "v", "all"), bars(1), files=files, kind="venue")
    return store


def grow_old(store):
    for path in store.layout.objects.rglob("*.*"):
        os.utime(path, (1e9, 1e9))


def files(store):
    return {path for path in store.layout.root.rglob("*") if path.is_file()}


def test_collect_dry_run_counts_and_touches_nothing(store):
    grow_old(store)
    before = files(store)
    report = collect(store)
    assert (report.dry_run, report.removed, report.young) == (True, 1, 0)
    assert report.bytes > 0
    assert report.kept == len(list(store.layout.objects.rglob("*.*"))) - 1
    assert files(store) == before
    assert "would be removed" in next(report.lines())


def test_collect_removes_the_unused_version_and_nothing_else(store):
    grow_old(store)
    before = files(store)
    report = collect(store, dry_run=False)
    gone = before - files(store)
    assert len(gone) == report.removed == 1
    assert all(store.layout.objects in path.parents for path in gone)
    assert verify(store).ok
    assert verify(store).orphans == 0
    assert collect(store, dry_run=False).removed == 0
    assert report.as_dict()["removed"] == 1


def test_collect_keeps_versions_that_a_current_cell_has_read(store):
    read = store.require(cell("bars", WINDOWS[0])).inputs["raw_bars"][WINDOWS[0]]
    assert store.require(RAW).sha256 != read
    grow_old(store)
    collect(store, dry_run=False)
    assert store.layout.object(read).exists()


def test_collect_leaves_young_objects_to_the_writer_that_may_need_them(store):
    report = collect(store, dry_run=False)
    assert (report.removed, report.young) == (0, 1)
    assert collect(store, dry_run=False, grace_seconds=0.0).removed == 1


def test_collect_object_that_is_taken_into_use_again_is_young(store):
    grow_old(store)
    store.put_object(b"left by a kill", suffix="bin")
    grow_old(store)
    store.put_object(b"left by a kill", suffix="bin")  # a writer is about to name it
    assert collect(store, dry_run=False).young == 1


def test_collect_with_an_unreadable_manifest_removes_nothing(store):
    grow_old(store)
    store.layout.manifest(RAW).write_bytes(b"{")
    before = files(store)
    with pytest.raises(IntegrityError, match=r"1 manifests cannot be read.*nothing was removed"):
        collect(store, dry_run=False)
    assert files(store) == before


def test_collect_while_a_writer_is_at_work_removes_nothing(store):
    grow_old(store)
    before = files(store)
    with writer_lock(store.layout.lock("bars", "v"), what="bars of v", wait_seconds=0):
        with pytest.raises(CellLockedError, match="bars of v: nothing was removed"):
            collect(store, dry_run=False)
        assert collect(store).removed == 1  # a dry run may look
    assert before <= files(store)


def test_collect_strangers_among_the_objects_are_left_alone(store):
    grow_old(store)
    folder = next(store.layout.objects.iterdir())
    strangers = [folder / "notes.txt", folder / ("0" * 63 + ".parquet"), folder / ".tmp-1-2-3"]
    misplaced = folder / ("f" * 64 + ".parquet")
    for path in [*strangers, misplaced]:
        path.write_bytes(b"x")
        os.utime(path, (1e9, 1e9))
    collect(store, dry_run=False)
    assert all(path.exists() for path in strangers)


def test_collect_empty_root_is_nothing_to_do(tmp_path):
    report = collect(SnapshotStore(tmp_path / "nowhere"), dry_run=False)
    assert (report.kept, report.removed) == (0, 0)
