"""What the sensors, the schedule and their jobs do; `defs/ingestion/automation.py` declares them.

One look at the landing folders takes in small files itself, asks for a run per large file, and then
asks for what the deliveries made stale, so that a dropped file waits for one tick and not for two.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import dagster as dg
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from quant_assets.adapters.pulling.base import Puller
from quant_assets.adapters.stored import StoredProvider
from quant_assets.core.clock import utc_now
from quant_assets.core.errors import CellLockedError, DataError, QuantAssetsError, StorageError
from quant_assets.operations.alerts import Alerts, Event, alerts_of
from quant_assets.operations.disk_space import disk_space
from quant_assets.operations.freshness import Age, advice, age_of
from quant_assets.operations.intake.landing import (
    REST_SECONDS,
    landing_folder,
    open_refusals,
    take_in,
)
from quant_assets.operations.intake.pulls import Pull, pull_venue
from quant_assets.operations.intake.watch import LOOK_SECONDS, Look, Seen, look
from quant_assets.orchestration.dead_runs import end_dead_runs
from quant_assets.orchestration.partitions import VENUE_TAG
from quant_assets.orchestration.refresh import (
    RANGE_START,
    STAGE_TAG,
    VenueState,
    is_busy,
    next_step,
)
from quant_assets.orchestration.workspace import Workspace

INGEST_JOB, PULL_JOB = "ingest_landing", "pull_venue"
INGEST_OP, PULL_OP = "ingest_landing_file", "pull_missing_ranges"


class Cursor(BaseModel):
    """What the looks remember: files that stay in the landing folders, and states of venues."""

    model_config = ConfigDict(extra="forbid")

    files: dict[str, dict[str, Seen]] = Field(default_factory=dict)
    venues: dict[str, VenueState] = Field(default_factory=dict)
    problems: dict[str, str] = Field(default_factory=dict)

    @classmethod
    def parse(cls, text: str | None) -> "Cursor":
        """The cursor of the look before; one of another version begins anew, which is harmless."""
        try:
            return cls.model_validate_json(text or "{}")
        except ValidationError:
            return cls()


def stored_names(workspace: Workspace) -> list[str]:
    """Venues that live on deliveries."""
    return [n for n in workspace.venues if isinstance(workspace.provider(n), StoredProvider)]


def live_names(workspace: Workspace) -> list[str]:
    """Venues whose provider can ask its source for more, and whose history goes on."""
    today = utc_now().date()
    return [
        name
        for name in stored_names(workspace)
        if isinstance(workspace.provider(name), Puller)
        and (workspace.venue(name).history.last or today) >= today
    ]


def alerts(workspace: Workspace) -> Alerts:
    """The alerts of this root."""
    root = workspace.store.layout.root
    return alerts_of(root, workspace.settings.alert_webhook_variable)


def look_for_new_data(
    workspace: Workspace, context: dg.SensorEvaluationContext
) -> dg.SensorResult | dg.SkipReason:
    """Take in what was dropped, and ask for the runs that new data need."""
    cursor = Cursor.parse(context.cursor)
    requests: list[dg.RunRequest] = []
    notes: list[str] = []
    end_dead_runs(context.instance)
    deadline = time.monotonic() + LOOK_SECONDS
    for venue in stored_names(workspace):
        try:
            requests += _take_in(workspace, venue, cursor, notes, deadline)
            step = next_step(
                workspace, context.instance, venue, cursor.venues.get(venue, VenueState())
            )
        except CellLockedError:
            notes.append(f"{venue}: somebody else is delivering")
            continue
        except QuantAssetsError as error:  # one venue's trouble is not the others'
            _problem(workspace, venue, str(error), cursor, context)
            continue
        _mended(workspace, venue, cursor)
        cursor.venues[venue] = step.state
        requests += [step.request] if step.request else []
        notes += [step.note] if step.note else []
    with _told_at_least(context):
        watch_disk(workspace, context)
        alerts(workspace).send_waiting()
    text = cursor.model_dump_json()
    if requests:
        for note in notes:
            context.log.info(note)
        return dg.SensorResult(run_requests=requests, cursor=text)
    return dg.SensorResult(skip_reason="; ".join(notes) or "nothing new", cursor=text)


def _take_in(
    workspace: Workspace, venue: str, cursor: Cursor, notes: list[str], deadline: float
) -> list[dg.RunRequest]:
    seen = cursor.files.get(venue, {})
    store, model = workspace.sources(venue), workspace.venue(venue)
    found = look(store, model, seen, rest_seconds=REST_SECONDS, deadline=deadline)
    cursor.files[venue] = found.seen
    notes += _told(venue, found)
    for refused in found.refused:
        alerts(workspace).raise_alert(Event(venue, "landing", refused.refusal))
    known = alerts(workspace).all().values()
    if any((a.venue, a.stage, a.ended_at) == (venue, "landing", None) for a in known):
        alerts(workspace).end(venue, {"landing"}, but=open_refusals(store))
    return [_ingest_request(venue, large.path, large.sha256) for large in found.large]


def _told(venue: str, found: Look) -> list[str]:
    """One line per file; a file that waits is only counted."""
    lines = []
    for outcome in found.outcomes:
        if outcome.refusal:
            lines.append(f"{venue}: refused: {outcome.refusal}")
        elif outcome.repeated:
            lines.append(f"{venue}: {outcome.path.name} was delivered before")
        elif outcome.receipt is not None:
            rows = sum(counts.get("stored", 0) for counts in outcome.receipt.counts.values())
            lines.append(f"{venue}: {outcome.path.name}: {rows:,} rows stored")
    if found.later:
        lines.append(f"{venue}: {found.later} files wait")
    return lines


def _ingest_request(venue: str, path: Path, sha256: str) -> dg.RunRequest:
    return dg.RunRequest(
        run_key=f"{venue}|ingest|{sha256}",
        job_name=INGEST_JOB,
        run_config={"ops": {INGEST_OP: {"config": {"venue": venue, "file": path.name}}}},
        tags={VENUE_TAG: venue, STAGE_TAG: "ingest"},
    )


def _problem(
    workspace: Workspace,
    venue: str,
    cause: str,
    cursor: Cursor,
    context: dg.SensorEvaluationContext,
) -> None:
    """Tell of a venue that cannot be looked at, once per cause."""
    if cursor.problems.get(venue) == cause:
        return
    cursor.problems[venue] = cause
    context.log.error(f"{venue}: {cause}")
    with _told_at_least(context):
        alerts(workspace).raise_alert(Event(venue, "new_data", cause))


@contextmanager
def _told_at_least(context: dg.SensorEvaluationContext) -> Iterator[None]:
    """On a disk that is full no alert can be written: then the sensor's log has it."""
    try:
        yield
    except StorageError as error:
        context.log.warning(f"an alert cannot be written: {error}")


