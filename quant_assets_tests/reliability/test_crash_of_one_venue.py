"""Two venues side by side, one of which goes down: the other ends, and a record is left."""

import json
import os
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from quant_assets_tests.reliability.backfills import Lake, completed, run
from quant_assets_tests.reliability.crashing_plugin import install
from quant_assets_tests.reliability.fixture_venue import SHORTEST_LAST, Fixture, write_fixture

pytestmark = pytest.mark.slow(seconds=60)
WINDOWS = ("--windows", "2024-01-01...2024-04-01")


class Outcome:
    """One side-by-side backfill of a `good` venue and a `bad` one."""

    def __init__(self, folder: Path, provider: str) -> None:
        plugins = install(folder / "site")
        path = os.pathsep.join([str(plugins), *filter(None, [os.environ.get("PYTHONPATH")])])
        self.environment = {"PYTHONPATH": path}
        self.root = folder / "root"
        self.folder = folder / "venues"
        self.fixture = write_fixture(
            self.folder, ("bad", "good"), providers={"bad": provider}, last=SHORTEST_LAST
        )
        words = ("backfill", "--workers", "2", *WINDOWS)
        self.done = run(self.fixture, self.root, words, **self.environment)
        self.lake = Lake(self.root)

    def command(self, fixture: Fixture, *words: str) -> CompletedProcess[str]:
        """One more command on the same root."""
        return run(fixture, self.root, words, **self.environment)

    def record(self, venue: str) -> dict:
        (found,) = [record for record in self.lake.records if record["venue"] == venue]
        return found


@pytest.fixture(scope="module", params=["crashing", "refusing"])
def outcome(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return Outcome(tmp_path_factory.mktemp(request.param), request.param)


def test_exit_code_and_output_name_the_venue_that_failed(outcome: Outcome):
    assert outcome.done.returncode == 1
    last = outcome.done.stdout.strip().splitlines()[-1]
    assert last.startswith("RunFailedError: venues failed: bad (exit ")
    assert "finished cells are kept" in last
    assert "Traceback" not in outcome.done.stdout


def test_other_venue_is_whole(outcome: Outcome):
    plan = outcome.command(outcome.fixture, "plan", "--venue", "good", *WINDOWS, "--json")
    assert json.loads(plan.stdout) == []
    assert "tear_sheet good|all" in outcome.lake.manifests
    assert (outcome.lake.problems, outcome.lake.temps) == ([], set())
    assert outcome.record("good")["failures"] == []
    assert outcome.record("good")["not_done"] == []


def test_failed_venue_leaves_a_readable_record_of_what_was_planned(outcome: Outcome):
    record = outcome.record("bad")
    assert "raw_bars--bad" in record["planned_stage_instances"]
    assert record["planned_cells"] > 0
    if "ended_at" in record:  # the process lived on and could say why
        (failure,) = record["failures"]
        assert failure["stage"] == "raw_bars"
        assert "row 7 of the bars of 2024-03-01 has no price" in failure["cause"]
        assert "tear_sheet--bad" in record["not_done"]
    status = outcome.command(outcome.fixture, "status", "--venue", "bad", "--json")
    rows = json.loads(status.stdout)
    assert any("interrupted" in row["cause"] or "row 7" in row["cause"] for row in rows), rows
    assert "quant-assets backfill --venue bad" in {row["command"] for row in rows}


def test_failed_venue_keeps_the_cells_before_and_goes_on_once_it_is_mended(outcome: Outcome):
    early = {f"raw_bars bad|2024-0{month}-01" for month in (1, 2)}
    assert early <= set(outcome.lake.manifests)
    assert "raw_bars bad|2024-03-01" not in outcome.lake.manifests
    mended = write_fixture(outcome.folder, ("bad", "good"), last=SHORTEST_LAST)
    words = ("backfill", "--workers", "2", *WINDOWS)
    lake = Lake(outcome.root)
    kept = {name: run for name, run in lake.runs.items() if " good|" in name}
    after = completed(mended, outcome.root, words, **outcome.environment)
    assert "tear_sheet bad|all" in after.manifests
    assert {name: after.runs[name] for name in kept} == kept
