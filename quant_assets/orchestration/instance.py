"""Dagster's instance of one data root."""

import os
from importlib.resources import files
from pathlib import Path

import dagster as dg

from quant_assets.orchestration.workspace import Workspace
from quant_assets.storage.writer import write_atomically

# Batching stores many events in one go, and one planned event per asset and run is enough:
# together they cut a range run's overhead several times (docs/dagster.md).
ENVIRONMENT = {
    "DAGSTER_EVENT_BATCH_SIZE": "1000",
    "DAGSTER_EMIT_PARTITION_SUBSET_IN_PLANNED_EVENTS": "true",
    "DAGSTER_DISABLE_TELEMETRY": "1",
}


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


def open_instance(workspace: Workspace) -> dg.DagsterInstance:
    """The instance of this data root; close it with `with`."""
    prepare_home(workspace)
    return dg.DagsterInstance.get()
