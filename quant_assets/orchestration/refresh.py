"""What depends on new data becomes fresh: which run a venue needs next, one at a time.

After a delivery the pending windows go out as one range run, then the assets that span the venue
or all venues. The manifests say what is pending; the runs that were asked for are found by tags.
"""

from dataclasses import dataclass
from typing import Literal

import dagster as dg
from dagster import DagsterRunStatus as Status
from pydantic import BaseModel, ConfigDict

from quant_assets.core.hashing import digest
from quant_assets.orchestration.graph import ordered_specs
from quant_assets.orchestration.partitions import VENUE_TAG
from quant_assets.orchestration.plan import make_plan
from quant_assets.orchestration.workspace import Workspace

STAGE_TAG = "quant_assets/refresh"
DELIVERIES_TAG = "quant_assets/deliveries"  # how many the venue had when the run was asked for
WINDOWS_JOB, VENUE_JOB = "refresh_windows", "refresh_venue"
RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
ACTIVE = [Status.QUEUED, Status.STARTING, Status.STARTED, Status.CANCELING]

Stage = Literal["fresh", "windows", "venue"]


class VenueState(BaseModel):
    """Number of deliveries that were seen, and which run is awaited."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = 0
    stage: Stage = "fresh"


@dataclass(frozen=True)
class Step:
    """The venue's state after one look, and the run to ask for, if any."""

    state: VenueState
    request: dg.RunRequest | None = None
    note: str = ""


def is_busy(instance: dg.DagsterInstance, venue: str, stage: str | None = None) -> bool:
    """True when a run of the venue (of one stage) waits or works."""
    tags = {VENUE_TAG: venue} | ({STAGE_TAG: stage} if stage else {})
    return bool(instance.get_runs(dg.RunsFilter(tags=tags, statuses=ACTIVE), limit=1))


def next_step(
    workspace: Workspace, instance: dg.DagsterInstance, venue: str, state: VenueState
) -> Step:
    """What to ask for now. Nothing while a run of the venue is active, or after one that failed.

    A failed run is retried by the daemon; when the retry succeeds, the next look goes on.
    """
    version = workspace.sources(venue).version()
    if version == state.version and state.stage == "fresh":
        return Step(state)
    if is_busy(instance, venue):
        return Step(state, note=f"{venue}: a run is active")
    newest = _newest_status(instance, venue, state)
    if version != state.version or newest is None:
        return _begin(workspace, venue, version)
    if newest != Status.SUCCESS:
        return Step(state, note=f"{venue}: waiting for a run of {state.stage} that succeeds")
    if state.stage == "windows":
        return _wide(workspace, venue, version)
    return Step(VenueState(version=version), note=f"{venue}: fresh")


def _begin(workspace: Workspace, venue: str, version: int) -> Step:
    """One range run from the first to the last pending window."""
    plan = make_plan(workspace, venue)
    windows = plan.windows()
    if windows is None:
        return _wide(workspace, venue, version)
    first, last = windows
    pending = digest([(cell.spec.main, cell.window) for cell in plan.pending])[:16]
    request = dg.RunRequest(
        run_key=f"{venue}|{version}|windows|{first}|{last}|{pending}",
        job_name=WINDOWS_JOB,
        tags={
            RANGE_START: f"{venue}|{first}",
            RANGE_END: f"{venue}|{last}",
            **_tags(venue, VenueState(version=version, stage="windows")),
        },
    )
    state = VenueState(version=version, stage="windows")
    return Step(state, request, f"{venue}: {len(plan.pending)} cells, {first}...{last}")


def _wide(workspace: Workspace, venue: str, version: int) -> Step:
    """The assets that span the venue, when one of them is pending."""
    wide = [spec.main for spec in ordered_specs() if spec.kind == "venue"]
    plan = make_plan(workspace, venue, assets=wide)
    if not workspace.span(venue).has_data or not plan.pending:
        return Step(VenueState(version=version), note=f"{venue}: nothing changed")
    state = VenueState(version=version, stage="venue")
    request = dg.RunRequest(
        run_key=f"{venue}|{version}|venue",
        job_name=VENUE_JOB,
        partition_key=venue,
        tags=_tags(venue, state),
    )
    return Step(state, request, f"{venue}: {', '.join(wide)}")


def _tags(venue: str, state: VenueState) -> dict[str, str]:
    return {VENUE_TAG: venue, STAGE_TAG: state.stage, DELIVERIES_TAG: str(state.version)}


def _newest_status(instance: dg.DagsterInstance, venue: str, state: VenueState) -> Status | None:
    """Status of the newest run that was asked for in this state, its retries included."""
    runs = instance.get_runs(dg.RunsFilter(tags=_tags(venue, state)), limit=1)
    return runs[0].status if runs else None
