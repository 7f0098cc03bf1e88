"""The instruments of these tests see what they look for: damage, redone work, temp files."""

import shutil
from pathlib import Path

import pytest

from quant_assets.storage.paths import Cell, Layout
from quant_assets.storage.writer import temp_path
from quant_assets_tests.reliability.backfills import Lake, committed
from quant_assets_tests.reliability.kills import changed

pytestmark = pytest.mark.slow


@pytest.fixture
def lake(undisturbed: Lake, tmp_path: Path) -> Lake:
    """A copy to spoil; hard links become files, so only content can be looked at."""
    root = tmp_path / "root"
    shutil.copytree(undisturbed.root, root)
    return Lake(root)


def test_lake_of_a_copy_has_the_digest_of_its_model(lake: Lake, undisturbed: Lake):
    assert lake.digest == undisturbed.digest
    assert committed(lake.root) == len(lake.manifests)
    assert (lake.damaged, lake.temps) == ([], set())


def test_damaged_names_an_object_with_one_flipped_bit(lake: Lake):
    sha256 = lake.manifests["bars fixture|2024-06-01"].sha256
    path = Layout(lake.root).object(sha256)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)
    assert lake.damaged == [str(path)]


def test_damaged_names_an_object_that_is_gone(lake: Lake):
    sha256 = lake.manifests["bars fixture|2024-06-01"].sha256
    Layout(lake.root).object(sha256).unlink()
    assert lake.damaged == [f"{sha256}.parquet"]


def test_finished_counts_a_multi_asset_only_with_all_its_outs(lake: Lake, undisturbed: Lake):
    window = "2024-06-01"
    Layout(lake.root).manifest(Cell("fills", "fixture", window)).unlink()
    finished = Lake(lake.root).finished(undisturbed)
    outs = {f"{out} fixture|{window}" for out in ("fills", "trades", "equity", "final_holdings")}
    assert set(undisturbed.manifests) - set(finished) == outs


def test_changed_names_a_cell_that_another_run_wrote_and_one_that_is_lost(undisturbed: Lake):
    old = undisturbed.runs
    redone, lost = sorted(old)[:2]
    new = {name: run for name, run in old.items() if name != lost}
    new[redone] = ("another run", old[redone][1])
    assert changed(old, old) == []
    assert changed(old, new) == [redone, lost]


def test_temps_sees_a_temp_file_anywhere_in_the_root(lake: Lake):
    temp = temp_path(lake.root / "lake" / "bars" / "fixture")
    temp.write_bytes(b"half")
    assert lake.temps == {temp.name}
