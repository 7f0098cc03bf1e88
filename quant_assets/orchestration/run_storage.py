"""Dagster's run storage, patient: a busy disk makes writers wait instead of failing.

The stock class gives up after 5 s with "database is locked". Where that hits the daemon between a
failed run and its retry, the retry is never launched and the backfill waits for it for ever. And
it says of a run that it has failed before it says that it is tried again.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property

import sqlalchemy as db
from dagster import DagsterEvent, DagsterRunStatus
from dagster._core.events import JobFailureData, RunFailureReason
from dagster._core.execution.retries import auto_reexecution_should_retry_run
from dagster._core.storage.runs import SqliteRunStorage
from dagster._core.storage.tags import WILL_RETRY_TAG

from quant_assets.orchestration.databases import BUSY_TIMEOUT_SECONDS, InHome


class PatientSqliteRunStorage(InHome, SqliteRunStorage):
    """Named in `dagster.yaml` under `run_storage`; `history/runs.db` under DAGSTER_HOME."""

    place = ("history", "runs")

    @cached_property
    def _engine(self) -> db.Engine:
        return db.create_engine(
            self._conn_string,
            poolclass=db.pool.NullPool,
            connect_args={"timeout": BUSY_TIMEOUT_SECONDS},
        )

    @cached_property
    def _open(self) -> threading.local:
        return threading.local()

    @contextmanager
    def connect(self) -> Iterator[db.Connection]:
        """One transaction on a connection of its own, which waits for other writers."""
        shared = getattr(self._open, "connection", None)
        if shared is not None:
            yield shared
            return
        with self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def _together(self) -> Iterator[None]:
        """What this thread asks and writes meanwhile is one transaction on one connection."""
        with self.connect() as connection:
            self._open.connection = connection
            try:
                yield
            finally:
                self._open.connection = None

    def handle_run_event(
        self, run_id: str, event: DagsterEvent, update_timestamp: datetime | None = None
    ) -> None:
        """What a run's event changes; a failed run is known to be tried again once it has failed.

        Stock Dagster writes that afterwards. A backfill that looks in between takes the run for its
        last one and ends, and what has ended is not tried again. Written before, it is read of a
        run that has not failed: the daemon tries that again at once, is refused, and gives it up.
        """
        with self._together():
            if again := self._retry_tags(run_id, event):
                self.add_run_tags(run_id, again)
            super().handle_run_event(run_id, event, update_timestamp)

    def _retry_tags(self, run_id: str, event: DagsterEvent) -> dict[str, str]:
        """The tag of a run that fails now; none of any other, and none where no run is retried."""
        if not (event.is_run_failure and self.has_instance and self._instance.run_retries_enabled):
            return {}
        run = self._instance.get_run_by_id(run_id)
        if run is None:
            return {}
        failed = run.with_status(DagsterRunStatus.FAILURE)
        again = auto_reexecution_should_retry_run(self._instance, failed, _reason(event))
        return {WILL_RETRY_TAG: str(again).lower()}


def _reason(event: DagsterEvent) -> RunFailureReason | None:
    """Why the run failed, where its event says so."""
    data = event.event_specific_data
    reason = data.failure_reason if isinstance(data, JobFailureData) else None
    return None if reason is RunFailureReason.UNKNOWN else reason
