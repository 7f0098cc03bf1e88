"""Alerts of commands that nobody watches: the same ones as the sensors raise and end.

A full disk, on which no alert can be written, never hides what went wrong.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

from quant_assets.core.errors import CellLockedError, QuantAssetsError, StorageError
from quant_assets.operations.alerts import Event
from quant_assets.operations.intake.landing import Outcome, open_refusals
from quant_assets.operations.intake.pulls import Pull
from quant_assets.orchestration.automation import INGEST_JOB, INGEST_OP, PULL_JOB, PULL_OP, alerts
from quant_assets.orchestration.launch import LaunchResult
from quant_assets.orchestration.plan import Plan
from quant_assets.orchestration.workspace import Workspace

NEW_DATA, LANDING = "new_data", "landing"
# Stages that no run of the graph mends.
OTHERS = frozenset({LANDING, "freshness", "disk", PULL_OP, PULL_JOB, INGEST_OP, INGEST_JOB})


@contextmanager
def planning(workspace: Workspace, venue: str) -> Iterator[None]:
    """An alert of the error that ends the block, as when a sensor cannot look at a venue."""
    with _watched(workspace, venue, NEW_DATA, str):
        yield


@contextmanager
def pulling(workspace: Workspace, venue: str) -> Iterator[None]:
    """An alert of the error that ends the block, as of the step that pulls."""
    with _watched(workspace, venue, PULL_OP, _named):
        yield


@contextmanager
def _watched(
    workspace: Workspace, venue: str, stage: str, text: Callable[[QuantAssetsError], str]
) -> Iterator[None]:
    """That another process is writing is no alert: it will end."""
    try:
        yield
    except CellLockedError:
        raise
    except QuantAssetsError as error:
        _tell(workspace, Event(venue, stage, text(error)))
        raise


def _named(error: QuantAssetsError) -> str:
    return f"{type(error).__name__}: {error}"


def tell_run(workspace: Workspace, plan: Plan, result: LaunchResult, *, whole: bool) -> None:
    """One alert for the first cause of a failed run; what works again ends its own alerts.

    `whole`: every asset was planned, so whatever step of the graph failed before works now.
    """
    if result.failures:
        step, cause = result.failures[0]
        run = result.dagster_run_ids[-1] if result.dagster_run_ids else ""
        _tell(workspace, Event(plan.venue, step, cause, run))
        return
    steps = {NEW_DATA, *(name for cell in plan.cells for name in cell.spec.outs)}
    if whole:
        steps |= {alert.stage for alert in alerts(workspace).all().values()} - OTHERS
    _mend(workspace, plan.venue, steps)


def tell_taken_in(workspace: Workspace, venue: str, outcomes: Iterable[Outcome]) -> None:
    """One alert for each file that was refused; those that were mended end theirs."""
    for outcome in outcomes:
        if outcome.refusal:
            _tell(workspace, Event(venue, LANDING, outcome.refusal))
    still = open_refusals(workspace.sources(venue))
    _mend(workspace, venue, {LANDING}, but=still)


def tell_pulled(workspace: Workspace, venue: str, pulled: Pull) -> None:
    """One alert for all that failed, as that of a scheduled pull; none failed: it is ended."""
    if pulled.failures:
        cause = "DataError: " + "\n".join(pulled.failures)
        _tell(workspace, Event(venue, PULL_OP, cause))
    else:
        _mend(workspace, venue, {PULL_OP, PULL_JOB})


def _tell(workspace: Workspace, event: Event) -> None:
    with suppress(StorageError):
        alerts(workspace).raise_alert(event)


def _mend(workspace: Workspace, venue: str, stages: set[str], *, but: Iterable[str] = ()) -> None:
    with suppress(StorageError):
        alerts(workspace).end(venue, stages, but=but)
