"""Runs a command and reports what it used, from the operating system's own books."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Usage:
    """One process, its children included: seconds, and peak memory of the largest of them."""

    wall: float
    cpu: float
    peak_megabytes: float
    output: str


def used_by(words: Sequence[str], environment: Mapping[str, str], folder: Path) -> Usage:
    """Run `python WORDS` in `folder`; a failure raises with its output."""
    log = folder / "output.txt"
    began = time.perf_counter()
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, *words],
            env=dict(environment),
            cwd=folder,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
        _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    output = log.read_text(encoding="utf-8")
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(words)} ended with {process.returncode}:\n{output}")
    return Usage(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024.0, output)
