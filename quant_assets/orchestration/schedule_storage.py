"""Dagster's storage of sensors and their ticks on a pooled SQLite connection.

The stock class opens and closes a connection per statement, and asks before most of them whether
two tables are there and one migration was done: a fifth of the processor time of an idle machine.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Self, cast

import sqlalchemy as db
from dagster._core.storage.schedules import SqliteScheduleStorage
from dagster._core.storage.sqlite import create_db_conn_string
from dagster._serdes import ConfigurableClassData

from quant_assets.orchestration.databases import dagster_home, opened, pooled_engine


class PooledSqliteScheduleStorage(SqliteScheduleStorage):
    """Named in `dagster.yaml` under `schedule_storage`; `schedules/` under DAGSTER_HOME."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """No options: one place, beside the rest of the instance."""
        return {}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> Self:
        """As Dagster asks."""
        del config_value
        folder = dagster_home() / "schedules"
        return opened(
            folder / "schedules.db",
            checked=lambda: cast("Self", cls.from_local(str(folder), inst_data)),
            plain=lambda: cls(create_db_conn_string(str(folder), "schedules"), inst_data),
        )

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
