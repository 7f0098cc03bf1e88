"""A live daemon: a file is dropped, and bars, tear sheet and league follow without a command."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from quant_assets.storage.manifests import Manifest
from quant_assets.storage.paths import Cell, Layout
from quant_assets.storage.snapshots import SnapshotStore
from quant_assets_tests.operations.test_alerts import server
from quant_assets_tests.orchestration.dropped_venue import (
    MONTHS,
    NAME,
    bars,
    drop,
    environment,
    write_dropped,
)
from quant_assets_tests.orchestration.live import LiveDagster, live_dagster

# The database is made before two processes open it at once.
PREPARE = """
from quant_assets.orchestration.instance import open_instance
from quant_assets.orchestration.workspace import current_workspace
with open_instance(current_workspace()):
    pass
"""
REVISED, EARLIER = "2024-05-01", "2024-04-01"
FIVE, TWO = "max_retries: 5,", "max_retries: 2,"  # in dagster.yaml; each retry takes seconds
ATTEMPTS = 3  # the run and two retries
RUNS = """
query { runsOrError { ... on Runs { results { runId status jobName tags { key value } } } } }
"""

pytestmark = pytest.mark.slow(seconds=170)


@dataclass(frozen=True)
class Posted:
    """The webhook, and what it was sent."""

    address: str
    messages: list[dict[str, str]]


class Root:
    """What the processes wrote."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.store = SnapshotStore(path)

    def manifest(self, asset: str, window: str) -> Manifest | None:
        return self.store.manifest(Cell(asset, NAME, window))

    def hashes(self) -> dict[str, str]:
        found = (p for p in (self.path / "lake").rglob("*.json") if p.parent.name == NAME)
        return {
            f"{p.parent.parent.name}|{p.stem}": json.loads(p.read_text())["sha256"] for p in found
        }

    def written(self) -> dict[str, str]:
        found = (p for p in (self.path / "lake").rglob("*.json") if p.parent.name == NAME)
        return {
            f"{p.parent.parent.name}|{p.stem}": json.loads(p.read_text())["run"]["written_at"]
            for p in found
        }


