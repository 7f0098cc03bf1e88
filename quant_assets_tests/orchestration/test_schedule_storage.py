"""Dagster's storage of sensors: what it says is what the stock one says, with fewer questions."""

import os
import shutil
import sqlite3
from contextlib import contextmanager

import dagster as dg
import pytest
import sqlalchemy as db
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    SensorInstigatorData,
    TickData,
    TickStatus,
)
from dagster._core.storage import sql
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from dagster._core.storage.schedules import SqliteScheduleStorage
from dagster._core.storage.schedules.migration import SCHEDULE_JOBS_SELECTOR_ID
from dagster._core.storage.schedules.sqlite import sqlite_schedule_storage

from quant_assets.core.config import Settings
from quant_assets.orchestration.instance import open_instance
from quant_assets.orchestration.run_storage import PatientSqliteRunStorage
from quant_assets.orchestration.schedule_storage import PooledSqliteScheduleStorage
from quant_assets.orchestration.workspace import Workspace

pytestmark = pytest.mark.slow
STORAGES = [PatientSqliteRunStorage, PooledSqliteScheduleStorage]
OLD, NEW = 1_600_000_000.0, 1_700_000_000.0
LOOKS = 20


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def ours(home):
    storage = PooledSqliteScheduleStorage.from_config_value(None, {})
    yield storage
    storage.dispose()


def origin(name):
    location = RegisteredCodeLocationOrigin("quant_assets")
    return RemoteInstigatorOrigin(RemoteRepositoryOrigin(location, "__repository__"), name)


def state(name, **data):
    status = InstigatorStatus.DECLARED_IN_CODE
    details = SensorInstigatorData(sensor_type=None, **data)
    return InstigatorState(origin(name), InstigatorType.SENSOR, status, details)


def tick(name, timestamp):
    return TickData(
        instigator_origin_id=origin(name).get_id(),
        instigator_name=name,
        instigator_type=InstigatorType.SENSOR,
        status=TickStatus.STARTED,
        timestamp=timestamp,
        selector_id=origin(name).get_selector().get_id(),
    )


def look(storage, name, moment):
    """What the daemon asks and writes at one look of a sensor."""
    selector = origin(name).get_selector().get_id()
    known = storage.get_instigator_state(origin(name).get_id(), selector)
    storage.update_instigator_state(known.with_data(SensorInstigatorData(cursor=f"{moment}")))
    made = storage.create_tick(tick(name, moment))
    ended = made.tick_data.with_status(TickStatus.SKIPPED, end_timestamp=moment)
    storage.update_tick(made._replace(tick_data=ended))
    storage.purge_ticks(origin(name).get_id(), selector, NEW, [TickStatus.SKIPPED])


def all_that_is_told(storage):
    selectors = [origin(name).get_selector().get_id() for name in ("first", "second")]
    return (
        sorted(storage.all_instigator_state(), key=lambda one: one.name),
        [storage.get_instigator_state("", selector) for selector in selectors],
        [storage.get_ticks("", selector) for selector in selectors],
        storage.get_batch_ticks(selectors, limit=2),
        storage.supports_batch_queries,
    )


@contextmanager
def statements():
    """The statements that are executed meanwhile, whatever the engine."""
    found = []

    def told(_connection, _cursor, statement, *_rest):
        found.append(statement)

    db.event.listen(db.Engine, "before_cursor_execute", told)
    try:
        yield found
    finally:
        db.event.remove(db.Engine, "before_cursor_execute", told)


