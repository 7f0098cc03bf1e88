import errno
import hashlib
import json
import os
import platform
import resource
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from quant_assets.core.clock import utc_now
from quant_assets.core.errors import StorageError
from quant_assets.storage import writer
from quant_assets.storage.writer import (
    WriteGroup,
    copy_atomically,
    is_stale,
    link_atomically,
    make_folder,
    sweep_temps,
    temp_files,
    temp_path,
    write_atomically,
)
from quant_assets_tests.storage.samples import mounted, temps

KILLER = Path(__file__).with_name("killer.py")


def kill_rounds(folder, rounds, seed):
    done = subprocess.run(
        [sys.executable, str(KILLER), str(folder), str(rounds), str(seed)],
        capture_output=True,
        check=True,
        text=True,
    )
    return json.loads(done.stdout)


def test_write_atomically_new_path_makes_folders_and_content(tmp_path):
    path = tmp_path / "a" / "b" / "value"
    write_atomically(path, b"first", mode=0o444)
    assert path.read_bytes() == b"first"
    assert stat.S_IMODE(path.stat().st_mode) == 0o444
    assert temps(tmp_path) == []


def test_write_atomically_existing_read_only_file_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "value"
    write_atomically(path, b"first" * 100, mode=0o444)
    before = path.stat().st_ino
    write_atomically(path, b"second")
    assert path.read_bytes() == b"second"
    assert path.stat().st_ino != before


def test_write_atomically_failed_check_keeps_the_old_content_and_no_temp(tmp_path):
    path = tmp_path / "value"
    write_atomically(path, b"old")
    seen = []

    def check(temp):
        seen.append(temp.read_bytes())
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        write_atomically(path, b"new", check=check)
    assert seen == [b"new"]
    assert path.read_bytes() == b"old"
    assert temps(tmp_path) == []


def test_write_atomically_temp_files_match_no_glob_of_readers(tmp_path):
    listed = []
    write_atomically(
        tmp_path / "2020-01-01.json", b"x", check=lambda _: listed.extend(os.listdir(tmp_path))
    )
    assert len(listed) == 1
    assert listed[0].startswith(writer.TEMP_MARK)
    assert "." not in listed[0][1:]


@pytest.mark.slow
def test_write_atomically_killed_thirty_times_leaves_old_or_new_and_sweep_cleans(tmp_path):
    found = kill_rounds(tmp_path, 30, seed=1)
    assert found["damaged"] == 0
    assert found["left"] == 0
    assert found["swept"] > 0  # some kills did hit a write


@pytest.mark.slow
def test_write_atomically_killed_two_hundred_times_leaves_old_or_new(tmp_path):
    found = kill_rounds(tmp_path, 200, seed=2)
    assert found["damaged"] == 0
    assert found["left"] == 0
    assert found["swept"] > 0


