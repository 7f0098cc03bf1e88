"""Headless runs whose process was killed: Dagster would show and count them as running for ever.

Two of them would fill `max_concurrent_runs`, and no backfill from the UI would start any more.
"""

import platform

import dagster as dg
import psutil
from dagster import DagsterRunStatus as Status

OWNER_TAG = "quant_assets/process"
UNFINISHED = [Status.NOT_STARTED, Status.STARTING, Status.STARTED, Status.CANCELING]
_CLOCK_SECONDS = 10.0  # two readings of one process's start may differ by a stepped clock


def owner_tag() -> dict[str, str]:
    """Tag of a run that this process executes itself: host, process number, start."""
    me = psutil.Process()
    return {OWNER_TAG: f"{platform.node()}/{me.pid}/{me.create_time():.2f}"}


def end_dead_runs(instance: dg.DagsterInstance) -> int:
    """Mark unfinished headless runs of this host as canceled when their process is gone."""
    ended = 0
    for run in instance.get_runs(dg.RunsFilter(statuses=UNFINISHED)):
        owner = run.tags.get(OWNER_TAG)
        if run.parent_run_id is not None:
            continue  # executed again from the UI, with the tags of its parent
        if owner is not None and _is_gone(owner):
            instance.report_run_canceled(run, f"process {owner} was killed; its cells are kept")
            ended += 1
    return ended


def _is_gone(owner: str) -> bool:
    host, pid, began = owner.rsplit("/", 2)
    if host != platform.node():
        return False
    try:
        return abs(psutil.Process(int(pid)).create_time() - float(began)) > _CLOCK_SECONDS
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False
