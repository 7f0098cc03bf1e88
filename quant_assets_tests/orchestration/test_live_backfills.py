"""Backfills through a live daemon: the chain is right in any launch order, and a hole is named.

One webserver and one daemon serve all the scenarios, each on venues of its own, because starting
them, and the daemon's ticks, are what costs the time.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from quant_assets import load
from quant_assets_tests.fixtures.venue_files import write_venue
from quant_assets_tests.orchestration.live import LiveDagster, live_dagster

MODULE = "quant_assets_tests.fixtures.counter_location"
FULL = ["alpha", "beta", "gamma", "delta"]  # 60 windows each
SLOW, SHUFFLED, HOLE = "slow", "shuffled", "hole"
FIRST_DATA, FIRST_DECISION = "2010-01", "2010-04"
TICK_SECONDS = 4
PREPARE = """
from quant_assets.orchestration.instance import prepare_home
from quant_assets.orchestration.workspace import current_workspace
prepare_home(current_workspace())
"""

pytestmark = pytest.mark.slow(seconds=80)


def months(first: str, count: int) -> list[str]:
    year, month = (int(part) for part in first.split("-"))
    numbers = range(year * 12 + month - 1, year * 12 + month - 1 + count)
    return [f"{n // 12}-{n % 12 + 1:02d}-01" for n in numbers]


def keys(venue: str, windows: list[str]) -> list[str]:
    return [f"{venue}|{window}" for window in windows]


def chain(root: Path, venue: str) -> list[int]:
    return load("counter", venue=venue, root=root)["n"].tolist()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("live") / "data"


@pytest.fixture(scope="module")
def live(root: Path) -> Iterator[LiveDagster]:
    folder = root.parent / "venues"
    for venue in [*FULL, SLOW, SHUFFLED, HOLE]:
        write_venue(folder, venue, first="2010-01-01", last="2014-12-31")
    environment = {
        "QUANT_ASSETS_DATA_ROOT": str(root),
        "QUANT_ASSETS_VENUES_FOLDER": str(folder),
        "QUANT_ASSETS_VENUES": json.dumps([*FULL, SLOW, SHUFFLED, HOLE]),
        "QUANT_ASSETS_GRID__START": "2009-10-01",
        "QUANT_ASSETS_GRID__END": "2015-01-01",
        "COUNTER_SLOW": f"{SLOW}|2010-04-01",
        "COUNTER_SLOW_SECONDS": "12",
        "QUANT_ASSETS_DETAIL": "brief",
        "DAGSTER_EVENT_BATCH_SIZE": "1000",
        "DAGSTER_EMIT_PARTITION_SUBSET_IN_PLANNED_EVENTS": "true",
    }
    subprocess.run(
        [sys.executable, "-c", PREPARE], check=True, env={**os.environ, **environment}, timeout=120
    )
    home = root / "dagster"
    with live_dagster(home, MODULE, environment, tick_seconds=TICK_SECONDS) as running:
        yield running


@pytest.fixture(scope="module")
def outcome(live: LiveDagster, root: Path) -> dict[str, str]:
    """Launch everything at once; statuses by scenario."""
    full = [key for venue in FULL for key in keys(venue, months(FIRST_DATA, 60))]
    lead_in = [k for v in (SLOW, SHUFFLED, HOLE) for k in keys(v, months(FIRST_DATA, 60))]
    ids = {
        "full": live.backfill(["ticks", "counter"], full),
        "ticks": live.backfill(["ticks"], lead_in),
    }
    statuses = live.wait([ids["ticks"]], seconds=240)
    assert statuses[ids["ticks"]] == "COMPLETED_SUCCESS"
    decisions = months(FIRST_DECISION, 6)
    ids["slow"] = live.backfill(
        ["counter"], keys(SLOW, decisions[:2]) + keys(SHUFFLED, decisions[:2])
    )
    hole = keys(HOLE, decisions[3:5])
    # Two retries show that a hole stays one; the five of dagster.yaml would take longer.
    ids["late part"] = live.backfill(["counter"], hole, max_retries="2")
    ids["early part"] = live.backfill(["counter"], keys(SHUFFLED, decisions[2:4]))
    statuses = live.wait(list(ids.values()), seconds=420)
    (root / "outcome.json").write_text(json.dumps({n: live.runs(i) for n, i in ids.items()}))
    return {name: statuses[backfill] for name, backfill in ids.items()}


@pytest.mark.timeout(900)
def test_backfill_full_range_of_four_venues_counts_every_window(
    outcome: dict[str, str], root: Path
) -> None:
    assert outcome["full"] == "COMPLETED_SUCCESS"
    for venue in FULL:
        assert chain(root, venue) == list(range(1, 58)), venue


def test_backfill_subset_with_slow_first_window_ends_in_success_with_the_right_chain(
    outcome: dict[str, str], root: Path
) -> None:
    assert outcome["slow"] == "COMPLETED_SUCCESS"
    assert chain(root, SLOW) == [1, 2]


def test_backfill_subsets_launched_side_by_side_continue_one_chain(
    outcome: dict[str, str], root: Path
) -> None:
    assert outcome["early part"] == "COMPLETED_SUCCESS"
    assert chain(root, SHUFFLED) == [1, 2, 3, 4]


def test_backfill_over_a_hole_fails_and_names_the_missing_cell(
    outcome: dict[str, str], root: Path, live: LiveDagster
) -> None:
    assert outcome["late part"] != "COMPLETED_SUCCESS"
    runs = json.loads((root / "outcome.json").read_text())["late part"]
    assert len(runs) == 3, "the retries ran"
    assert all(run["status"] == "FAILURE" for run in runs)
    query = """query($id: ID!) { logsForRun(runId: $id) { ... on EventConnection { events {
        ... on ExecutionStepFailureEvent { error { message causes { message } } } } } } }"""
    events = live.post(query, {"id": runs[0]["runId"]})["logsForRun"]["events"]
    text = json.dumps(events)
    assert "counter hole|2010-06-01" in text
    assert "missing" in text
