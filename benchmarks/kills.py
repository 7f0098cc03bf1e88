"""kill -9 at random moments of a backfill of all pillars, with what it left behind."""

from collections.abc import Sized
from pathlib import Path

from benchmarks.page import Row
from quant_assets_tests.reliability.backfills import completed
from quant_assets_tests.reliability.fixture_venue import write_fixture
from quant_assets_tests.reliability.kills import kill_backfills

TITLE = "kill -9 at random moments of a backfill"
TARGET = "100 kills; 0 corrupt, 0 lost, 0 recomputed, the undisturbed hash"
KILLS, SPREAD = 100, 60
SEED = 20261120


def measure(folder: Path, *, quick: bool) -> list[Row]:
    fixture = write_fixture(folder / "venues")
    whole = completed(fixture, folder / "undisturbed")
    kills, spread = (3, 150) if quick else (KILLS, SPREAD)
    report = kill_backfills(folder, fixture, whole, kills=kills, seed=SEED, spread=spread)
    facts: dict[str, object] = {
        "kills": report.kills,
        "backfills that they hit": report.backfills,
        "kills after at least one commit": sum(count > 0 for count in report.commits),
        "cells committed between start and kill, median": _median(report.commits),
        "temp files that kills left (a write was cut in two)": report.temps_left,
        "damaged or lost objects": _count(report.damaged),
        "finished cells computed again": _count(report.recomputed),
        "temp files that outlived the next start": _count(report.stale_temps),
        "run records that cannot be read": _count(report.unreadable_records),
        "killed runs that Dagster takes for running at the end": report.unended_runs,
        "problems that `verify` names at the end": _count(report.problems),
        "final hash equals the undisturbed one": report.digests == {whole.digest},
        "minutes": report.seconds / 60,
    }
    return [{"what": name, "seen": value} for name, value in facts.items()]


def _median(counts: list[int]) -> int:
    return sorted(counts)[len(counts) // 2] if counts else 0


def _count(found: Sized) -> int:
    return len(found)
