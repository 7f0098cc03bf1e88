"""Disk space: warned below 5 % or 1 GB, once per launch; on a real small file system too."""

import subprocess
import sys
from pathlib import Path

import pytest

from quant_assets.operations import disk_space as module
from quant_assets.operations.disk_space import DiskSpace, DiskWatch, disk_space
from quant_assets_tests.reliability.test_bad_disks import can_mount

GB = 10**9


@pytest.mark.parametrize(
    ("total", "free", "low"),
    [
        (100 * GB, 5 * GB, False),
        (100 * GB, 5 * GB - 1, True),
        (10 * GB, GB, False),
        (10 * GB, GB - 1, True),
        (0, 0, True),
    ],
)
def test_low_is_below_five_percent_or_one_gigabyte(total: int, free: int, low: bool):
    assert DiskSpace(Path("/x"), total, free).low is low


def test_disk_space_of_a_root_that_is_not_made_yet_is_that_of_its_parent(tmp_path: Path):
    space = disk_space(tmp_path / "a" / "b")
    assert space.path == tmp_path
    assert 0 < space.free <= space.total


def test_message_says_where_how_much_and_what_to_do():
    text = str(DiskSpace(Path("/data"), 100 * GB, 2 * GB))
    assert "/data" in text
    assert "2.00 GB (2.0%)" in text
    assert "quant-assets gc" in text


def test_watch_warns_once_and_looks_again_only_after_its_pause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    spaces = iter([DiskSpace(tmp_path, 100 * GB, free) for free in (50 * GB, 2 * GB, GB)])
    monkeypatch.setattr(module, "disk_space", lambda _path: next(spaces))
    said: list[str] = []
    paused = DiskWatch(tmp_path, said.append)
    paused.look()
    paused.look()  # within the pause: not looked
    assert said == []
    watch = DiskWatch(tmp_path, said.append, seconds=0.0)
    watch.look()
    watch.look()
    assert len(said) == 1


@pytest.mark.slow
def test_file_system_filled_to_95_percent_is_low_and_an_empty_one_of_2_gb_is_not(tmp_path: Path):
    if not can_mount():
        pytest.skip("needs `unshare -m` and a tmpfs of its own: not allowed for this user")
    program = f"""
import subprocess, pathlib, os
from quant_assets.operations.disk_space import disk_space
path = pathlib.Path({str(tmp_path)!r})
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2g", "none", str(path)], check=True)
print(disk_space(path).low)
with open(path / "filler", "wb") as stream:
    os.posix_fallocate(stream.fileno(), 0, int(2 * 2**30 * 0.955))
print(disk_space(path).low)
"""
    done = subprocess.run(
        ["unshare", "-m", sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.split() == ["False", "True"]