def test_template_gives_the_pooled_storage_in_the_usual_place(tmp_path, monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", "")
    with open_instance(Workspace(Settings(data_root=tmp_path))) as instance:
        assert isinstance(instance.schedule_storage, PooledSqliteScheduleStorage)
        assert (tmp_path / "dagster" / "schedules" / "schedules.db").is_file()


def test_states_and_ticks_are_those_of_the_stock_storage(ours, tmp_path):
    stock = SqliteScheduleStorage.from_local(str(tmp_path / "stock"))
    for storage in (ours, stock):
        for name in ("first", "second"):
            storage.add_instigator_state(state(name, min_interval=5))
        storage.create_tick(tick("first", OLD))
        for moment in (OLD, OLD + 1.0, NEW + 1.0, NEW + 2.0, NEW + 3.0):
            look(storage, "first", moment)
        storage.create_tick(tick("second", NEW))
    told = all_that_is_told(ours)
    assert told == all_that_is_told(stock)
    assert [one.status for one in told[2][0]] == [*[TickStatus.SKIPPED] * 3, TickStatus.STARTED]
    for storage in (ours, stock):
        storage.delete_instigator_state(
            origin("first").get_id(), origin("first").get_selector().get_id()
        )
    assert all_that_is_told(ours) == all_that_is_told(stock)
    ours.wipe()
    assert ours.all_instigator_state() == []


def test_looks_neither_ask_for_tables_nor_open_connections(ours):
    ours.add_instigator_state(state("first"))
    look(ours, "first", NEW)
    opened = []
    db.event.listen(ours._engine, "connect", lambda *_: opened.append(1))
    with statements() as found:
        for second in range(LOOKS):
            look(ours, "first", NEW + second)
    assert opened == []
    assert found
    assert [text for text in found if "sqlite_master" in text or "secondary_indexes" in text] == []


def test_tables_that_come_later_are_found(tmp_path):
    storage = PooledSqliteScheduleStorage(f"sqlite:///{tmp_path / 'schedules.db'}")
    with storage.connect() as connection:
        assert not storage._has_instigators_table(connection)
    assert not storage.has_instigators_table()
    assert not storage.has_built_index(SCHEDULE_JOBS_SELECTOR_ID)
    SqliteScheduleStorage.from_local(str(tmp_path))
    with storage.connect() as connection:
        assert storage._has_instigators_table(connection)
    assert storage.has_instigators_table()
    assert storage.has_built_index(SCHEDULE_JOBS_SELECTOR_ID)
    storage.dispose()


def test_connections_wait_a_minute_for_another_writer(ours):
    """The stock ones wait five seconds; a look of a sensor that is lost leaves its tick open."""
    with ours.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 60_000


@pytest.mark.parametrize("storage", STORAGES)
def test_a_file_is_checked_once_and_again_when_it_was_replaced(home, monkeypatch, storage):
    checks = []

    def check(*arguments):
        checks.append(1)
        return sql.check_alembic_revision(*arguments)

    for module in (sqlite_run_storage, sqlite_schedule_storage):
        monkeypatch.setattr(module, "check_alembic_revision", check)
    for _ in range(3):
        storage.from_config_value(None, {})
    assert len(checks) == 1
    (file,) = home.glob("*/*.db")
    kept = file.rename(home / "kept")  # so that its inode is not used again
    again = storage.from_config_value(None, {})
    assert len(checks) == 2
    assert tables(file) == tables(kept)
    again.dispose()


@pytest.mark.parametrize("storage", STORAGES)
def test_an_empty_file_that_has_the_inode_of_a_checked_one_is_checked(home, storage):
    storage.from_config_value(None, {}).dispose()
    (file,) = home.glob("*/*.db")
    made = tables(file)
    for rest in file.parent.glob(f"{file.name}-*"):
        rest.unlink()
    file.write_bytes(b"")
    storage.from_config_value(None, {}).dispose()
    assert tables(file) == made


def test_a_home_that_was_deleted_and_made_again_is_the_one_that_is_read(home, ours):
    """A kept connection reads and writes the deleted file, for ever, and nobody else sees it."""
    ours.add_instigator_state(state("first"))
    shutil.rmtree(home / "schedules")
    with pytest.raises(db.exc.OperationalError, match="unable to open"):
        ours.add_instigator_state(state("lost"))
    other = SqliteScheduleStorage.from_local(str(home / "schedules"))
    other.add_instigator_state(state("second"))
    assert [one.name for one in ours.all_instigator_state()] == ["second"]
    ours.add_instigator_state(state("third"))
    assert sorted(one.name for one in other.all_instigator_state()) == ["second", "third"]


def test_another_process_opens_connections_of_its_own(ours, monkeypatch):
    """SQLite's locks are one process's: a connection that a fork took along has none."""
    ours.all_instigator_state()
    opened = []
    db.event.listen(ours._engine, "connect", lambda *_: opened.append(1))
    ours.all_instigator_state()
    assert opened == []
    monkeypatch.setattr(os, "getpid", lambda: 1)  # as after a fork
    ours.all_instigator_state()
    assert opened == [1]


def tables(file):
    with sqlite3.connect(file) as connection:
        found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return {name for (name,) in found}


def test_instances_of_one_process_share_the_check_and_see_each_other(tmp_path, monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", "")
    with open_instance(Workspace(Settings(data_root=tmp_path))) as first:
        first.add_instigator_state(state("first"))
        with dg.DagsterInstance.from_ref(first.get_ref()) as second:
            assert [one.name for one in second.all_instigator_state()] == ["first"]
