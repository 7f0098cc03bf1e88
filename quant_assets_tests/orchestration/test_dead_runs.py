"""Runs whose process was killed are ended; those of living processes and of others are not."""

import platform

import dagster as dg
import pytest
from dagster import DagsterRunStatus as Status

from quant_assets.defs.ingestion import automation
from quant_assets.orchestration.dead_runs import (
    OWNER_TAG,
    WALKER_TAG,
    end_dead_runs,
    own_run,
    owner_tag,
)
from quant_assets.orchestration.resources import resources
from quant_assets_tests.fixtures import counter_location

pytestmark = pytest.mark.slow

NOBODY = f"{platform.node()}/4194303/1.00"  # beyond the process numbers of a machine of this size


@dg.op
def nothing() -> None:
    """An op that is never executed here."""


@dg.job
def job() -> None:
    """A job whose runs are only made."""
    nothing()


@pytest.mark.parametrize(
    ("tags", "parent", "status"),
    [
        ({OWNER_TAG: NOBODY}, None, Status.CANCELED),
        (owner_tag(), None, Status.STARTED),
        ({OWNER_TAG: "another-host/4194303/1.00"}, None, Status.STARTED),
        ({}, None, Status.STARTED),
        ({OWNER_TAG: NOBODY}, "a" * 36, Status.STARTED),
    ],
    ids=["killed", "alive", "other host", "launched by the daemon", "executed again"],
)
def test_end_dead_runs(tags: dict[str, str], parent: str | None, status: Status):
    with dg.DagsterInstance.ephemeral() as instance:
        run = instance.create_run_for_job(
            job, tags=tags, status=Status.STARTED, parent_run_id=parent, root_run_id=parent
        )
        assert end_dead_runs(instance) == (status == Status.CANCELED)
        found = instance.get_run_by_id(run.run_id)
        assert found is not None
        assert found.status == status


def started(instance: dg.DagsterInstance, **more) -> dg.DagsterRun:
    return instance.create_run_for_job(job, status=Status.STARTED, **more)


def status_of(instance: dg.DagsterInstance, run: dg.DagsterRun) -> Status:
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    return found.status


def test_end_dead_runs_fails_a_walked_run_whose_process_is_gone_so_that_it_is_retried():
    with dg.DagsterInstance.ephemeral() as instance:
        run = started(instance)
        instance.add_run_tags(run.run_id, {WALKER_TAG: f"{run.run_id}/{NOBODY}"})
        assert end_dead_runs(instance) == 1
        assert status_of(instance, run) == Status.FAILURE
        events = [one.dagster_event for one in instance.all_logs(run.run_id)]
        assert events[-1].event_type == dg.DagsterEventType.RUN_FAILURE
        assert "its cells are kept" in events[-1].message
        assert end_dead_runs(instance) == 0


def test_end_dead_runs_leaves_a_retried_run_with_the_tags_of_its_dead_parent():
    with dg.DagsterInstance.ephemeral() as instance:
        parent = started(instance)
        tags = {WALKER_TAG: f"{parent.run_id}/{NOBODY}"}
        child = started(instance, tags=tags, parent_run_id=parent.run_id, root_run_id=parent.run_id)
        assert end_dead_runs(instance) == 0
        assert status_of(instance, child) == Status.STARTED


def test_own_run_names_this_process_once():
    with dg.DagsterInstance.ephemeral() as instance:
        run = started(instance)
        own_run(instance, run.run_id)
        (mine,) = owner_tag().values()
        found = instance.get_run_by_id(run.run_id)
        assert found.tags[WALKER_TAG] == f"{run.run_id}/{mine}"
        assert end_dead_runs(instance) == 0
        instance.add_run_tags(run.run_id, {WALKER_TAG: f"{run.run_id}/{NOBODY}"})
        own_run(instance, run.run_id)
        assert end_dead_runs(instance) == 1


@pytest.mark.parametrize(
    ("of_job", "op", "config"),
    [
        (automation.ingest_landing, automation.INGEST_OP, {"venue": "none", "file": "x.csv"}),
        (automation.pull_venue, automation.PULL_OP, {"venue": "none"}),
    ],
    ids=["ingest", "pull"],
)
def test_jobs_tag_the_run_that_they_execute(of_job: dg.JobDefinition, op: str, config: dict):
    with dg.DagsterInstance.ephemeral() as instance:
        run = of_job.execute_in_process(
            run_config={"ops": {op: {"config": config}}}, instance=instance, raise_on_error=False
        )
        (mine,) = owner_tag().values()
        found = instance.get_run_by_id(run.run_id)
        assert found.tags[WALKER_TAG] == f"{run.run_id}/{mine}"


def test_walk_tags_the_run_that_it_executes():
    with dg.DagsterInstance.ephemeral() as instance:
        run = dg.materialize(
            [counter_location.ticks],
            instance=instance,
            partition_key="sp500_demo|1995-01-01",
            resources=resources(),
        )
        (mine,) = owner_tag().values()
        found = instance.get_run_by_id(run.run_id)
        assert found.tags[WALKER_TAG] == f"{run.run_id}/{mine}"