def test_write_atomically_file_size_limit_is_an_error_that_keeps_the_old(tmp_path):
    path = tmp_path / "value"
    write_atomically(path, b"old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(StorageError, match=r"file-size limit.*ulimit -f.*unharmed"):
            write_atomically(path, b"x" * 1_000_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == b"old"
    assert temps(tmp_path) == []


def test_write_atomically_full_disk_is_an_error_that_keeps_the_old(tmp_path):
    with mounted(tmp_path / "small", "-o", "size=64k") as folder:
        write_atomically(folder / "value", b"old")
        with pytest.raises(StorageError, match=r"disk is full.*QUANT_ASSETS_DATA_ROOT"):
            write_atomically(folder / "value", b"x" * 200_000)
        assert (folder / "value").read_bytes() == b"old"
        assert temps(folder) == []
        write_atomically(folder / "value", b"there is room for this")


def test_write_atomically_read_only_file_system_is_an_error_that_says_so(tmp_path):
    with mounted(tmp_path / "readonly", "-o", "ro") as folder:
        for path in (folder / "value", folder / "new" / "value"):
            with pytest.raises(StorageError, match=r"read-only: choose another root"):
                write_atomically(path, b"x")


def test_write_atomically_folder_of_another_user_is_permission_denied(tmp_path):
    for parent in (tmp_path, *tmp_path.parents[:3]):
        parent.chmod(0o755)
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o555)
    script = (
        "import os, sys; from pathlib import Path\n"
        "from quant_assets.storage.writer import write_atomically\n"
        "from quant_assets.core.errors import StorageError\n"
        "if os.geteuid() == 0: os.setuid(65534)\n"
        "try: write_atomically(Path(sys.argv[1]) / 'value', b'x')\n"
        "except StorageError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder)],
        capture_output=True,
        check=True,
        text=True,
    )
    assert "permission denied" in done.stdout
    assert "QUANT_ASSETS_DATA_ROOT" in done.stdout


def test_write_atomically_file_in_place_of_a_folder_is_an_error_that_says_so(tmp_path):
    (tmp_path / "plain").write_text("I am a file")
    with pytest.raises(StorageError, match="file"):
        write_atomically(tmp_path / "plain" / "value", b"x")
    assert (tmp_path / "plain").read_text() == "I am a file"


def test_make_folder_existing_is_left_alone(tmp_path):
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


def test_link_atomically_makes_a_hard_link_and_moves_it(tmp_path):
    one, other, link = tmp_path / "one", tmp_path / "other", tmp_path / "views" / "link"
    one.write_bytes(b"1")
    other.write_bytes(b"2")
    assert link_atomically(one, link) is None
    assert link.samefile(one)
    assert link_atomically(one, link) is None
    assert link_atomically(other, link) is None
    assert link.samefile(other)
    assert one.stat().st_nlink == 1
    assert temps(tmp_path) == []


def test_link_atomically_across_file_systems_copies_and_says_why(tmp_path):
    target = tmp_path / "object"
    target.write_bytes(b"content")
    with mounted(tmp_path / "other") as folder:
        reason = link_atomically(target, folder / "view")
        assert (folder / "view").read_bytes() == b"content"
        assert temps(folder) == []
    assert reason == os.strerror(errno.EXDEV)


def test_link_atomically_missing_target_is_an_error(tmp_path):
    with pytest.raises(StorageError, match="cannot write"):
        link_atomically(tmp_path / "nothing", tmp_path / "link")
    assert temps(tmp_path) == []


def test_sweep_temps_removes_those_of_dead_processes_only(tmp_path):
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    host = temp_path(tmp_path).name.split("-")[2]
    dead = tmp_path / "deep" / f".tmp-{child.pid}-{host}-0000"
    mine = temp_path(tmp_path)
    foreign = tmp_path / f".tmp-{child.pid}-ffffffff-0000"
    odd = tmp_path / f".tmp-what-{host}-0000"
    dead.parent.mkdir()
    for path in (dead, mine, foreign, odd):
        path.write_bytes(b"x")
    assert sweep_temps(tmp_path) == 2
    assert not dead.exists()
    assert not odd.exists()
    assert mine.exists()
    assert foreign.exists()


def test_is_stale_number_given_to_a_younger_process_is_stale(tmp_path, monkeypatch):
    mine = temp_path(tmp_path)
    mine.write_bytes(b"x")
    os.utime(mine, (1.0, 1.0))  # the age of its bytes does not count: a link has its target's
    assert not is_stale(mine)
    later = mine.stat().st_ctime + 60.0
    monkeypatch.setattr(psutil.Process, "create_time", lambda _: later)
    assert is_stale(mine)


def test_is_stale_temp_of_another_host_is_stale_after_an_hour(tmp_path, monkeypatch):
    foreign = tmp_path / ".tmp-1-ffffffff-0000"
    foreign.write_bytes(b"x")
    os.utime(foreign, (1.0, 1.0))
    assert not is_stale(foreign)
    monkeypatch.setattr(writer, "utc_now", lambda: utc_now() + timedelta(hours=1, seconds=1))
    assert is_stale(foreign)


def test_sweep_temps_leaves_folders_of_dagster_and_names_that_look_like_temps(tmp_path):
    inside = tmp_path / "dagster" / "storage" / ".tmp-0-0-0"
    folder = tmp_path / "lake" / ".tmp-folder"
    inside.parent.mkdir(parents=True)
    inside.write_bytes(b"x")
    folder.mkdir(parents=True)
    assert sweep_temps(tmp_path) == 0
    assert inside.exists()
    assert folder.exists()


def test_sweep_temps_absent_root_is_nothing_to_do(tmp_path):
    assert sweep_temps(tmp_path / "nowhere") == 0


def test_temp_path_names_this_process_and_not_the_host_in_clear(tmp_path):
    name = temp_path(tmp_path).name
    assert name.split("-")[1] == str(os.getpid())
    assert platform.node() not in name or platform.node() == ""


def test_copy_atomically_copies_bytes_read_only_under_the_promised_hash(tmp_path):
    source, target = tmp_path / "source", tmp_path / "new" / "target"
    source.write_bytes(bytes(range(256)) * 10_000)
    sha256 = hashlib.sha256(source.read_bytes()).hexdigest()
    assert copy_atomically(source, target, sha256=sha256)
    assert target.read_bytes() == source.read_bytes()
    assert target.stat().st_mode & 0o777 == 0o444
    assert list(temp_files(tmp_path)) == []


def test_copy_atomically_of_a_source_that_changed_publishes_nothing(tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"other")
    assert not copy_atomically(source, target, sha256=hashlib.sha256(b"one").hexdigest())
    assert not target.exists()
    assert list(temp_files(tmp_path)) == []


def test_copy_atomically_missing_source_is_a_storage_error(tmp_path):
    with pytest.raises(StorageError, match="cannot write"):
        copy_atomically(tmp_path / "none", tmp_path / "target", sha256="0" * 64)
    assert list(temp_files(tmp_path)) == []


def test_write_group_shows_nothing_before_publish_and_then_everything(tmp_path):
    group = WriteGroup()
    for name in "abc":
        group.stage(tmp_path / "folder" / name, name.encode() * 10, mode=0o444)
    assert len(group) == 3
    assert all(name.startswith(writer.TEMP_MARK) for name in os.listdir(tmp_path / "folder"))
    group.publish()
    assert len(group) == 0
    assert {p.name: p.read_bytes() for p in (tmp_path / "folder").iterdir()} == {
        name: name.encode() * 10 for name in "abc"
    }


def test_write_group_flushes_bytes_then_names_of_each_rank_before_the_next(tmp_path, monkeypatch):
    seen = []
    flush, replace = writer.fsync_path, os.replace
    monkeypatch.setattr(writer, "fsync_path", lambda p: (seen.append(("flush", p)), flush(p)))
    monkeypatch.setattr(os, "replace", lambda a, b: (seen.append(("name", b)), replace(a, b)))
    group = WriteGroup()
    names = {"objects/x": 0, "objects/y": 0, "lake/1": 1, "lake/2": 1}
    for name in ("lake/1", "objects/x", "lake/2", "objects/y"):
        group.stage(tmp_path / name, b"z", rank=names[name])
    seen.clear()  # the new folders were made durable while staging
    group.publish()
    assert [kind for kind, _ in seen[:4]] == ["flush"] * 4
    assert seen[4:] == [
        ("name", tmp_path / "objects/x"),
        ("name", tmp_path / "objects/y"),
        ("flush", tmp_path / "objects"),
        ("name", tmp_path / "lake/1"),
        ("name", tmp_path / "lake/2"),
        ("flush", tmp_path / "lake"),
    ]


def test_write_group_that_cannot_publish_keeps_whole_files_only_and_no_temp(tmp_path):
    group = WriteGroup()
    (tmp_path / "b" / "in the way").mkdir(parents=True)
    for name in "abc":
        group.stage(tmp_path / name, name.encode())
    with pytest.raises(StorageError, match="/b"):
        group.publish()
    assert (tmp_path / "a").read_bytes() == b"a"
    assert not (tmp_path / "c").exists()
    assert temps(tmp_path) == []


def test_write_group_after_a_refused_file_still_publishes_the_others(tmp_path):
    group = WriteGroup()
    group.stage(tmp_path / "a", b"a")
    (tmp_path / "plain").write_bytes(b"")
    with pytest.raises(StorageError, match="a part of the path is a file"):
        group.stage(tmp_path / "plain" / "b", b"b")
    group.publish()
    assert (tmp_path / "a").read_bytes() == b"a"
    assert temps(tmp_path) == []
