import hashlib
import os
import resource
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from quant_assets.core.errors import IntegrityError, MissingCellError, StorageError
from quant_assets.core.hashing import digest
from quant_assets.storage.frame_cache import OVERHEAD, FrameCache
from quant_assets.storage.frames import data_digest, encode_frame
from quant_assets.storage.paths import Cell
from quant_assets.storage.snapshots import SnapshotStore, read_manifest
from quant_assets.storage.verification import verify
from quant_assets.storage.writer import temp_path
from quant_assets_tests.storage.samples import bars, commit, facts, flip_bit, mounted, temps

CELL = Cell("bars", "v", "2020-01-01")


@pytest.fixture
def store(tmp_path):
    return SnapshotStore(tmp_path)


def objects(store):
    return sorted(path for path in store.layout.objects.rglob("*.parquet"))


def test_commit_then_read_gives_the_frame_and_a_true_manifest(store):
    manifest = commit(store, CELL, bars())
    again = SnapshotStore(store.layout.root)
    assert_frame_equal(again.read(CELL), bars(), check_exact=True)
    assert again.manifest(CELL) == manifest
    data = store.layout.object(manifest.sha256).read_bytes()
    assert hashlib.sha256(data).hexdigest() == manifest.sha256
    assert (manifest.size, manifest.rows) == (len(data), 6)
    assert manifest.first_ts == "2020-01-01T00:00:00+00:00"
    assert manifest.last_ts == "2020-01-03T00:00:00+00:00"
    assert manifest.available_at_max == "2020-01-03T21:00:00+00:00"
    assert list(manifest.columns) == ["ts", "available_at", "symbol", "close"]


def test_commit_object_is_read_only_and_the_view_is_its_link(store):
    manifest = commit(store, CELL, bars())
    target, view = store.layout.object(manifest.sha256), store.layout.view(CELL)
    assert view.samefile(target)
    assert target.stat().st_mode & 0o777 == 0o444
    assert_frame_equal(pd.read_parquet(view), bars())
    assert temps(store.layout.root) == []


def test_commit_empty_frame_has_no_span(store):
    manifest = commit(store, CELL, bars().head(0), empty_reason="before the first window")
    assert (manifest.rows, manifest.first_ts, manifest.available_at_max) == (0, None, None)
    assert list(SnapshotStore(store.layout.root).read(CELL).dtypes) == list(bars().dtypes)


def test_commit_decision_frame_takes_its_span_from_decided_at(store):
    when = pd.to_datetime(["2020-02-01T00:00:00Z"]).as_unit("us")
    manifest = commit(store, CELL, pd.DataFrame({"decided_at": when, "weight": [1.0]}))
    assert manifest.first_ts == manifest.available_at_max == "2020-02-01T00:00:00+00:00"


def test_commit_manifest_read_back_tells_columns_in_the_frames_order(store):
    commit(store, CELL, bars())
    told = SnapshotStore(store.layout.root).require(CELL).columns
    assert list(told) == ["ts", "available_at", "symbol", "close"]


def test_commit_equal_frames_share_one_object(store):
    other = Cell("bars", "v", "2020-02-01")
    assert commit(store, CELL, bars()).sha256 == commit(store, other, bars()).sha256
    assert len(objects(store)) == 1
    assert store.layout.view(CELL).samefile(store.layout.view(other))


def test_commit_new_version_moves_the_view_and_keeps_the_old_object(store):
    old = commit(store, CELL, bars())
    new = commit(store, CELL, bars(scale=2.0))
    assert store.layout.view(CELL).samefile(store.layout.object(new.sha256))
    assert_frame_equal(store.read_object(old.sha256, where="old"), bars())
    assert store.manifest(CELL).sha256 == new.sha256