def wait(what: Callable[[], object], *, seconds: float) -> float:
    """Seconds until `what` is true."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if what():
            return time.monotonic() - began
        time.sleep(0.2)
    raise AssertionError(f"not within {seconds} s")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Root:
    return Root(tmp_path_factory.mktemp("automation") / "data")


@pytest.fixture(scope="module")
def delivered() -> pd.DataFrame:
    return bars(MONTHS)


@pytest.fixture(scope="module")
def posted() -> Iterator[Posted]:
    with server(200) as (address, messages):
        yield Posted(address, messages)


@pytest.fixture(scope="module")
def live(root: Root, posted: Posted) -> Iterator[LiveDagster]:
    venues = root.path.parent / "venues"
    write_dropped(venues)
    env = environment(root.path, venues)
    env |= {
        "QUANT_ASSETS_ALERT_WEBHOOK_VARIABLE": "TEST_WEBHOOK",
        "TEST_WEBHOOK": posted.address,
        "DAGSTER_EVENT_BATCH_SIZE": "1000",
        "DAGSTER_EMIT_PARTITION_SUBSET_IN_PLANNED_EVENTS": "true",
    }
    subprocess.run([sys.executable, "-c", PREPARE], check=True, env=env, timeout=120)
    settings = Layout(root.path).dagster_home / "dagster.yaml"
    written = settings.read_text(encoding="utf-8")
    assert written.count(FIVE) == 1
    settings.write_text(written.replace(FIVE, TWO), encoding="utf-8")
    with live_dagster(Layout(root.path).dagster_home, "quant_assets.definitions", env) as running:
        yield running


def runs(live: LiveDagster) -> list[dict[str, str]]:
    return live.post(RUNS, {})["runsOrError"]["results"]


def is_quiet(live: LiveDagster) -> bool:
    """No run waits or works, and the league was refreshed last."""
    found = runs(live)
    return bool(found) and all(r["status"] in ("SUCCESS", "FAILURE", "CANCELED") for r in found)


@pytest.fixture(scope="module")
def times(live: LiveDagster, root: Root, delivered: pd.DataFrame) -> dict[str, float]:
    """Seconds from the drop to the bars, the tear sheet, the league."""
    began = time.monotonic()
    drop(root.path, delivered, "history.csv")
    took = {}
    for name, cell in (
        ("bars", Cell("bars", NAME, MONTHS[-1])),
        ("tear sheet", Cell("tear_sheet", NAME, "all")),
        ("league", Cell("league", "all", "all")),
    ):
        wait(lambda cell=cell: root.store.manifest(cell), seconds=240)
        took[name] = time.monotonic() - began
    print({name: round(seconds, 1) for name, seconds in took.items()})  # noqa: T201 - a record
    wait(lambda: is_quiet(live), seconds=60)
    return took


@pytest.mark.timeout(600)
def test_dropped_file_becomes_bars_and_a_tear_sheet_without_a_command(
    times: dict[str, float], root: Root, live: LiveDagster
):
    assert times["bars"] < 60
    assert times["league"] < 180
    assert list((root.path / "landing" / NAME).iterdir()) == []
    manifest = root.manifest("bars", MONTHS[-1])
    assert manifest is not None
    assert manifest.rows == 93 * 5
    assert [run["jobName"] for run in reversed(runs(live))] == [
        "refresh_windows",
        "refresh_venue",
    ]


@pytest.mark.timeout(600)
def test_revised_closed_month_renews_its_window_and_what_depends_on_it_and_nothing_else(
    times: dict[str, float], root: Root, live: LiveDagster, delivered: pd.DataFrame
):
    before, written, sheet = root.hashes(), root.written(), root.manifest("tear_sheet", "all")
    rows = delivered[delivered["ts"].dt.strftime("%Y-%m-01") == REVISED].iloc[:1].copy()
    rows["volume"] *= 1.5
    rows["close"] = (rows["high"] + rows["low"]) / 2
    drop(root.path, rows, "correction.csv")
    wait(lambda: root.manifest("tear_sheet", "all") != sheet, seconds=240)
    wait(lambda: len(runs(live)) == 4 and is_quiet(live), seconds=90)
    after = root.hashes()
    renewed = {name for name, moment in root.written().items() if moment != written[name]}
    (windows,) = (r for r in runs(live)[:2] if r["jobName"] == "refresh_windows")
    tags = {tag["key"]: tag["value"] for tag in windows["tags"]}
    assert tags["dagster/asset_partition_range_start"] == f"{NAME}|{REVISED}"
    for asset in ("raw_bars", "bars", "raw_doubts"):
        assert {n for n in renewed if n.startswith(f"{asset}|")} == {f"{asset}|{REVISED}"}
    both = [month for month in MONTHS if month >= REVISED][:2]  # a gap may cross the edge
    assert {n for n in renewed if n.startswith("gap_ledger|")} == {f"gap_ledger|{m}" for m in both}
    early = {n for n in renewed if n.split("|")[1] < REVISED}
    assert early == set()
    later = [month for month in MONTHS if month >= REVISED]
    assert {f"equity|{month}" for month in later} <= renewed
    unread = {f"{asset}|{REVISED}" for asset in ("funding", "open_interest", "liquidations")}
    assert not unread & renewed
    assert before[f"bars|{REVISED}"] != after[f"bars|{REVISED}"]


@pytest.mark.timeout(600)
def test_same_file_again_and_one_that_cannot_be_read_start_no_run(
    times: dict[str, float], root: Root, live: LiveDagster, delivered: pd.DataFrame
):
    count = len(runs(live))
    again = drop(root.path, delivered, "history again.csv")
    bad = drop(root.path, pd.DataFrame({"nonsense": [1, 2]}), "bad.csv")
    wait(lambda: not again.exists(), seconds=60)
    wait(lambda: list((root.path / "alerts").glob("*.json")), seconds=60)
    time.sleep(12)  # two more ticks
    (path,) = (root.path / "alerts").glob("*.json")
    alert = json.loads(path.read_text())
    assert (alert["stage"], alert["seen"]) == ("landing", 1)
    assert "bad.csv" in alert["cause"]
    assert bad.exists()
    assert len(runs(live)) == count


@pytest.mark.timeout(600)
def test_failing_step_is_one_alert_and_one_message_although_it_is_retried(
    times: dict[str, float],
    root: Root,
    live: LiveDagster,
    delivered: pd.DataFrame,
    posted: Posted,
):
    """A month of bars is damaged that a later window looks back to."""
    manifest = root.manifest("bars", EARLIER)
    assert manifest is not None
    path = root.path / "objects" / manifest.sha256[:2] / f"{manifest.sha256}.parquet"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.chmod(0o644)
    path.write_bytes(bytes(data))
    count = len(runs(live))
    rows = delivered[delivered["ts"].dt.strftime("%Y-%m-01") == REVISED].iloc[:1].copy()
    rows["volume"] *= 3.0
    drop(root.path, rows, "another correction.csv")
    wait(lambda: len(runs(live)) == count + ATTEMPTS and is_quiet(live), seconds=400)
    time.sleep(22)  # more than one look of `failed_runs`
    assert {run["status"] for run in runs(live)[:ATTEMPTS]} == {"FAILURE"}
    alerts = [json.loads(p.read_text()) for p in (root.path / "alerts").glob("*.json")]
    (alert,) = (a for a in alerts if a["stage"] != "landing")
    assert (alert["venue"], alert["seen"], alert["ended_at"]) == (NAME, ATTEMPTS, None)
    assert manifest.sha256 in alert["cause"]
    (message,) = (m for m in posted.messages if m["stage"] == alert["stage"])
    assert message["cause"] == alert["cause"]
