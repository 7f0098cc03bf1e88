"""Headless runs: the same assets and lineage as in the UI, without waiting for the daemon."""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import dagster as dg

from quant_assets.core import errors
from quant_assets.orchestration.announcing import PROGRESS, Progress
from quant_assets.orchestration.cells import IO_MANAGER, CellSpec
from quant_assets.orchestration.dead_runs import end_dead_runs, owner_tag
from quant_assets.orchestration.graph import ordered_specs, window_assets
from quant_assets.orchestration.instance import open_instance
from quant_assets.orchestration.io_managers import SnapshotIOManager
from quant_assets.orchestration.mapping_memo import mapped_once
from quant_assets.orchestration.partitions import VENUE_TAG
from quant_assets.orchestration.plan import Plan
from quant_assets.orchestration.walk import FORCE, LAUNCH
from quant_assets.orchestration.workspace import Workspace

# The terminal shows progress and first causes; the full story is in the event log.
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
# Dagster turns a Ctrl-C inside a step into a failure of that step with this error.
INTERRUPTED = "DagsterExecutionInterruptedError"
LAUNCH_TAG = "quant_assets/launch"  # for readers of the UI: the folder under `runs/`
COLLECT_AFTER = 50_000  # new containers; Python's own 700 makes a run look for cycles all the time
_OWN_ERRORS = {name for name in vars(errors) if name.endswith("Error")}


@dataclass
class LaunchResult:
    """What happened to one venue: Dagster runs, and failures with their first cause."""

    venue: str
    dagster_run_ids: list[str] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)

    @property
    def success(self) -> bool:
        """True when every run succeeded."""
        return not self.failures


def launch(
    workspace: Workspace,
    plan: Plan,
    result: LaunchResult,
    *,
    run_id: str,
    progress: Progress | None = None,
    force: bool = False,
) -> None:
    """Run what `plan` says is pending: first the windows in one range run, then venue-wide assets.

    `result` is filled as runs end, so that an interrupted caller knows what was launched. `run_id`
    names the launch, whose folder gets the telemetry of its runs. `force` computes every cell
    again, even where its fingerprint is unchanged.
    """
    names = {cell.spec.main for cell in plan.pending}
    specs = [spec for spec in ordered_specs() if spec.main in names]
    tokens = PROGRESS.set(progress), FORCE.set(force), LAUNCH.set(run_id)
    mine = {LAUNCH_TAG: run_id, VENUE_TAG: plan.venue, **owner_tag()}
    try:
        with open_instance(workspace) as instance:
            end_dead_runs(instance)
            windows = plan.windows()
            if windows is not None:
                first, last = windows
                tags = {
                    "dagster/asset_partition_range_start": f"{plan.venue}|{first}",
                    "dagster/asset_partition_range_end": f"{plan.venue}|{last}",
                    **mine,
                }
                _run([s for s in specs if s.kind != "venue"], instance, result, tags=tags)
            wide = [spec for spec in specs if spec.kind == "venue"]
            if wide and result.success:
                _run(wide, instance, result, partition_key=plan.venue, tags=mine)
    finally:
        PROGRESS.reset(tokens[0])
        FORCE.reset(tokens[1])
        LAUNCH.reset(tokens[2])


def _run(
    specs: Sequence[CellSpec],
    instance: dg.DagsterInstance,
    result: LaunchResult,
    **where: object,
) -> None:
    names = {out for spec in specs for out in spec.outs}
    with mapped_once(), _rare_collections():
        run = dg.materialize(
            window_assets(),
            selection=sorted(names),
            instance=instance,
            resources={IO_MANAGER: SnapshotIOManager()},
            raise_on_error=False,
            run_config=QUIET,
            **where,
        )
    result.dagster_run_ids.append(run.run_id)
    failed = _failures(run)
    if any(event.step_failure_data.error.cls_name == INTERRUPTED for event in failed):
        raise KeyboardInterrupt
    result.failures += [(event.step_key or "run", first_cause(event)) for event in failed]
    if not run.success and not result.failures:
        result.failures.append(("run", f"Dagster run {run.run_id} did not succeed"))


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Spare the million objects of graph and libraries, which stay, from being searched for cycles.

    A tenth of a run's time otherwise. Frames are freed by their last reference, as ever. Python
    can only release all that is spared at once: what the process spared before, stays spared.
    """
    before = gc.get_threshold()
    ours = gc.get_freeze_count() == 0
    if ours:
        gc.freeze()
    gc.set_threshold(COLLECT_AFTER, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        if ours:
            gc.unfreeze()


def _failures(run: dg.ExecuteInProcessResult) -> list[dg.DagsterEvent]:
    return [event for event in run.all_node_events if event.is_step_failure]


def first_cause(event: dg.DagsterEvent) -> str:
    """What a user has to act upon: our own error if there is one, else the innermost."""
    error = event.step_failure_data.error
    while error is not None and error.cause is not None and error.cls_name not in _OWN_ERRORS:
        error = error.cause
    message = error.message if error is not None else "unknown cause"
    return message.strip().removeprefix(f"{errors.__name__}.")
