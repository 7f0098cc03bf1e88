"""Sensors, schedule and check on an ephemeral instance: what is asked for, and only once."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import dagster as dg
import pytest

from quant_assets.adapters.pulling.base import Page, PullRequest
from quant_assets.core.clock import utc_now
from quant_assets.core.errors import ConfigError, DataError
from quant_assets.operations.disk_space import DiskSpace
from quant_assets.orchestration import automation
from quant_assets.orchestration.automation import (
    INGEST_OP,
    PULL_OP,
    Cursor,
    freshness_evaluation,
    ingest_file,
    look_for_new_data,
    pull_requests,
    tell_failure,
    tell_success,
    watch_freshness,
)
from quant_assets.orchestration.partitions import VENUE_TAG
from quant_assets.orchestration.refresh import (
    DELIVERIES_TAG,
    RANGE_END,
    RANGE_START,
    STAGE_TAG,
    next_step,
)
from quant_assets.orchestration.workspace import Workspace
from quant_assets_tests.orchestration.dropped_venue import (
    NAME,
    put,
    root,
    workspace_of,
)

pytestmark = pytest.mark.slow

LIMITS = "freshness: {warn_after: 1d, fail_after: 2d}\n"


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return workspace_of(tmp_path)


def tick(
    workspace: Workspace, instance: dg.DagsterInstance, cursor: str | None = None
) -> dg.SensorResult:
    context = dg.build_sensor_context(instance=instance, cursor=cursor)
    result = look_for_new_data(workspace, context)
    assert isinstance(result, dg.SensorResult)
    return result


def skipped(result: dg.SensorResult) -> str:
    assert result.skip_reason is not None
    return result.skip_reason.skip_message or ""


def alert_files(workspace: Workspace) -> list[dict[str, object]]:
    return [json.loads(p.read_text()) for p in (root(workspace) / "alerts").glob("*.json")]


def add_run(
    instance: dg.DagsterInstance, status: dg.DagsterRunStatus, stage: str = "windows"
) -> None:
    @dg.job(name="any")
    def job() -> None:
        """Nothing."""

    tags = {VENUE_TAG: NAME, STAGE_TAG: stage, DELIVERIES_TAG: "1"}
    instance.create_run_for_job(job, status=status, tags=tags)


def test_tick_takes_in_a_file_and_asks_for_one_range_run_over_its_windows(
    workspace: Workspace, instance: dg.DagsterInstance
):
    path = put(workspace)
    result = tick(workspace, instance)
    (request,) = result.run_requests or []
    assert request.job_name == "refresh_windows"
    assert request.tags[RANGE_START] == f"{NAME}|2024-01-01"
    assert request.tags[RANGE_END] == f"{NAME}|2024-02-01"
    assert not path.exists()
    state = Cursor.parse(result.cursor).venues[NAME]
    assert (state.version, state.stage) == (1, "windows")


def test_tick_without_news_asks_for_nothing(workspace: Workspace, instance: dg.DagsterInstance):
    first = tick(workspace, instance)
    assert skipped(first) == "nothing new"
    assert tick(workspace, instance, first.cursor).run_requests == []


def test_same_content_again_asks_for_no_run(workspace: Workspace, instance: dg.DagsterInstance):
    put(workspace)
    first = tick(workspace, instance)
    add_run(instance, dg.DagsterRunStatus.SUCCESS)
    add_run(instance, dg.DagsterRunStatus.STARTED, "venue")
    path = put(workspace, "again.csv")
    second = tick(workspace, instance, first.cursor)
    assert second.run_requests == []
    assert "again.csv was delivered before" in skipped(second)
    assert not path.exists()


def test_equal_needs_have_equal_run_keys_and_other_needs_others(
    workspace: Workspace, instance: dg.DagsterInstance
):
    put(workspace)
    first = tick(workspace, instance)
    forgotten = Cursor.parse(first.cursor).model_copy(update={"venues": {}}).model_dump_json()
    (again,) = tick(workspace, instance, forgotten).run_requests or []
    (request,) = first.run_requests or []
    assert again.run_key == request.run_key
    put(workspace, "march.csv", ["2024-03-01"])
    (other,) = tick(workspace, instance, first.cursor).run_requests or []
    assert other.run_key != request.run_key


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED])
def test_runs_of_one_venue_never_overlap(
    workspace: Workspace, instance: dg.DagsterInstance, status: dg.DagsterRunStatus
):
    add_run(instance, status)
    put(workspace)
    result = tick(workspace, instance)
    assert result.run_requests == []
    assert f"{NAME}: a run is active" in skipped(result)
    assert Cursor.parse(result.cursor).venues[NAME].version == 0, "it is not forgotten"


def test_wide_assets_follow_when_the_windows_have_succeeded_and_not_when_they_failed(
    workspace: Workspace, instance: dg.DagsterInstance
):
    put(workspace)
    first = tick(workspace, instance)
    add_run(instance, dg.DagsterRunStatus.FAILURE)
    failed = tick(workspace, instance, first.cursor)
    assert failed.run_requests == []
    add_run(instance, dg.DagsterRunStatus.SUCCESS)
    (request,) = tick(workspace, instance, failed.cursor).run_requests or []
    assert (request.job_name, request.partition_key) == ("refresh_venue", NAME)
    state = next_step(workspace, instance, NAME, Cursor.parse(failed.cursor).venues[NAME]).state
    add_run(instance, dg.DagsterRunStatus.SUCCESS, "venue")
    assert next_step(workspace, instance, NAME, state).state.stage == "fresh"


def test_run_that_was_asked_for_and_never_made_is_asked_for_again(
    workspace: Workspace, instance: dg.DagsterInstance
):
    put(workspace)
    first = tick(workspace, instance)
    put(workspace, "march.csv", ["2024-03-01"])
    second = tick(workspace, instance, first.cursor)
    add_run(instance, dg.DagsterRunStatus.SUCCESS)  # of the first delivery: not what is awaited
    (again,) = tick(workspace, instance, second.cursor).run_requests or []
    (asked,) = second.run_requests or []
    assert again.run_key == asked.run_key


def test_refused_file_is_one_skip_reason_and_one_alert(
    workspace: Workspace, instance: dg.DagsterInstance
):
    folder = root(workspace) / "landing" / NAME
    folder.mkdir(parents=True)
    (folder / "bad.csv").write_text("nonsense\n1\n")
    os.utime(folder / "bad.csv", (1.0, 1.0))
    first = tick(workspace, instance)
    assert "refused: bad.csv" in skipped(first)
    second = tick(workspace, instance, first.cursor)
    assert skipped(second) == "nothing new"
    (alert,) = alert_files(workspace)
    assert (alert["venue"], alert["stage"], alert["seen"]) == (NAME, "landing", 1)


def test_large_file_is_a_run_of_its_own_with_its_content_as_key(
    workspace: Workspace, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
):
    look = automation.look
    monkeypatch.setattr(automation, "look", lambda *a, **k: look(*a, **k, large_bytes=10))
    path = put(workspace)
    first = tick(workspace, instance)
    (request,) = first.run_requests or []
    assert request.job_name == "ingest_landing"
    (again,) = tick(workspace, instance, first.cursor).run_requests or []
    assert again.run_key == request.run_key
    assert ingest_file(workspace, NAME, path.name) == f"{NAME}: a.csv: delivered"
    (refresh,) = tick(workspace, instance, first.cursor).run_requests or []
    assert refresh.job_name == "refresh_windows"


def test_jobs_of_large_files_and_pulls_run_and_fail_with_the_cause(
    workspace: Workspace, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
):
    from quant_assets.defs.ingestion import automation as declared

    monkeypatch.setattr(declared, "current_workspace", lambda: workspace)
    put(workspace)
    config = {"ops": {INGEST_OP: {"config": {"venue": NAME, "file": "a.csv"}}}}
    assert declared.ingest_landing.execute_in_process(run_config=config, instance=instance).success
    assert workspace.sources(NAME).version() == 1
    config = {"ops": {PULL_OP: {"config": {"venue": NAME}}}}
    with pytest.raises(ConfigError, match="provider files cannot pull"):
        declared.pull_venue.execute_in_process(run_config=config, instance=instance)


def test_ingest_of_a_file_outside_the_landing_folder_is_not_possible(workspace: Workspace):
    secret = root(workspace) / "secret.csv"
    secret.parent.mkdir(parents=True, exist_ok=True)
    secret.write_text("x")
    with pytest.raises(FileNotFoundError):
        ingest_file(workspace, NAME, "../../secret.csv")


def test_cursor_of_another_version_begins_anew():
    assert Cursor.parse('{"unknown": 1}') == Cursor()
    assert Cursor.parse(None) == Cursor()


def test_venue_that_cannot_be_read_is_told_once_and_mended_in_silence(
    workspace: Workspace, instance: dg.DagsterInstance
):
    put(workspace)
    first = tick(workspace, instance)
    (receipt,) = (root(workspace) / "source" / NAME / "receipts").iterdir()
    good = receipt.read_bytes()
    receipt.write_text("{}")
    fresh = Workspace(workspace.settings)
    forgotten = Cursor.parse(first.cursor).model_copy(update={"venues": {}}).model_dump_json()
    second = tick(fresh, instance, forgotten)
    third = tick(Workspace(workspace.settings), instance, second.cursor)
    (alert,) = alert_files(workspace)
    assert (alert["stage"], alert["seen"], alert["ended_at"]) == ("new_data", 1, None)
    receipt.write_bytes(good)
    tick(Workspace(workspace.settings), instance, third.cursor)
    (alert,) = alert_files(workspace)
    assert alert["ended_at"] is not None


def test_full_disk_is_one_alert_and_ends_with_room(
    workspace: Workspace, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
):
    for free in (2, 1, 50):
        space = DiskSpace(Path("/x"), 100 * 10**9, free * 10**9)
        monkeypatch.setattr(automation, "disk_space", lambda _root, space=space: space)
        tick(workspace, instance)
        (alert,) = alert_files(workspace)
        assert (alert["seen"], alert["ended_at"] is None) == (1, free < 5)


class Broken:
    """A job whose one step fails, or not."""

    fails: ClassVar[bool] = True

    @staticmethod
    def job() -> dg.JobDefinition:
        @dg.op
        def reads_prices() -> None:
            if Broken.fails:
                raise DataError("file a.csv, row 3: close is negative")

        @dg.job(name="nightly")
        def nightly() -> None:
            reads_prices()

        return nightly


def test_failing_step_is_one_alert_over_six_attempts_and_ends_when_it_works(
    workspace: Workspace, instance: dg.DagsterInstance
):
    job = Broken.job()

    @dg.run_failure_sensor(name="failed")
    def failed(context: dg.RunFailureSensorContext) -> None:
        tell_failure(workspace, context)

    @dg.run_status_sensor(name="mended", run_status=dg.DagsterRunStatus.SUCCESS)
    def mended(context: dg.RunStatusSensorContext) -> None:
        tell_success(workspace, context)

    def attempt() -> dg.ExecuteInProcessResult:
        return job.execute_in_process(
            instance=instance, raise_on_error=False, tags={VENUE_TAG: NAME}
        )

    Broken.fails = True
    for _ in range(6):
        done = attempt()
        context = dg.build_run_status_sensor_context(
            "failed", done.get_run_failure_event(), instance, done.dagster_run
        ).for_run_failure()
        failed(context)
    (alert,) = alert_files(workspace)
    assert (alert["venue"], alert["stage"], alert["seen"]) == (NAME, "reads_prices", 6)
    assert alert["cause"] == "DataError: file a.csv, row 3: close is negative"
    Broken.fails = False
    done = attempt()
    success = dg.build_run_status_sensor_context(
        "mended", done.get_run_success_event(), instance, done.dagster_run
    )
    mended(success)
    (alert,) = alert_files(workspace)
    assert alert["ended_at"] is not None


def test_freshness_fails_on_old_bars_is_evaluated_once_per_state_and_alerts(
    tmp_path: Path, instance: dg.DagsterInstance
):
    workspace = workspace_of(tmp_path, LIMITS.replace("freshness", "freshness"))
    path = tmp_path / "venues" / f"{NAME}.yaml"
    path.write_text(path.read_text().replace(", last: 2024-12-31", ""))
    workspace = Workspace(workspace.settings)
    put(workspace)
    tick(workspace, instance)
    found = freshness_evaluation(workspace)
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert "too late: newest bar 2024-02-29 16:00Z" in str(found.metadata["ages"].value)
    first = watch_freshness(workspace, dg.build_sensor_context(instance=instance))
    assert isinstance(first, dg.SensorResult)
    (event,) = first.asset_events
    assert isinstance(event, dg.AssetCheckEvaluation)
    assert (event.asset_key, event.check_name, event.passed) == (
        dg.AssetKey("bars"),
        "freshness",
        False,
    )
    again = dg.build_sensor_context(instance=instance, cursor=first.cursor)
    assert isinstance(watch_freshness(workspace, again), dg.SkipReason)
    (alert,) = alert_files(workspace)
    assert alert["stage"] == "freshness"


def test_freshness_passes_where_no_venue_names_a_limit(workspace: Workspace):
    assert freshness_evaluation(workspace).passed


class Source:
    """What makes a provider a puller."""

    def wanted(self) -> list[tuple[str, str]]:
        return []

    def kept(self, dataset: str) -> None:
        del dataset

    def pull(self, request: PullRequest) -> Iterator[Page]:
        yield from ()


def test_schedule_pulls_live_venues_that_are_not_being_pulled(
    workspace: Workspace, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
):
    now = utc_now()
    assert pull_requests(workspace, instance, now) == [], "files cannot be pulled"
    kind = type(workspace.provider(NAME))
    monkeypatch.setattr(kind, "wanted", Source.wanted, raising=False)
    monkeypatch.setattr(kind, "kept", Source.kept, raising=False)
    monkeypatch.setattr(kind, "pull", Source.pull, raising=False)
    assert pull_requests(workspace, instance, now) == [], "its history has ended"
    today = now.date().isoformat()
    path = workspace.settings.venues_folder / f"{NAME}.yaml"
    path.write_text(path.read_text().replace("last: 2024-12-31", f"last: {today}"))
    live = Workspace(workspace.settings)
    (request,) = pull_requests(live, instance, now)
    assert request.tags[VENUE_TAG] == NAME
    add_run(instance, dg.DagsterRunStatus.STARTED, "pull")
    assert pull_requests(live, instance, now) == []


def test_definitions_declare_the_automation():
    from quant_assets.definitions import defs

    sensors = {sensor.name: sensor for sensor in defs.get_repository_def().sensor_defs}
    for name in ("new_data", "stale_venues", "failed_runs", "mended_runs"):
        assert sensors[name].default_status == dg.DefaultSensorStatus.RUNNING, name
    schedule = defs.get_repository_def().get_schedule_def("pull_live_venues")
    assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED
