"""What `quant-assets ui` takes while nothing happens, from the operating system's own books."""

import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from benchmarks.page import Row
from benchmarks.processes import used_by
from quant_assets_tests.reliability.fixture_venue import neutral_environment

TITLE = "`quant-assets ui` at rest, no browser open"
TARGET = "below 5 % of one core over 10 minutes, all processes together; gone 5 s after SIGTERM"
START_SECONDS, SETTLE_SECONDS, SECONDS, END_SECONDS = 120.0, 60.0, 600.0, 30.0
COMMAND = (sys.executable, "-m", "quant_assets.cli.main")
# What its command line tells of a process, the most telling first.
KINDS = {
    "dagster_webserver": "webserver",
    "dagster._daemon": "daemon",
    "code-server": "code server's proxy",
    "api grpc": "code server",
    "dagster dev": "dagster dev",
    "quant_assets.cli.main": "quant-assets ui",
}


def measure(folder: Path, *, quick: bool) -> list[Row]:
    environment = neutral_environment() | {"QUANT_ASSETS_DATA_ROOT": str(folder / "root")}
    used_by([*COMMAND[1:], "demo", "--windows", "3"], environment, folder)
    with _user_interface(environment, folder) as process:
        time.sleep(2.0 if quick else SETTLE_SECONDS)
        before, began = _used(process), time.perf_counter()
        time.sleep(5.0 if quick else SECONDS)
        after, seconds = _used(process), time.perf_counter() - began
        used = {kind: after[kind] - before.get(kind, 0.0) for kind in sorted(after)}
        members = [process, *process.children(recursive=True)]
        process.send_signal(signal.SIGTERM)
        asked = time.perf_counter()
        _, left = psutil.wait_procs(members, timeout=END_SECONDS)
        ended = time.perf_counter() - asked
    facts: dict[str, object] = {"seconds": seconds, "processes": len(members)}
    facts |= {f"{kind}, % of one core": 100.0 * used[kind] / seconds for kind in used}
    facts["all of them, % of one core"] = 100.0 * sum(used.values()) / seconds
    facts["seconds from SIGTERM to the last one's end"] = ended
    facts["processes that were left"] = len(left)
    return [{"what": name, "seen": value} for name, value in facts.items()]


@contextmanager
def _user_interface(environment: dict[str, str], folder: Path) -> Iterator[psutil.Process]:
    """`quant-assets ui` once it answers; all of it ends with the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    with (
        (folder / "ui.txt").open("wb") as log,
        subprocess.Popen(
            [*COMMAND, "ui", "--port", port],
            env=environment,
            cwd=folder,
            stdout=log,
            stderr=log,
            start_new_session=True,
        ) as started,
    ):
        process = psutil.Process(started.pid)
        try:
            _wait_ready(f"http://127.0.0.1:{port}/server_info")
            yield process
        finally:
            with suppress(psutil.NoSuchProcess):
                for one in [*process.children(recursive=True), process]:
                    one.kill()


def _wait_ready(url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(url, timeout=2).close()  # noqa: S310 - our own server
        except (urllib.error.URLError, OSError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
        else:
            return


def _used(process: psutil.Process) -> dict[str, float]:
    """Seconds of processor time so far, by kind of process; those of ended children included."""
    used: dict[str, float] = defaultdict(float)
    for one in [process, *process.children(recursive=True)]:
        times, words = one.cpu_times(), " ".join(one.cmdline())
        kind = next((name for mark, name in KINDS.items() if mark in words), "others")
        used[kind] += times.user + times.system + times.children_user + times.children_system
    return used
