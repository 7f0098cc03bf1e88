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
from dagster._core.storage.runs import SqliteRunStorage
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
    """Another connection sees either nothing of it, or that the run has failed and the tag."""
    run = instance.create_run_for_job(_job(), tags=tags, status=DagsterRunStatus.STARTED)
    with others_look(instance, run.run_id) as seen:
        event = DagsterEvent.job_failure("job", "it broke", reason)
        instance.run_storage.handle_run_event(run.run_id, event)
    assert set(seen) == {("STARTED", None), ("FAILURE", told)}


def test_run_whose_failure_could_not_be_written_is_not_tried_again(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
):
    run = instance.create_run_for_job(_job(), status=DagsterRunStatus.STARTED)

    def fails(*_arguments):
        raise OSError("the process dies here")

    monkeypatch.setattr(SqliteRunStorage, "handle_run_event", fails)
    with pytest.raises(OSError, match="dies here"):
        instance.run_storage.handle_run_event(
            run.run_id, DagsterEvent.job_failure("job", "it broke", STEP)
        )
    monkeypatch.undo()
    instance.report_run_canceled(run)
    found = instance.get_run_by_id(run.run_id)
    assert found.status is DagsterRunStatus.CANCELED
    assert WILL_RETRY_TAG not in found.tags


@contextmanager
def others_look(instance: dg.DagsterInstance, run_id: str):
    """Status and tag as another connection sees them, before each statement and after the last."""
    (path,) = Path(instance.root_directory).glob("history/runs.db")
    other = sqlite3.connect(path)
    query = (
        "SELECT status, (SELECT value FROM run_tags WHERE run_id = runs.run_id AND key = ?) "
        "FROM runs WHERE run_id = ?"
    )
    seen = []

    def look(*_arguments):
        seen.extend(other.execute(query, (WILL_RETRY_TAG, run_id)))

    db.event.listen(db.Engine, "before_cursor_execute", look)
    try:
        yield seen
    finally:
        db.event.remove(db.Engine, "before_cursor_execute", look)
        look()
        other.close()


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
