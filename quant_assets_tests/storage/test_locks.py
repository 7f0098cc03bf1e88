import json
import os
import platform
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from quant_assets.core.errors import CellLockedError, StorageError
from quant_assets.storage.locks import held_locks, is_locked, read_holder, writer_lock
from quant_assets.storage.paths import Layout

pytestmark = pytest.mark.slow

HOLD = (
    "import sys; from pathlib import Path\n"
    "from quant_assets.storage.locks import writer_lock\n"
    "with writer_lock(Path(sys.argv[1]), what='bars of v', wait_seconds=0):\n"
    "    print('held', flush=True); sys.stdin.read()\n"
)
TRY = (
    "import sys; from pathlib import Path\n"
    "from quant_assets.core.errors import CellLockedError\n"
    "from quant_assets.storage.locks import writer_lock\n"
    "print('ready', flush=True); sys.stdin.readline()\n"
    "try:\n"
    "    with writer_lock(Path(sys.argv[1]), what='bars of v', wait_seconds=0):\n"
    "        print('won', flush=True); sys.stdin.read()\n"
    "except CellLockedError as error: print(error, flush=True)\n"
)


def start(script, path):
    return subprocess.Popen(
        [sys.executable, "-c", script, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def holder(tmp_path):
    """A process that holds the lock of bars and v below tmp_path."""
    process = start(HOLD, Layout(tmp_path).lock("bars", "v"))
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_writer_lock_held_by_another_process_names_its_pid(tmp_path, holder):
    path = Layout(tmp_path).lock("bars", "v")
    message = rf"bars of v.*process {holder.pid} on .* since 20"
    with (
        pytest.raises(CellLockedError, match=message),
        writer_lock(path, what="bars of v", wait_seconds=0),
    ):
        pytest.fail("the lock was given twice")
    assert is_locked(path)
    assert [held.what for held in held_locks(Layout(tmp_path))] == ["bars of v"]
    assert held_locks(Layout(tmp_path))[0].holder.pid == holder.pid


def test_writer_lock_of_a_killed_process_does_not_block(tmp_path, holder):
    path = Layout(tmp_path).lock("bars", "v")
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    assert not is_locked(path)
    assert held_locks(Layout(tmp_path)) == []
    with writer_lock(path, what="bars of v", wait_seconds=0):
        assert read_holder(path).pid == os.getpid()


def test_writer_lock_two_processes_race_and_exactly_one_wins(tmp_path):
    path = Layout(tmp_path).lock("bars", "v")
    racers = [start(TRY, path) for _ in range(2)]
    for racer in racers:
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        racer.stdin.write("go\n")
        racer.stdin.flush()
    answers = {racer.pid: racer.stdout.readline() for racer in racers}
    for racer in racers:
        racer.communicate()
    winners = [pid for pid, answer in answers.items() if answer == "won\n"]
    assert len(winners) == 1
    loser = next(answer for pid, answer in answers.items() if pid != winners[0])
    # the winner may not have signed yet when the loser gives up
    assert f"process {winners[0]}" in loser or "another process" in loser


def test_writer_lock_is_free_again_after_use_and_after_an_error(tmp_path):
    path = tmp_path / "locks" / "a.lock"
    with writer_lock(path, what="a", wait_seconds=0):
        assert is_locked(path)
    with (
        pytest.raises(ValueError, match="inside") as caught,
        writer_lock(path, what="a", wait_seconds=0),
    ):
        raise ValueError("inside")
    assert caught.tb is not None  # frames are still alive, so nothing was released by accident
    assert not is_locked(path)


def test_writer_lock_that_cannot_sign_is_released(tmp_path):
    path = tmp_path / "a.lock"
    path.with_suffix(".holder").mkdir()
    with (
        pytest.raises(StorageError, match="cannot write"),
        writer_lock(path, what="a", wait_seconds=0),
    ):
        pytest.fail("an unsigned lock was given")
    assert not is_locked(path)


def test_writer_lock_same_process_twice_is_refused(tmp_path):
    path = tmp_path / "a.lock"
    with (
        writer_lock(path, what="a", wait_seconds=0),
        pytest.raises(CellLockedError, match=f"process {os.getpid()}"),
        writer_lock(path, what="a", wait_seconds=0),
    ):
        pytest.fail("the lock was given twice")


def test_writer_lock_unwritable_place_is_a_storage_error(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(StorageError, match="file"),
        writer_lock(tmp_path / "file" / "a.lock", what="a", wait_seconds=0),
    ):
        pytest.fail("locked below a file")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"pid": "x"}', "{"])
def test_read_holder_unreadable_note_is_none(tmp_path, text):
    path = tmp_path / "a.lock"
    path.with_suffix(".holder").write_text(text)
    assert read_holder(path) is None


def test_read_holder_knows_dead_processes_only_of_this_host(tmp_path):
    path = tmp_path / "a.lock"
    note = {"pid": 2**22 + 1, "host": platform.node(), "since": "then"}
    path.with_suffix(".holder").write_text(json.dumps(note))
    assert read_holder(path).alive is False
    path.with_suffix(".holder").write_text(json.dumps({**note, "host": "elsewhere"}))
    assert read_holder(path).alive is None


def test_is_locked_without_a_lock_file_makes_none(tmp_path):
    assert not is_locked(tmp_path / "a.lock")
    assert list(Path(tmp_path).iterdir()) == []
