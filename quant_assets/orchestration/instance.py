"""Dagster's instance of one data root."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import dagster as dg
from sqlalchemy.exc import DBAPIError

from quant_assets.core.errors import StorageError
from quant_assets.orchestration.workspace import Workspace
from quant_assets.storage.locks import writer_lock
from quant_assets.storage.writer import write_atomically

# Batching stores many events in one go, and one planned event per asset and run is enough:
# together they cut a range run's overhead several times (docs/dagster.md).
ENVIRONMENT = {
    "DAGSTER_EVENT_BATCH_SIZE": "1000",
    "DAGSTER_EMIT_PARTITION_SUBSET_IN_PLANNED_EVENTS": "true",
    "DAGSTER_DISABLE_TELEMETRY": "1",
}

# Headless runs tell everything on the terminal. Capturing their output would start four more
# processes per run, and each of them would print a traceback of its own on Ctrl-C.
HEADLESS = {
    "compute_logs": {
        "module": "dagster._core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
    }
}

OPEN_SECONDS = 60.0


def prepare_home(workspace: Workspace) -> Path:
    """Write `dagster.yaml` into `<data root>/dagster` and point DAGSTER_HOME there."""
    workspace.record_grid()
    home = workspace.store.layout.dagster_home
    template = files("quant_assets.orchestration").joinpath("dagster.yaml").read_bytes()
    path = home / "dagster.yaml"
    if not path.exists() or path.read_bytes() != template:
        write_atomically(path, template)
    os.environ["DAGSTER_HOME"] = str(home)
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    return home


@contextmanager
def open_instance(workspace: Workspace) -> Iterator[dg.DagsterInstance]:
    """The instance of this data root; a database that refuses work is a `StorageError`.

    On a full disk it is mostly the event log that fails first: it grows with every cell. Opening
    is done by one process at a time: two that make the same database damage it for good.
    """
    home = prepare_home(workspace)
    try:
        with writer_lock(home / "open.lock", what="Dagster's database", wait_seconds=OPEN_SECONDS):
            instance = dg.DagsterInstance.local_temp(str(home), overrides=HEADLESS)
        with instance:
            yield instance
    except DBAPIError as error:
        raise StorageError(
            f"cannot use Dagster's database in {home}: {error.orig}. The disk is full, a quota or "
            "file-size limit is reached, or the folder is read-only: free space, or choose "
            "another root with QUANT_ASSETS_DATA_ROOT; then run again. Finished cells are kept."
        ) from error