@pytest.mark.slow
def test_commit_two_unlocked_writers_never_show_a_mixture(store):
    frames = [bars(scale=1.0), bars(4, scale=2.0)]
    shared = facts(store)

    def write(frame):
        own = SnapshotStore(store.layout.root)
        for _ in range(30):
            own.commit(CELL, frame, shared)

    commit(store, CELL, frames[0])
    with ThreadPoolExecutor(2) as pool:
        writers = [pool.submit(write, frame) for frame in frames]
        seen = set()
        while not all(writer.done() for writer in writers):
            seen.add(len(SnapshotStore(store.layout.root).read(CELL)))
        for writer in writers:
            writer.result()
    assert seen <= {6, 8}
    store.sweep()  # the last link may show the other version
    assert verify(store).ok


def test_commit_beyond_the_file_size_limit_keeps_the_previous_snapshot(store):
    before = commit(store, CELL, bars())
    config = store.put_config({"sample": True})
    noise = bars(5000).assign(close=np.random.default_rng(0).normal(size=10_000))  # 80 kB
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(StorageError, match="ulimit -f"):
            commit(store, CELL, noise)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    again = SnapshotStore(store.layout.root)
    assert again.manifest(CELL) == before
    assert_frame_equal(again.read(CELL), bars())
    assert temps(store.layout.root) == []
    assert store.layout.object(config, "json").exists()


def test_commit_where_links_are_impossible_copies_and_leaves_a_note(tmp_path):
    (tmp_path / "root" / "objects").mkdir(parents=True)
    with mounted(tmp_path / "root" / "objects"):
        store = SnapshotStore(tmp_path / "root")
        manifest = commit(store, CELL, bars())
        assert store.layout.view(CELL).stat().st_nlink == 1
        assert_frame_equal(pd.read_parquet(store.layout.view(CELL)), bars())
        assert "cross-device" in store.layout.copies_note.read_text()
        assert store.is_published(CELL, manifest.sha256)
        assert store.sweep() == {"temps": 0, "links": 0}
        flip_bit(store.layout.view(CELL), 100)
        assert not store.is_published(CELL, manifest.sha256)
        assert store.sweep() == {"temps": 0, "links": 1}
        assert store.is_published(CELL, manifest.sha256)


def test_put_object_damaged_object_of_that_hash_is_replaced(store):
    manifest = commit(store, CELL, bars())
    path = store.layout.object(manifest.sha256)
    flip_bit(path, 50)
    commit(store, CELL, bars())
    assert hashlib.sha256(path.read_bytes()).hexdigest() == manifest.sha256
    assert store.layout.view(CELL).samefile(path)


def test_put_object_kept_object_becomes_young_again(store):
    path = store.layout.object(commit(store, CELL, bars()).sha256)
    os.utime(path, (1.0, 1.0))
    commit(store, CELL, bars())
    assert path.stat().st_mtime > 1e9


def test_put_config_is_named_by_its_digest_and_mended_when_damaged(store):
    config = {"b": 1.5, "a": ["ä", None]}
    name = store.put_config(config)
    path = store.layout.object(name, "json")
    assert name == digest(config) == hashlib.sha256(path.read_bytes()).hexdigest()
    flip_bit(path, 3)
    store.put_config(config)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == name


def test_put_files_stores_by_content_and_links_the_report(store):
    hashes = store.put_files("tear_sheet", "v", {"tear_sheet.html": b"<p>1</p>"})
    link = store.layout.report("tear_sheet", "v", "tear_sheet.html")
    assert link.read_bytes() == b"<p>1</p>"
    assert link.samefile(store.layout.object(hashes["tear_sheet.html"], "html"))
    store.put_files("tear_sheet", "v", {"tear_sheet.html": b"<p>2</p>"})
    assert link.read_bytes() == b"<p>2</p>"


def test_put_files_name_without_a_suffix_is_refused(store):
    with pytest.raises(StorageError, match="no plain suffix"):
        store.put_files("tear_sheet", "v", {"../../passwd": b"x"})


