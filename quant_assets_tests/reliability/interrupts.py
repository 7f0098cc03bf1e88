"""Ctrl-C at a chosen moment of a command; shared by the tests and the benchmark."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from quant_assets_tests.reliability.backfills import committed, start
from quant_assets_tests.reliability.fixture_venue import Fixture

LIMIT_SECONDS = 5.0
# Python itself ends with the signal, which a shell shows as 130 too, when the interrupt came while
# it ran generated code (a dataclass being made during an import).
EXITS = {130, -signal.SIGINT}


@dataclass(frozen=True)
class Interrupted:
    """How a command ended after Ctrl-C."""

    code: int
    seconds: float
    text: str


def interrupt(
    fixture: Fixture,
    root: Path,
    *,
    commits: int,
    arguments: tuple[str, ...] = ("backfill",),
    delay: float = 0.0,
) -> Interrupted:
    """Ctrl-C `delay` seconds after so many commits; exit code, seconds until the end, output."""
    log = root.parent / f"{root.name}.log"
    process = start(fixture, root, log, arguments)
    try:
        before = committed(root)
        deadline = time.monotonic() + 120
        while process.poll() is None and committed(root) - before < commits:
            if time.monotonic() > deadline:
                raise TimeoutError(log.read_text(encoding="utf-8"))
            time.sleep(0.005)
        time.sleep(delay)
        began = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)  # a terminal signals the whole group
        code = process.wait(timeout=60)
        return Interrupted(code, time.monotonic() - began, log.read_text(encoding="utf-8"))
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
