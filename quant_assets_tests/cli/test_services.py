"""`ui` and what it starts end together, whoever is signalled: the process or its group."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import psutil
import pytest

pytestmark = pytest.mark.slow

SECONDS = 8.0  # a loaded machine; on a quiet one it takes two
# A program whose child does not care about SIGTERM, and whose grandchild has lost its parent.
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
TREE = f"""
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", {DEAF!r}])
start = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', {DEAF!r}])"
subprocess.run([sys.executable, "-c", start])
time.sleep(600)
"""
SERVICE = f"""
import sys
from quant_assets.cli.services import run_service
sys.exit(run_service([sys.executable, "-c", {TREE!r}]))
"""


def heed_signals():
    """Take signals as a program of a terminal does; a background of the tests may ignore them."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@contextmanager
def started(command, **more):
    """A program with a session of its own, which ends with the test whatever happens."""
    with subprocess.Popen(
        command,
        start_new_session=True,
        preexec_fn=heed_signals,  # noqa: PLW1509 - the tests start no threads
        **more,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                for one in [*session_of(process.pid), process]:
                    one.kill()


def session_of(parent):
    """Living processes of the session that a process started."""
    found = []
    for child in psutil.Process(parent).children():
        for one in psutil.process_iter():
            try:
                if os.getsid(one.pid) == child.pid and one.status() != psutil.STATUS_ZOMBIE:
                    found.append(one)
            except (OSError, psutil.NoSuchProcess):
                continue
    return found


def wait_for(parent, count):
    """The session of a process once it has so many members."""
    deadline = time.monotonic() + 60.0
    while len(found := session_of(parent.pid)) < count:
        assert time.monotonic() < deadline, found
        assert parent.poll() is None
        time.sleep(0.1)
    return found


def living(processes):
    return [p for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


def ended(process, found, *, number, group):
    """Exit status after a signal; fails where something of it lives on."""
    (os.killpg if group else os.kill)(process.pid, number)
    status = process.wait(timeout=SECONDS)
    assert living(found) == []
    return status


@pytest.mark.parametrize(
    ("number", "group"), [(signal.SIGINT, True), (signal.SIGTERM, True), (signal.SIGHUP, False)]
)
def test_a_signal_ends_children_that_are_deaf_or_orphans(number, group):
    with started([sys.executable, "-c", SERVICE]) as process:
        found = wait_for(process, 3)
        assert ended(process, found, number=number, group=group) == 0


def test_what_a_program_leaves_behind_ends_with_it():
    left = SERVICE.replace("time.sleep(600)\\n", "sys.exit(3)\\n")
    assert left != SERVICE
    with started([sys.executable, "-c", left]) as process:
        found = wait_for(process, 2)
        assert process.wait(timeout=SECONDS + 10.0) == 3
    assert living(found) == []


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.mark.parametrize(("group", "members"), [(True, 2), (False, 4)])  # in the start; begun
def test_sigterm_ends_the_user_interface_and_all_that_it_started(tmp_path, group, members):
    command = [sys.executable, "-m", "quant_assets.cli.main", "ui", "--port", free_port()]
    env = {**os.environ, "QUANT_ASSETS_DATA_ROOT": str(tmp_path / "root")}
    env.pop("DAGSTER_HOME", None)
    log = (tmp_path / "log").open("w")
    with log, started(command, env=env, cwd=tmp_path, stdout=log, stderr=log) as process:
        found = wait_for(process, members)  # dagster dev, code servers, webserver or daemon
        assert ended(process, found, number=signal.SIGTERM, group=group) == 0
