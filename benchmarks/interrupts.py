"""Ctrl-C at random moments of a backfill: seconds until the program is gone, and what it left."""

import random
from pathlib import Path

from benchmarks.page import Row
from quant_assets_tests.reliability.backfills import Lake, completed
from quant_assets_tests.reliability.fixture_venue import write_fixture
from quant_assets_tests.reliability.interrupts import EXITS, LIMIT_SECONDS, interrupt

TITLE = "Ctrl-C at random moments of a backfill"
TARGET = f"out within {LIMIT_SECONDS:g} s, exit code 130, nothing half-written"
TIMES, SPREAD = 40, 250
SEED = 20261121


def measure(folder: Path, *, quick: bool) -> list[Row]:
    fixture = write_fixture(folder / "venues")
    whole = completed(fixture, folder / "undisturbed")
    generator = random.Random(SEED)  # noqa: S311 - moments of a test, not secrets
    seconds: list[float] = []
    wrong_exits = tracebacks = damaged = lives = 0
    root = folder / "root-0"
    for _ in range(3 if quick else TIMES):
        left = len(whole.runs) - (len(Lake(root).runs) if root.exists() else 0)
        if left < 2:  # this backfill is nearly done: begin another
            lives += 1
            root = folder / f"root-{lives}"
            left = len(whole.runs)
        commits = generator.randint(1, min(SPREAD, left - 1))
        end = interrupt(fixture, root, commits=commits, delay=generator.uniform(0.0, 0.05))
        seconds.append(end.seconds)
        wrong_exits += end.code not in EXITS
        tracebacks += "Traceback" in end.text
        damaged += len(Lake(root).damaged)
    end_digest = completed(fixture, root).digest
    facts: dict[str, object] = {
        "interrupts": len(seconds),
        "seconds until the end, median": sorted(seconds)[len(seconds) // 2],
        "seconds until the end, longest": max(seconds),
        "ends later than promised": sum(s > LIMIT_SECONDS for s in seconds),
        "exit codes other than 130": wrong_exits,
        "ends with a traceback": tracebacks,
        "damaged objects": damaged,
        "final hash equals the undisturbed one": end_digest == whole.digest,
    }
    return [{"what": name, "seen": value} for name, value in facts.items()]