def _mended(workspace: Workspace, venue: str, cursor: Cursor) -> None:
    if cursor.problems.pop(venue, None) is not None:
        alerts(workspace).end(venue, {"new_data"})


def watch_disk(workspace: Workspace, context: dg.SensorEvaluationContext) -> None:
    """One alert while the disk is nearly full; ended when there is room again."""
    space = disk_space(workspace.store.layout.root)
    known = [a for a in alerts(workspace).all().values() if a.stage == "disk" and not a.ended_at]
    if space.low and not known:
        context.log.warning(str(space))
        alerts(workspace).raise_alert(Event("", "disk", str(space)))
    elif known and not space.low:
        alerts(workspace).end("", {"disk"})


def ingest_file(workspace: Workspace, venue: str, file: str) -> str:
    """Take in one file of the landing folder; what became of it. Refusal is a `DataError`."""
    store = workspace.sources(venue)
    outcome = take_in(store, workspace.venue(venue), landing_folder(store) / Path(file).name)
    if outcome.refusal:
        raise DataError(outcome.refusal)
    return f"{venue}: {file}: " + ("delivered before" if outcome.repeated else "delivered")


def pull_requests(
    workspace: Workspace, instance: dg.DagsterInstance, moment: datetime
) -> list[dg.RunRequest]:
    """One run per live venue that is not being pulled already."""
    return [
        dg.RunRequest(
            run_key=f"{venue}|pull|{moment:%Y%m%dT%H%M}",
            run_config={"ops": {PULL_OP: {"config": {"venue": venue}}}},
            tags={VENUE_TAG: venue, STAGE_TAG: "pull"},
        )
        for venue in live_names(workspace)
        if not is_busy(instance, venue, "pull")
    ]


