"""Dagster's database of runs: a busy one makes writers wait, and it lies where it always lay."""

import sqlite3
import threading
import time
from pathlib import Path

import dagster as dg
import pytest

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


def _job() -> dg.JobDefinition:
    @dg.op
    def nothing():
        return None

    @dg.job
    def job():
        nothing()

    return job
