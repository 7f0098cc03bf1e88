"""Ctrl-C: out within five seconds, exit code 130, nothing half-written, and the rest resumes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from quant_assets.storage.writer import is_stale, temp_files
from quant_assets_tests.reliability.backfills import (
    Lake,
    committed,
    completed,
    heed_interrupts,
    start,
)
from quant_assets_tests.reliability.fixture_venue import SHORT_LAST, Fixture, write_fixture
from quant_assets_tests.reliability.interrupts import EXITS, LIMIT_SECONDS, interrupt

pytestmark = pytest.mark.slow(seconds=45)


def test_interrupt_in_a_step_ends_at_once_and_the_next_run_goes_on(
    fixture_venue: Fixture, undisturbed: Lake, tmp_path: Path
):
    root = tmp_path / "root"
    end = interrupt(fixture_venue, root, commits=120)
    assert end.code in EXITS, end.text
    assert end.seconds < LIMIT_SECONDS
    assert "finished cells are kept" in end.text
    assert "Traceback" not in end.text
    left = Lake(root)
    assert left.damaged == []
    (record,) = left.records
    if "ended_at" in record:  # the orderly end; else Python lost the interrupt
        assert left.temps == set()
        assert record["failures"][0]["cause"].startswith("KeyboardInterrupt")
        assert record["not_done"]
    kept = left.finished(undisturbed)
    whole = completed(fixture_venue, root)
    assert {name: whole.runs[name] for name in kept} == kept
    assert whole.digest == undisturbed.digest
    assert whole.problems == []


@pytest.mark.parametrize("cpu_seconds", [0.6, 1.2, 1.8])
def test_interrupt_while_the_program_loads_says_so_without_a_traceback(
    fixture_venue: Fixture, tmp_path: Path, cpu_seconds: float
):
    log = tmp_path / "log"
    process = start(fixture_venue, tmp_path / "root", log)
    used = psutil.Process(process.pid)
    while sum(used.cpu_times()[:2]) < cpu_seconds:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=60) in EXITS
    assert "Traceback" not in log.read_text(encoding="utf-8")


def test_interrupt_of_venues_side_by_side_ends_all_of_them(tmp_path: Path):
    fixture = write_fixture(tmp_path / "venues", ("first", "second"), last=SHORT_LAST)
    root = tmp_path / "root"
    words = ("backfill", "--workers", "2")
    end = interrupt(fixture, root, commits=60, arguments=words)
    assert end.code in EXITS, end.text
    assert end.seconds < LIMIT_SECONDS
    before = committed(root)
    time.sleep(1.0)
    assert committed(root) == before, "a child went on writing"
    left = Lake(root)
    assert left.damaged == []
    assert all(is_stale(path) for path in temp_files(root)), "the writer of a temp file lives on"


LOST = """
import gc, sys, time, weakref
from quant_assets.cli import main

class Node: ...

def collected(_reference):
    print("waiting", flush=True)
    time.sleep(600)  # the interrupt comes here, where Python ignores what is raised

def command(**_options):
    node = Node()
    reference = weakref.ref(node, collected)
    del node
    time.sleep(600)

main.cli.main = command
main.main()
"""


def test_interrupt_that_python_ignores_still_ends_the_program(tmp_path: Path):
    """In a callback of the garbage collector an exception is printed and forgotten."""
    process = subprocess.Popen(
        [sys.executable, "-c", LOST],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=heed_interrupts,  # noqa: PLW1509 - the tests start no threads
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        began = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)
        text = process.communicate(timeout=60)[0]
        assert time.monotonic() - began < LIMIT_SECONDS
        assert process.returncode == 130
        assert "Exception ignored" in text
        assert "finished cells are kept" in text
    finally:
        process.kill()
        process.wait()
