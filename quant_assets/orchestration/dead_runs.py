"""Runs whose process was killed: Dagster would show and count them as running for ever.

Two of them would fill `max_concurrent_runs`, and no backfill from the UI would start any more.
Headless runs are canceled; runs that the daemon or the UI launched have failed, so that Dagster's
run retries mend them.
"""

import platform

import dagster as dg
import psutil
from dagster import DagsterRunStatus as Status

OWNER_TAG = "quant_assets/process"
WALKER_TAG = "quant_assets/walker"
UNFINISHED = [Status.NOT_STARTED, Status.STARTING, Status.STARTED, Status.CANCELING]
_OWNED: set[str] = set()
_CLOCK_SECONDS = 10.0  # two readings of one process's start may differ by a stepped clock


def owner_tag() -> dict[str, str]:
    """Tag of a run that this process executes itself: host, process number, start."""
    return {OWNER_TAG: _me()}


def own_run(instance: dg.DagsterInstance, run_id: str) -> None:
    """Tag a run that was launched elsewhere as executed by this process; once per run.

    The tag names the run, because a retried run has the tags of its parent.
    """
    if run_id not in _OWNED:
        instance.add_run_tags(run_id, {WALKER_TAG: f"{run_id}/{_me()}"})
        _OWNED.add(run_id)


def end_dead_runs(instance: dg.DagsterInstance) -> int:
    """End unfinished runs of this host whose process is gone: canceled if headless, else failed."""
    ended = 0
    for run in instance.get_runs(dg.RunsFilter(statuses=UNFINISHED)):
        walker_of, _, walker = run.tags.get(WALKER_TAG, "").partition("/")
        is_walked = walker_of == run.run_id
        # one that was executed again from the UI has the tag of its parent's owner
        owner = run.tags.get(OWNER_TAG) if run.parent_run_id is None else None
        process = walker if is_walked else owner
        if process is None or not _is_gone(process) or not _is_unfinished(instance, run):
            continue
        report = instance.report_run_failed if is_walked else instance.report_run_canceled
        report(run, f"process {process} was killed; its cells are kept")
        ended += 1
    return ended


def _me() -> str:
    me = psutil.Process()
    return f"{platform.node()}/{me.pid}/{me.create_time():.2f}"


def _is_unfinished(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Whether it is still unfinished: its process may have ended, and said so, a moment ago."""
    now = instance.get_run_by_id(run.run_id)
    return now is not None and now.status in UNFINISHED


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
