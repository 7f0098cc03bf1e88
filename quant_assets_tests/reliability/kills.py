"""kill -9 at random moments of a backfill, resume, kill again, and at last let it end.

The test and the benchmark share this function; they differ in the number of kills.
"""

import random
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from quant_assets_tests.reliability.backfills import Lake, committed, completed, start
from quant_assets_tests.reliability.fixture_venue import Fixture

POLL_SECONDS = 0.002
START_UP_SHARE, START_UP_SECONDS = 0.15, 5.0
MOST_DELAY_SECONDS = 0.04
LIFE_SECONDS = 240.0


@dataclass(frozen=True)
class Moment:
    """When a process is killed: after so many commits of its own, and then a little later.

    Commits, not seconds, because a busy machine would otherwise shift all kills into start-up.
    """

    commits: int
    seconds: float


@dataclass
class KillReport:
    """What the kills did. Every list must be empty and `digests` must hold one digest."""

    kills: int = 0
    backfills: int = 0
    commits: list[int] = field(default_factory=list)
    temps_left: int = 0
    damaged: list[str] = field(default_factory=list)
    recomputed: list[str] = field(default_factory=list)
    stale_temps: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    unreadable_records: list[str] = field(default_factory=list)
    unended_runs: int = 0
    digests: set[str] = field(default_factory=set)
    seconds: float = 0.0


def moments(generator: random.Random, spread: int) -> Iterator[Moment]:
    """Random moments: a few during start-up, most between two commits, `spread` at the latest."""
    while True:
        if generator.random() < START_UP_SHARE:
            yield Moment(0, generator.uniform(0.0, START_UP_SECONDS))
        else:
            yield Moment(generator.randint(1, spread), generator.uniform(0.0, MOST_DELAY_SECONDS))


def kill_backfills(
    folder: Path, fixture: Fixture, whole: Lake, *, kills: int, seed: int, spread: int
) -> KillReport:
    """Kill `kills` processes in all; every backfill is resumed until it ends by itself."""
    report = KillReport()
    when = moments(random.Random(seed), spread)  # noqa: S311 - a reproducible schedule, no secret
    began = time.perf_counter()
    while report.kills < kills:
        report.backfills += 1
        root = folder / f"root-{report.backfills}"
        done: dict[str, tuple[str, str]] = {}
        temps: set[str] = set()
        while report.kills < kills:
            life = _one_life(fixture, root, next(when))
            if life is None:
                break
            report.kills += 1
            report.commits.append(life)
            done, temps = _examine(report, root, whole, (done, temps, life))
        _finish(report, fixture, root, whole, done)
    report.seconds = time.perf_counter() - began
    return report


def _one_life(fixture: Fixture, root: Path, moment: Moment) -> int | None:
    """Start, wait for the moment, kill -9; the commits of this life, None when it ended before."""
    before = committed(root)
    process = start(fixture, root, root.parent / f"{root.name}.log")
    try:
        deadline = time.monotonic() + LIFE_SECONDS
        while process.poll() is None and committed(root) - before < moment.commits:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{root}: no {moment.commits} commits in {LIFE_SECONDS} s")
            time.sleep(POLL_SECONDS)
        time.sleep(moment.seconds)
    finally:
        process.kill()
        code = process.wait()
    if code == -signal.SIGKILL:
        return committed(root) - before
    if code != 0:
        text = (root.parent / f"{root.name}.log").read_text(encoding="utf-8")
        raise subprocess.CalledProcessError(code, "quant-assets backfill", text)
    return None


def _examine(
    report: KillReport, root: Path, whole: Lake, before: tuple[dict, set[str], int]
) -> tuple[dict[str, tuple[str, str]], set[str]]:
    """Look at what a kill left; the finished cells and the temp files there are returned."""
    done, temps, commits = before
    lake = Lake(root)
    now = lake.temps
    if commits:  # this life came as far as its first cell, so its start-up sweep had run
        report.stale_temps += sorted(temps & now)
    report.temps_left += len(now - temps)
    report.damaged += lake.damaged
    finished = lake.finished(whole)
    report.recomputed += changed(done, finished)
    try:
        short = [r["run_id"] for r in lake.records if "planned_stage_instances" not in r]
    except ValueError as error:
        report.unreadable_records.append(f"{root}: {error}")
    else:
        report.unreadable_records += short
    return finished, now


def changed(old: dict[str, tuple[str, str]], new: dict[str, tuple[str, str]]) -> list[str]:
    """Name the cells of `old` that another run wrote, or that are gone."""
    return sorted(name for name, run in old.items() if new.get(name) != run)


def _finish(
    report: KillReport,
    fixture: Fixture,
    root: Path,
    whole: Lake,
    done: dict[str, tuple[str, str]],
) -> None:
    """Let the backfill end, and compare it with the undisturbed one."""
    lake = completed(fixture, root)
    report.recomputed += changed(done, lake.finished(whole))
    report.stale_temps += sorted(lake.temps)
    report.damaged += lake.damaged
    report.problems += lake.problems
    report.unended_runs += lake.unended_runs
    report.digests.add(lake.digest)