def pull(workspace: Workspace, venue: str) -> Pull:
    """Pull one venue until now; a `DataError` names every data set and symbol that failed."""
    found = pull_venue(
        workspace.sources(venue), workspace.venue(venue), workspace.provider(venue), utc_now()
    )
    if found.failures:
        raise DataError("\n".join(found.failures))
    return found


def ages(workspace: Workspace) -> list[Age]:
    """Ages of all venues that name a limit."""
    judged = (
        age_of(workspace.sources(name), workspace.venue(name), utc_now())
        for name in stored_names(workspace)
    )
    return [age for age in judged if age is not None]


def freshness_evaluation(workspace: Workspace) -> dg.AssetCheckResult:
    """All venues that name a limit, as one evaluation of a check on `bars`."""
    found = ages(workspace)
    bad = [age for age in found if age.state != "fresh"]
    fails = any(age.state == "too late" for age in bad)
    severity = dg.AssetCheckSeverity.ERROR if fails else dg.AssetCheckSeverity.WARN
    lines = [f"- {age}" for age in found] + [
        f"- {advice(workspace.venue(age.venue))}" for age in bad
    ]
    return dg.AssetCheckResult(
        asset_key=dg.AssetKey("bars"),
        check_name="freshness",
        passed=not bad,
        severity=severity,
        metadata={
            "venues judged": len(found),
            "venues late": len(bad),
            "ages": dg.MetadataValue.md("\n".join(lines) or "no venue names a limit"),
        },
    )


def watch_freshness(
    workspace: Workspace, context: dg.SensorEvaluationContext
) -> dg.SensorResult | dg.SkipReason:
    """Evaluate the check when a venue's state has changed: no run has to happen for it."""
    found = ages(workspace)
    states = ";".join(f"{age.venue}={age.state}" for age in found)
    if states == (context.cursor or ""):
        return dg.SkipReason(states or "no venue names a limit")
    for age in found:
        if age.state == "fresh":
            alerts(workspace).end(age.venue, {"freshness"})
        else:
            cause = f"the newest bar is {age.state}; {advice(workspace.venue(age.venue))}"
            alerts(workspace).raise_alert(Event(age.venue, "freshness", cause))
    result = freshness_evaluation(workspace)
    return dg.SensorResult(cursor=states, asset_events=[_event(result)], skip_reason=None)


def _event(result: dg.AssetCheckResult) -> dg.AssetCheckEvaluation:
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey("bars"),
        check_name="freshness",
        passed=result.passed,
        severity=result.severity,
        metadata=result.metadata,
    )


def tell_failure(workspace: Workspace, context: dg.RunFailureSensorContext) -> None:
    """One alert for the first cause of a failed run."""
    from quant_assets.orchestration.launch import first_cause  # with Dagster's database

    events = context.get_step_failure_events()
    run = context.dagster_run
    stage = (events[0].step_key or run.job_name) if events else run.job_name
    cause = first_cause(events[0]) if events else context.failure_event.message or "unknown cause"
    alerts(workspace).raise_alert(Event(venue_of(run), stage, cause, run.run_id))


def tell_success(workspace: Workspace, context: dg.RunStatusSensorContext) -> None:
    """End the alerts of the steps that work again."""
    run = context.dagster_run
    if not any(alert.ended_at is None for alert in alerts(workspace).all().values()):
        return
    steps = {stats.step_key for stats in context.instance.get_run_step_stats(run.run_id)}
    alerts(workspace).end(venue_of(run), {*steps, run.job_name})


def venue_of(run: dg.DagsterRun) -> str:
    """The venue of a run, from its tags; empty for one over several venues."""
    tags = run.tags
    if VENUE_TAG in tags:
        return tags[VENUE_TAG]
    for name in ("dagster/partition/venue", "dagster/partition", RANGE_START):
        if name in tags:
            return tags[name].partition("|")[0]
    return ""
