"""Dagster's run storage, patient: a busy disk makes writers wait instead of failing.

The stock class gives up after 5 s with "database is locked". Where that hits the daemon between a
failed run and its retry, the retry is never launched and the backfill waits for it for ever.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import sqlalchemy as db
from dagster._core.storage.runs import SqliteRunStorage
from dagster._serdes import ConfigurableClassData

from quant_assets.orchestration.event_log import BUSY_TIMEOUT_SECONDS


class PatientSqliteRunStorage(SqliteRunStorage):
    """Named in `dagster.yaml` under `run_storage`; `history/runs.db` under DAGSTER_HOME."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """No options: one place, beside the rest of the instance."""
        return {}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> Self:
        """As Dagster asks; without DAGSTER_HOME (plain `dagster dev`) the default root is used."""
        del config_value
        home = Path(os.environ.get("DAGSTER_HOME") or "data/dagster")
        return cls.from_local(str((home / "history").absolute()), inst_data)

    @cached_property
    def _engine(self) -> db.Engine:
        return db.create_engine(
            self._conn_string,
            poolclass=db.pool.NullPool,
            connect_args={"timeout": BUSY_TIMEOUT_SECONDS},
        )

    @contextmanager
    def connect(self) -> Iterator[db.Connection]:
        """One transaction on a connection of its own, which waits for other writers."""
        with self._engine.connect() as connection, connection.begin():
            yield connection
