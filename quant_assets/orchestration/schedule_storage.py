"""Dagster's storage of sensors and their ticks on a pooled SQLite connection.

The stock class opens and closes a connection per statement, and asks before most of them whether
two tables are there and one migration was done: a fifth of the processor time of an idle machine.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

import sqlalchemy as db
from dagster._core.storage.schedules import SqliteScheduleStorage

from quant_assets.orchestration.databases import InHome, pooled_engine


class PooledSqliteScheduleStorage(InHome, SqliteScheduleStorage):
    """Named in `dagster.yaml` under `schedule_storage`; `schedules/` under DAGSTER_HOME."""

    place = ("schedules", "schedules")

    @cached_property
    def _engine(self) -> db.Engine:
        return pooled_engine(self._conn_string, pool_size=2, max_overflow=-1)

    @contextmanager
    def connect(self) -> Iterator[db.Connection]:
        """One transaction, which waits for other writers."""
        with self._engine.connect() as connection, connection.begin():
            yield connection

    @cached_property
    def _there(self) -> set[str]:
        """Tables and migrations that were found: they do not go away."""
        return set()

    def has_instigators_table(self) -> bool:
        """Whether the table is there; asked of the database until it is."""
        if "instigators" not in self._there and super().has_instigators_table():
            self._there.add("instigators")
        return "instigators" in self._there

    def _has_instigators_table(self, conn: db.Connection) -> bool:
        if "instigators" not in self._there and super()._has_instigators_table(conn):
            self._there.add("instigators")
        return "instigators" in self._there

    def has_built_index(self, migration_name: str) -> bool:
        """Whether a migration of the data was done; asked of the database until it was."""
        key = f"migration {migration_name}"
        if key not in self._there and super().has_built_index(migration_name):
            self._there.add(key)
        return key in self._there

    def dispose(self) -> None:
        """Close the pool."""
        if "_engine" in self.__dict__:
            self._engine.dispose()
        super().dispose()
