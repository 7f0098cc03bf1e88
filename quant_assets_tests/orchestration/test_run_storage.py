"""Dagster's database of runs: a busy one makes writers wait, and it lies where it always lay."""

import sqlite3
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as db
from dagster import DagsterEvent, DagsterRunStatus
from dagster._core.events import RunFailureReason
from dagster._core.storage.runs.schema import RunsTable, RunTagsTable
from dagster._core.storage.tags import WILL_RETRY_TAG

from quant_assets.core.config import Settings
from quant_assets.orchestration.instance import open_instance
from quant_assets.orchestration.run_storage import PatientSqliteRunStorage
from quant_assets.orchestration.workspace import Workspace

pytestmark = pytest.mark.slow
STOCK_PATIENCE_SECONDS = 5.0


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DAGSTER_HOME", "")
    with open_instance(Workspace(Settings(data_root=tmp_path))) as opened:
        yield opened


def test_template_gives_the_patient_storage_in_the_usual_place(
    instance: dg.DagsterInstance, tmp_path: Path
):
    storage = instance.run_storage
    assert isinstance(storage, PatientSqliteRunStorage)
    assert (tmp_path / "dagster" / "history" / "runs.db").is_file()


def test_write_beside_a_long_transaction_waits_and_succeeds(
    instance: dg.DagsterInstance, tmp_path: Path
):
    """The stock storage says "database is locked" after five seconds."""
    other = sqlite3.connect(
        tmp_path / "dagster" / "history" / "runs.db", isolation_level=None, check_same_thread=False
    )
    other.execute("BEGIN IMMEDIATE")

    def let_go():
        time.sleep(STOCK_PATIENCE_SECONDS + 1.0)
        other.execute("COMMIT")

    thread = threading.Thread(target=let_go)
    thread.start()
    began = time.monotonic()
    run = instance.create_run_for_job(_job(), run_id="6f7f0b52-0000-4000-8000-000000000000")
    assert time.monotonic() - began > STOCK_PATIENCE_SECONDS
    thread.join()
    other.close()
    assert instance.get_run_by_id(run.run_id) is not None


STEP = RunFailureReason.STEP_FAILURE


@pytest.mark.parametrize(
    ("tags", "reason", "told"),
    [
        ({}, STEP, "true"),
        ({}, RunFailureReason.UNKNOWN, "true"),
        ({"dagster/max_retries": "0"}, STEP, "false"),
        ({"dagster/retry_on_asset_or_op_failure": "false"}, STEP, "false"),
        ({"dagster/retry_on_asset_or_op_failure": "false"}, RunFailureReason.RUN_EXCEPTION, "true"),
    ],
)
def test_run_that_has_failed_says_at_once_whether_it_is_tried_again(
    instance: dg.DagsterInstance, tags, reason, told
):
    """Not even between two writes: the tag is there when the status changes."""
    run = instance.create_run_for_job(_job(), tags=tags, status=DagsterRunStatus.STARTED)
    seen = []
    storage, connect = instance.run_storage, instance.run_storage.connect

    @contextmanager
    def looking():
        with connect() as connection:
            yield connection
        with connect() as connection:
            query = db.select(RunsTable.c.status).where(RunsTable.c.run_id == run.run_id)
            status = connection.execute(query).scalar_one()
            query = db.select(RunTagsTable.c.value).where(
                RunTagsTable.c.run_id == run.run_id, RunTagsTable.c.key == WILL_RETRY_TAG
            )
            seen.append((status, connection.execute(query).scalar_one_or_none()))

    storage.connect = looking
    event = DagsterEvent.job_failure("job", "it broke", reason)
    storage.handle_run_event(run.run_id, event)
    assert {tag for status, tag in seen if status == "FAILURE"} == {told}
    assert ("FAILURE", None) not in seen


def test_run_whose_retries_are_used_up_is_not_tried_again(instance: dg.DagsterInstance):
    first = instance.create_run_for_job(_job(), status=DagsterRunStatus.FAILURE)
    limit = {"dagster/max_retries": "1", "dagster/root_run_id": first.run_id}
    again = instance.create_run_for_job(
        _job(),
        tags=limit,
        status=DagsterRunStatus.STARTED,
        parent_run_id=first.run_id,
        root_run_id=first.run_id,
    )
    event = DagsterEvent.job_failure("job", "it broke", STEP)
    instance.run_storage.handle_run_event(again.run_id, event)
    assert instance.get_run_by_id(again.run_id).tags[WILL_RETRY_TAG] == "false"


def _job() -> dg.JobDefinition:
    @dg.op
    def nothing():
        return None

    @dg.job
    def job():
        nothing()

    return job
