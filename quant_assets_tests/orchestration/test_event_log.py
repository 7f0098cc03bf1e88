"""The event log shows windows in time order, in whatever order Dagster made the events."""

import logging
import time
from datetime import timedelta
from functools import partial
from itertools import pairwise
from types import SimpleNamespace

import dagster as dg
import pytest
from dagster._core.events import RunFailureReason
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage
from dagster._daemon.auto_run_reexecution.auto_run_reexecution import filter_runs_to_should_retry
from dagster._daemon.auto_run_reexecution.event_log_consumer import EventLogConsumerDaemon

from quant_assets.core.clock import utc_now
from quant_assets.core.config import Settings
from quant_assets.orchestration import event_log
from quant_assets.orchestration.event_log import (
    SETTLING_SECONDS,
    PooledSqliteEventLogStorage,
    in_window_order,
)
from quant_assets.orchestration.instance import open_instance
from quant_assets.orchestration.workspace import Workspace

pytestmark = pytest.mark.slow
WINDOWS = [f"v|2024-{month:02d}-01" for month in range(1, 13)]


def entries(partitions, asset="bars"):
    """What a run of a range logs, one second apart."""

    @dg.asset(name=asset, partitions_def=dg.StaticPartitionsDefinition(sorted(WINDOWS)))
    def made():
        return None

    found = []
    with dg.DagsterInstance.ephemeral() as instance:
        for partition in partitions:
            dg.materialize([made], instance=instance, partition_key=partition)
            event = instance.fetch_materializations(dg.AssetKey(asset), limit=1).records[0]
            found.append(event.event_log_entry)
    return found


@pytest.fixture(scope="module")
def shuffled():
    return entries([WINDOWS[3], WINDOWS[0], WINDOWS[2], WINDOWS[1]])


def partitions(found):
    return [entry.get_dagster_event().partition for entry in found]


def test_windows_come_in_time_order_a_millisecond_apart(shuffled):
    ordered = in_window_order(shuffled)
    assert partitions(ordered) == WINDOWS[:4]
    times = [entry.timestamp for entry in ordered]
    assert times[-1] == max(entry.timestamp for entry in shuffled)
    steps = [after - before for before, after in pairwise(times)]
    assert steps == pytest.approx([1e-3] * 3, abs=1e-5)
    assert all(isinstance(entry, EventLogEntry) for entry in ordered)


def test_other_events_keep_their_place(shuffled):
    message = shuffled[0]._replace(dagster_event=None, user_message="hello")
    mixed = [message, *shuffled[:2], message, *shuffled[2:], message]
    found = in_window_order(mixed)
    assert [entry.dagster_event is None for entry in found] == [
        entry.dagster_event is None for entry in mixed
    ]
    assert partitions(found[1:3]) == [WINDOWS[0], WINDOWS[3]]
    assert partitions(found[4:6]) == [WINDOWS[1], WINDOWS[2]]


def test_assets_are_not_mixed(shuffled):
    other = entries([WINDOWS[5], WINDOWS[4]], asset="quality")
    found = in_window_order([*shuffled, *other])
    assert partitions(found) == [*WINDOWS[:4], WINDOWS[4], WINDOWS[5]]


def test_nothing_is_nothing():
    assert in_window_order([]) == []


def test_batch_leaves_the_same_assets_and_events_as_one_event_after_the_other(tmp_path):
    keys = [dg.AssetKey("bars"), dg.AssetKey("quality")]
    logs = [*all_logs(WINDOWS[:3], "bars"), *all_logs(WINDOWS[:2], "quality")]
    logs += all_logs(WINDOWS[2:4], "bars")
    ours = PooledSqliteEventLogStorage(str(tmp_path / "ours"))
    plain = ConsolidatedSqliteEventLogStorage(str(tmp_path / "plain"))
    for begin in range(0, len(logs), 7):
        ours.store_event_batch(logs[begin : begin + 7])
        for entry in in_window_order(logs[begin : begin + 7]):
            plain.store_event(entry)
    assert len(ours.get_asset_records(keys)) == 2
    assert sorted(map(told, ours.get_asset_records(keys))) == sorted(
        map(told, plain.get_asset_records(keys))
    )
    for run_id in dict.fromkeys(entry.run_id for entry in logs):
        assert ours.get_logs_for_run(run_id) == plain.get_logs_for_run(run_id)
    ours.dispose()
    plain.dispose()


def all_logs(partitions, asset):
    """Everything that a run of each partition logs."""

    @dg.asset(name=asset, partitions_def=dg.StaticPartitionsDefinition(sorted(WINDOWS)))
    def made():
        yield dg.AssetObservation(asset, metadata={"n": 1})
        yield dg.Output(None)

    with dg.DagsterInstance.ephemeral() as instance:
        runs = [
            dg.materialize([made], instance=instance, partition_key=partition).run_id
            for partition in partitions
        ]
        return [entry for run_id in runs for entry in instance.all_logs(run_id)]


def told(record):
    entry = record.asset_entry
    return (
        entry.asset_key.to_string(),
        entry.last_run_id,
        repr(entry.last_materialization_record.event_log_entry),
    )


def look_for_retries(instance):
    """Runs that Dagster's daemon finds to be tried again, at one look at the new events."""
    daemon, found = EventLogConsumerDaemon(), []

    def handler(_context, records, _logger):
        runs = [record.dagster_run for record in records]
        found.extend(run.run_id for run in filter_runs_to_should_retry(runs, instance))
        yield

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EventLogConsumerDaemon, "handle_updated_runs_fns", [handler])
        list(daemon.run_iteration(SimpleNamespace(instance=instance)))
    return found


@pytest.fixture
def failing(tmp_path, monkeypatch):
    """An instance, a run whose failure is in the log but not yet in the database of runs."""
    monkeypatch.setenv("DAGSTER_HOME", "")
    with open_instance(Workspace(Settings(data_root=tmp_path))) as instance:
        look_for_retries(instance)
        run = instance.create_run_for_job(
            dg.JobDefinition(name="job", graph_def=dg.GraphDefinition(name="job")),
            status=dg.DagsterRunStatus.STARTED,
        )
        event = dg.DagsterEvent.job_failure("job", "it broke", RunFailureReason.STEP_FAILURE)
        now = time.time()
        entry = EventLogEntry(
            error_info=None,
            level=logging.ERROR,
            user_message="it broke",
            run_id=run.run_id,
            timestamp=now,
            job_name="job",
            dagster_event=event,
        )
        instance.event_log_storage.store_event(entry)
        yield instance, run.run_id, event


def test_failure_that_the_daemon_meets_before_the_run_has_changed_is_tried_again(failing):
    """The stock log tells it once, and then the run is not tried again."""
    instance, run_id, event = failing
    assert look_for_retries(instance) == []
    instance.run_storage.handle_run_event(run_id, event)
    assert look_for_retries(instance) == [run_id]
    assert look_for_retries(instance) == []


def test_failure_whose_run_never_changes_does_not_hold_back_others(failing, monkeypatch):
    instance, run_id, _event = failing
    later = utc_now() + timedelta(seconds=SETTLING_SECONDS + 1.0)
    stored = partial(instance.event_log_storage.get_logs_for_all_runs_by_log_id, -1)
    assert run_id not in {entry.run_id for entry in stored().values()}
    monkeypatch.setattr(event_log, "utc_now", lambda: later)
    assert run_id in {entry.run_id for entry in stored().values()}
