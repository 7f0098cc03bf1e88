import shutil

import numpy as np
import pytest

from quant_assets.storage.paths import Cell
from quant_assets.storage.snapshots import SnapshotStore
from quant_assets.storage.verification import verify
from quant_assets_tests.storage.samples import bars, commit, facts, flip_bit

N_CELLS = 1000


@pytest.fixture(scope="module")
def big_store(in_memory):
    """1,000 cells with different content, each reading the one before; intact between tests."""
    store = SnapshotStore(in_memory)
    shared, previous = facts(store), None
    for number in range(N_CELLS):
        inputs = {"bars": {"before": previous}} if previous else {}
        cell = Cell(f"asset_{number // 100}", "v", f"w{number:04d}")
        frame = bars(1, scale=1.0 + number)
        previous = store.commit(cell, frame, {**shared, "inputs": inputs}).sha256
    return store


@pytest.fixture
def store(tmp_path):
    """Raw and clean bars of one window, a report with a file; all intact."""
    store = SnapshotStore(tmp_path)
    raw = commit(store, Cell("raw_bars", "v", "w"), bars(), source_digest="s" * 64)
    commit(store, Cell("bars", "v", "w"), bars(scale=2.0), inputs={"raw_bars": {"w": raw.sha256}})
    files = store.put_files("tear_sheet", "v", {"tear_sheet.html": b"<p>report</p>"})
    commit(store, Cell("tear_sheet", "v", "all"), bars(1), files=files, kind="venue")
    return store


def problems(store, **filters):
    return [(p.cell, p.problem) for p in verify(store, **filters).problems]


def test_verify_intact_lake_counts_cells_objects_and_orphans(store):
    commit(store, Cell("bars", "v", "w"), bars(scale=3.0))  # the version before is now unused
    seen = []
    report = verify(store, progress=lambda done, total: seen.append((done, total)))
    assert report.ok
    assert (report.cells, report.objects, report.orphans) == (3, 5, 1)
    assert report.orphan_bytes > 0
    assert seen[-1] == (5, 5)
    assert report.as_dict()["ok"] is True
    assert next(report.lines()).startswith("3 cells, 5 objects")
    assert "quant-assets gc" in list(report.lines())[1]


def test_verify_empty_root_is_fine(tmp_path):
    report = verify(SnapshotStore(tmp_path / "nowhere"))
    assert (report.ok, report.cells, report.objects, report.orphans) == (True, 0, 0, 0)


@pytest.mark.slow
def test_verify_one_flipped_bit_in_each_of_a_thousand_objects_is_named(big_store):
    draw = np.random.default_rng(1)
    paths = sorted(big_store.layout.objects.rglob("*.*"))
    assert len(paths) == N_CELLS + 1
    flips = [
        (path, int(draw.integers(path.stat().st_size)), int(draw.integers(8))) for path in paths
    ]
    for flip in flips:
        flip_bit(*flip)
    report = verify(big_store)
    for flip in flips:
        flip_bit(*flip)
    assert {problem.path for problem in report.problems} == {str(path) for path in paths}
    assert all("has sha256" in problem.problem for problem in report.problems)


@pytest.mark.slow
def test_verify_one_flipped_bit_in_each_of_a_thousand_manifests_is_named(big_store):
    draw = np.random.default_rng(2)
    paths = sorted(big_store.layout.lake.rglob("*.json"))
    flips = [
        (path, int(draw.integers(path.stat().st_size)), int(draw.integers(8))) for path in paths
    ]
    for flip in flips:
        flip_bit(*flip)
    report = verify(big_store)
    for flip in flips:
        flip_bit(*flip)
    assert {problem.path for problem in report.problems} == {str(path) for path in paths}
    assert report.orphans == N_CELLS + 1


@pytest.mark.slow
def test_verify_single_flipped_bit_among_a_thousand_cells_is_the_only_problem(big_store):
    draw = np.random.default_rng(3)
    path = sorted(big_store.layout.objects.rglob("*.parquet"))[int(draw.integers(N_CELLS))]
    flip = path, int(draw.integers(path.stat().st_size)), int(draw.integers(8))
    flip_bit(*flip)
    report = verify(big_store)
    flip_bit(*flip)
    assert [problem.path for problem in report.problems] == [str(path)]


def test_verify_lost_object_is_named_with_the_command_that_mends_it(store):
    manifest = store.manifest(Cell("bars", "v", "w"))
    store.layout.object(manifest.sha256).unlink()
    (problem,) = verify(store).problems
    assert (problem.cell, problem.problem) == ("bars v|w", "its object is gone")
    assert problem.remedy == "quant-assets backfill --venue v --windows w...w --assets bars --force"
    assert problem.remedy in str(problem)


def test_verify_lost_input_that_no_cell_owns_is_told_by_its_reader(store):
    old = store.manifest(Cell("raw_bars", "v", "w"))
    commit(store, Cell("raw_bars", "v", "w"), bars(scale=9.0))
    assert verify(store).ok  # the old version is still there
    store.layout.object(old.sha256).unlink()
    (problem,) = verify(store).problems
    assert (problem.cell, problem.problem) == ("bars v|w", "its input raw_bars w is gone")
    assert "today's inputs" in problem.remedy


def test_verify_lost_config_and_file_are_named(store):
    manifest = store.manifest(Cell("tear_sheet", "v", "all"))
    store.layout.object(manifest.config_digest, "json").unlink()
    store.layout.object(manifest.files["tear_sheet.html"], "html").unlink()
    found = problems(store)
    assert ("tear_sheet v|all", "its file tear_sheet.html is gone") in found
    assert len(found) == 2
    assert any("its config" in text and "2 more mentions" in text for _, text in found)


def test_verify_manifest_that_tells_wrong_numbers_is_contradicted(store):
    cell = Cell("bars", "v", "w")
    true = store.manifest(cell)
    wrong = true.model_copy(
        update={"rows": 7, "size": 1, "data_sha256": "0" * 64, "columns": {"x": "float64"}}
    )
    store.layout.manifest(cell).write_bytes(wrong.to_bytes())
    told = [text.split(" ")[3] for _, text in problems(store)]
    assert sorted(told) == ["columns", "data_sha256", "rows", "size"]
    assert ("bars v|w", "its manifest tells rows 7, the object has 6") in problems(store)


def test_verify_manifest_in_the_wrong_place_is_named(store):
    source = store.layout.manifest(Cell("bars", "v", "w"))
    shutil.copy(source, source.with_name("x.json"))
    assert problems(store) == [("bars v|x", "its manifest belongs to bars v|w")]


def test_verify_stale_and_missing_links_are_named_and_sweep_mends_them(store):
    one, other = Cell("bars", "v", "w"), Cell("raw_bars", "v", "w")
    store.layout.view(one).unlink()
    view = store.layout.view(other)
    view.unlink()
    view.write_bytes(b"not the object")
    assert problems(store) == [
        ("bars v|w", "its link in the lake is missing"),
        ("raw_bars v|w", "its link in the lake shows another object"),
    ]
    store.sweep()
    assert verify(store).ok


def test_verify_root_copied_without_links_is_intact_with_one_warning(store, tmp_path):
    sizes = [store.require(cell).size for cell in store.cells()]
    sizes.append(len(b"<p>report</p>"))
    root = tmp_path / "copy"
    shutil.copytree(store.layout.root, root, ignore=shutil.ignore_patterns("copy"))
    copy = SnapshotStore(root)
    report = verify(copy)
    assert report.ok
    (warning,) = report.warnings
    megabytes = f"{sum(sizes) / 1e6:,.1f} MB"
    assert warning.what.startswith("4 links to objects are separate copies of them")
    assert megabytes in warning.what
    assert warning.command == "quant-assets doctor --repair"
    copy.sweep()  # what that command does to links
    assert verify(copy).warnings == ()
    cell = Cell("bars", "v", "w")
    assert copy.layout.view(cell).samefile(copy.layout.object(copy.require(cell).sha256))


def test_verify_copied_link_with_one_flipped_bit_is_a_problem(store):
    view = store.layout.view(Cell("bars", "v", "w"))
    data = view.read_bytes()
    view.unlink()
    view.write_bytes(data)
    assert [w.what.split(" ")[0] for w in verify(store).warnings] == ["1"]
    flip_bit(view, 100)
    assert problems(store) == [("bars v|w", "its link in the lake shows another object")]
    assert verify(store).warnings == ()


def test_verify_part_of_the_lake_looks_at_that_part_only(store):
    store.layout.object(store.manifest(Cell("bars", "v", "w")).sha256).unlink()
    assert len(problems(store, asset="bars")) == 1
    assert problems(store, asset="raw_bars") == []
    assert problems(store, venue="other") == []
    part = verify(store, venue="v", asset="tear_sheet")
    assert (part.cells, part.objects, part.orphans) == (1, 3, None)


def test_verify_damaged_object_shared_by_two_cells_is_one_row(store):
    manifest = commit(store, Cell("bars", "w", "w"), bars(scale=2.0))
    flip_bit(store.layout.object(manifest.sha256), 40)
    (problem,) = verify(store).problems
    assert problem.problem.endswith("1 more mentions of this object")