def test_read_flipped_bit_is_an_error_that_names_cell_and_file(store):
    manifest = commit(store, CELL, bars())
    path = store.layout.object(manifest.sha256)
    flip_bit(path, path.stat().st_size // 2)
    with pytest.raises(IntegrityError, match=rf"bars v\|2020-01-01.*{path.name}.*--force"):
        SnapshotStore(store.layout.root).read(CELL)


def test_read_lost_object_is_an_error_that_says_what_to_do(store):
    store.layout.object(commit(store, CELL, bars()).sha256).unlink()
    with pytest.raises(IntegrityError, match=r"is gone; recompute with .*--force"):
        SnapshotStore(store.layout.root).read(CELL)


def test_read_missing_cell_names_the_command_that_makes_it(store):
    with pytest.raises(
        MissingCellError,
        match=r"bars v\|2020-01-01 is missing.*quant-assets backfill --venue v "
        r"--windows 2020-01-01\.\.\.2020-01-01 --assets bars",
    ):
        store.read(CELL)
    assert store.manifest(CELL) is None


def test_manifest_sees_what_another_store_committed(store):
    first = commit(store, CELL, bars())
    assert store.manifest(CELL) == first
    other = SnapshotStore(store.layout.root)
    second = commit(other, CELL, bars(scale=3.0))
    assert store.manifest(CELL) == second


def test_manifest_hash_is_equal_for_equal_work_in_different_runs(tmp_path):
    hashes = {commit(SnapshotStore(tmp_path / str(seed)), CELL, bars()).hash() for seed in range(2)}
    assert len(hashes) == 1


def test_listing_is_sorted_decoded_and_blind_to_temps_and_strangers(store):
    odd = Cell("bars", "a/b", "2020-02-01")
    for cell in (odd, CELL, Cell("bars", "v", "2019-01-01"), Cell("trades", "v", "all")):
        commit(store, cell, bars())
    folder = store.layout.folder("bars", "v")
    (folder / ".tmp-1-2-3").write_text("half")
    (folder / ".tmp-1-2-3.json").write_text("half")
    (folder / "notes.txt").write_text("mine")
    (store.layout.lake / "README.md").write_text("mine")
    assert store.assets() == ["bars", "trades"]
    assert store.venues("bars") == ["a/b", "v"]
    assert store.windows("bars", "v") == ["2019-01-01", "2020-01-01"]
    assert next(store.cells()) == odd
    assert len(list(store.cells())) == 4
    assert store.windows("nothing", "v") == []


def test_sweep_removes_temps_and_remakes_lost_stale_and_foreign_links(store):
    cells = [Cell("bars", "v", f"2020-0{month}-01") for month in range(1, 5)]
    for number, cell in enumerate(cells):
        commit(store, cell, bars(scale=1.0 + number))
    views = [store.layout.view(cell) for cell in cells]
    views[0].unlink()
    os.replace(views[1], views[2])
    host = temp_path(store.layout.root).name.split("-")[2]
    (store.layout.folder("bars", "v") / f".tmp-999999999-{host}-0").write_text("half")
    assert store.sweep() == {"temps": 1, "links": 3}
    for cell, view in zip(cells, views, strict=True):
        assert view.samefile(store.layout.object(store.manifest(cell).sha256))
    assert store.sweep() == {"temps": 0, "links": 0}


def test_sweep_remakes_report_links(store):
    cell = Cell("tear_sheet", "v", "all")
    files = store.put_files("tear_sheet", "v", {"tear_sheet.html": b"<p>"})
    commit(store, cell, bars(), files=files, kind="venue")
    store.layout.report("tear_sheet", "v", "tear_sheet.html").unlink()
    assert store.sweep()["links"] == 1
    assert store.layout.report("tear_sheet", "v", "tear_sheet.html").read_bytes() == b"<p>"


def test_sweep_leaves_damaged_manifests_and_lost_objects_for_verify(store):
    lost, damaged = Cell("bars", "v", "a"), Cell("bars", "v", "b")
    store.layout.object(commit(store, lost, bars()).sha256).unlink()
    commit(store, damaged, bars(scale=2.0))
    store.layout.manifest(damaged).write_bytes(b"{")
    assert store.sweep() == {"temps": 0, "links": 0}
    with pytest.raises(IntegrityError, match="not a valid manifest"):
        read_manifest(store.layout.manifest(damaged))


def test_sweep_absent_root_is_nothing_to_do(tmp_path):
    assert SnapshotStore(tmp_path / "nowhere").sweep() == {"temps": 0, "links": 0}


def test_frame_cache_stays_within_its_bound_and_drops_the_oldest():
    frame = pd.DataFrame({"x": [0.0]})
    cache = FrameCache(20_000)
    for name in "abc":
        cache.put(name, frame, 9_000 - OVERHEAD)
        cache.get("a")
    assert cache.get("b") is None
    assert cache.get("a") is frame
    assert cache.get("c") is frame


def test_frame_cache_one_frame_above_the_bound_is_kept_alone():
    frame = pd.DataFrame({"x": [0.0]})
    cache = FrameCache(10)
    cache.put("a", frame, 1_000_000)
    assert cache.get("a") is frame
    cache.put("b", frame, 1)
    assert cache.get("a") is None
    cache.put("b", frame, 1)
    assert cache.get("b") is frame


def test_read_is_served_from_the_cache_only_while_it_fits(tmp_path):
    store = SnapshotStore(tmp_path)
    commit(store, CELL, bars())
    small = SnapshotStore(tmp_path, cache_megabytes=1)
    first = small.read(CELL)
    assert small.read(CELL) is first
    commit(store, Cell("bars", "v", "2020-02-01"), bars(40_000))
    small.read(Cell("bars", "v", "2020-02-01"))
    assert small.read(CELL) is not first


def test_commit_of_empty_frames_shares_one_object_and_is_what_encoding_gives(store):
    frame = bars().iloc[:0].reset_index(drop=True)
    made = [commit(store, Cell("bars", "v", window), frame) for window in ("a", "b")]
    assert {m.sha256 for m in made} == {hashlib.sha256(encode_frame(frame)).hexdigest()}
    assert {m.data_sha256 for m in made} == {data_digest(frame)}
    assert store.read(Cell("bars", "v", "b")).dtypes.equals(frame.dtypes)


def test_staged_cells_are_seen_by_their_store_alone_until_published(store):
    other = Cell("bars", "v", "2020-02-01")
    store.stage(CELL, bars(), facts(store))
    manifest = store.stage(other, bars(scale=2.0), facts(store))
    outside = SnapshotStore(store.layout.root)
    assert store.require(other) == manifest
    assert_frame_equal(store.read(other), bars(scale=2.0))
    assert outside.manifest(CELL) is None
    assert objects(store) == []
    store.publish()
    assert [outside.require(cell).rows for cell in (CELL, other)] == [6, 6]
    assert outside.manifest(other) == store.manifest(other) == manifest
    assert_frame_equal(SnapshotStore(store.layout.root).read(other), bars(scale=2.0))
    assert store.layout.view(other).samefile(store.layout.object(manifest.sha256))
    assert temps(store.layout.root) == []


def test_staged_cells_of_equal_frames_share_one_object(store):
    cells = [Cell("bars", "v", f"2020-{month:02d}-01") for month in range(1, 7)]
    for cell in cells:
        store.stage(cell, bars().head(0), facts(store))
    store.publish()
    assert len(objects(store)) == 1
    assert not verify(store).problems


def test_staging_again_before_publish_keeps_the_later_version(store):
    store.stage(CELL, bars(), facts(store))
    later = store.stage(CELL, bars(scale=3.0), facts(store))
    store.publish()
    outside = SnapshotStore(store.layout.root)
    assert outside.require(CELL) == later
    assert_frame_equal(outside.read(CELL), bars(scale=3.0))
