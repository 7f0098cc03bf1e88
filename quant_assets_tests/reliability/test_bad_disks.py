"""A disk that is full, a file-size limit, a root that is read-only: one clear message, no harm."""

import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from quant_assets_tests.reliability.backfills import COMMAND, Lake, completed, run
from quant_assets_tests.reliability.fixture_venue import Fixture

pytestmark = pytest.mark.slow(seconds=80)
KIB = 1024
EARLY = ("backfill", "--windows", "2024-01-01...2024-04-01")
LATER = ("backfill", "--windows", "2024-01-01...2024-05-01")
# Python 3.11 keeps bytecode that such a limit cut off, and no later process could import it.
NO_BYTECODE = {"PYTHONDONTWRITEBYTECODE": "1"}


def limited(kibibytes: int) -> Callable[[], None]:
    """A limit on the size of any file, set in the child."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (kibibytes * KIB,) * 2)


@cache
def can_mount() -> bool:
    """True when a mount namespace of our own may be made here."""
    if shutil.which("unshare") is None:
        return False
    command = ["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("kibibytes", [1, 16, 300])
def test_file_size_limit_on_an_empty_root_is_one_clear_storage_error(
    fixture_venue: Fixture, tmp_path: Path, kibibytes: int
):
    """1 KiB: not even a small file. 16: Dagster's database. 300: its event log, among the cells."""
    root = tmp_path / "root"
    done = run(fixture_venue, root, LATER, before=limited(kibibytes), **NO_BYTECODE)
    assert done.returncode == 3
    assert "Traceback" not in done.stdout
    last = done.stdout.strip().splitlines()[-1]
    assert last.startswith("StorageError: cannot ")
    assert str(root) in last
    assert "limit" in last
    assert "run again" in last
    assert Lake(root).temps == set()


def test_file_size_limit_that_only_the_report_meets_keeps_the_report_before(
    fixture_venue: Fixture, tmp_path: Path
):
    root = tmp_path / "root"
    before = completed(fixture_venue, root, EARLY)
    name = "tear_sheet fixture|all"
    (html,) = before.manifests[name].files.values()
    size = (root / "objects" / html[:2] / f"{html}.html").stat().st_size
    shutil.rmtree(root / "dagster")  # a view; an event log of many runs is larger than a report
    done = run(fixture_venue, root, LATER, before=limited(size // KIB - 8), **NO_BYTECODE)
    assert done.returncode in (1, 3)
    assert "Traceback" not in done.stdout
    assert "the file-size limit is too small: raise it (ulimit -f)" in done.stdout
    after = Lake(root)
    assert len(after.manifests) > len(before.manifests), "the cells before the report are kept"
    assert after.manifests[name].hash() == before.manifests[name].hash()
    assert (after.temps, after.damaged) == (set(), [])
    (_, record) = after.records
    assert [failure["stage"] for failure in record["failures"]] == ["tear_sheet"]
    mended = completed(fixture_venue, root, LATER)
    assert (mended.temps, mended.problems) == (set(), [])
    assert mended.manifests[name].hash() != before.manifests[name].hash()


def test_full_disk_at_any_size_keeps_what_was_stored_and_goes_on_when_there_is_room(
    fixture_venue: Fixture, undisturbed: Lake, tmp_path: Path
):
    if not can_mount():
        pytest.skip("needs `unshare -m` and a tmpfs of its own: not allowed for this user")
    folder = tmp_path / "small"
    folder.mkdir()
    module = "quant_assets_tests.reliability.small_disk"
    command = ["unshare", "-m", sys.executable, "-m", module, str(folder)]
    checkout = str(Path(__file__).parents[2])
    done = subprocess.run(
        [*command, str(fixture_venue.folder)],
        env={**os.environ, "PYTHONPATH": checkout},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=280,
    )
    *full, whole = json.loads(done.stdout)
    for step in full:
        assert step["code"] in (1, 3), step["text"]
        assert "Traceback" not in step["text"]
        assert "full" in step["text"]
        assert (step["damaged"], step["stale"], step["temps"]) == ([], [], [])
    cells = [step["cells"] for step in full]
    assert cells == sorted(cells), "nothing that was stored is lost"
    assert 0 < cells[-1] < whole["cells"]
    assert whole["code"] == 0, whole["text"]
    assert all("is nearly full" in step["text"] for step in (*full, whole))
    assert (whole["problems"], whole["temps"]) == ([], [])
    assert whole["digest"] == undisturbed.digest


class ReadOnly:
    """Runs commands on a root that cannot be written: another user's, or a read-only mount."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.as_root = os.geteuid() == 0

    def __enter__(self) -> "ReadOnly":
        if self.as_root and not can_mount():
            pytest.skip("root may write anywhere, and may not mount read-only here")
        if not self.as_root:
            self._chmod(0o555)
        return self

    def __exit__(self, *_error: object) -> None:
        if not self.as_root:
            self._chmod(0o755)

    def _chmod(self, mode: int) -> None:
        for folder, _, _ in os.walk(self.folder):
            Path(folder).chmod(mode)

    def run(self, fixture: Fixture, root: Path, *words: str) -> subprocess.CompletedProcess[str]:
        """One command; output and errors in `stdout`."""
        command = [*COMMAND, *words]
        if self.as_root:
            here = str(self.folder)
            mount = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
            command = ["unshare", "-m", "sh", "-c", mount, here, *command]
        return subprocess.run(
            command,
            env=fixture.environment(root),
            cwd=fixture.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )


def test_read_only_root_says_so_in_one_line_and_stays_readable(
    fixture_venue: Fixture, undisturbed: Lake, tmp_path: Path
):
    folder = tmp_path / "disk"
    root = folder / "data"
    shutil.copytree(undisturbed.root, root)
    completed(fixture_venue, root)  # re-makes the links, which a copy has not
    with ReadOnly(folder) as disk:
        refused = [
            disk.run(fixture_venue, folder / "new", *EARLY),
            disk.run(fixture_venue, root, *EARLY, "--force"),
        ]
        reading = [
            disk.run(fixture_venue, root, "verify"),
            disk.run(fixture_venue, root, "status"),
            disk.run(fixture_venue, root, "query", "SELECT count(*) AS n FROM fills"),
        ]
        doctor = disk.run(fixture_venue, root, "doctor")
    for done in refused:
        assert done.returncode == 3, done.stdout
        assert "Traceback" not in done.stdout
        last = done.stdout.strip().splitlines()[-1]
        assert last.startswith("StorageError: cannot write ")
        assert "read-only" in last or "permission denied" in last
        assert "QUANT_ASSETS_DATA_ROOT" in last
    for done in reading:
        assert done.returncode == 0, done.stdout
    assert "all intact" in reading[0].stdout
    assert doctor.returncode in (1, 3)
    assert "Traceback" not in doctor.stdout
    assert Lake(root).digest == undisturbed.digest
