"""kill -9: nothing is corrupt, nothing is lost, nothing is done twice, the end is the same."""

import pytest

from quant_assets_tests.reliability.backfills import Lake
from quant_assets_tests.reliability.fixture_venue import SHORT_DECISIONS, Fixture
from quant_assets_tests.reliability.kills import kill_backfills

pytestmark = pytest.mark.slow(seconds=40)
KILLS = 5  # `python -m benchmarks kills` does 100 with the same function


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, fixture_venue: Fixture, undisturbed: Lake):
    folder = tmp_path_factory.mktemp("kills")
    return kill_backfills(folder, fixture_venue, undisturbed, kills=KILLS, seed=2026, spread=110)


def test_fixture_backfill_covers_all_pillars_and_windows(undisturbed: Lake):
    manifests = undisturbed.manifests.values()
    decisions = [m for m in manifests if m.asset == "portfolio_weights" and m.rows]
    assert len(decisions) == SHORT_DECISIONS
    assert {m.asset for m in manifests} >= {"raw_bars", "alpha_signals", "fills", "tear_sheet"}
    assert undisturbed.problems == []


def test_kill_at_random_moments_leaves_no_damaged_snapshot(report):
    assert report.kills == KILLS
    assert report.damaged == []
    assert report.problems == []


def test_resume_recomputes_no_cell_that_was_finished_before_a_kill(report):
    assert sum(report.commits) > 0, "some kills must come after finished cells"
    assert report.recomputed == []


def test_resume_ends_with_the_manifests_of_the_undisturbed_run(report, undisturbed: Lake):
    assert report.digests == {undisturbed.digest}


def test_next_start_removes_every_stale_temp_file(report):
    assert report.stale_temps == []


def test_killed_runs_leave_readable_records(report):
    assert report.unreadable_records == []


def test_next_start_ends_the_killed_runs_that_dagster_takes_for_running(report):
    assert report.unended_runs == 0
