"""What happens by itself: dropped files, pulls, refreshes, alerts. See docs/operations.md."""

import dagster as dg

from quant_assets.orchestration.automation import (
    INGEST_JOB,
    INGEST_OP,
    PULL_JOB,
    PULL_OP,
    freshness_evaluation,
    ingest_file,
    look_for_new_data,
    pull,
    pull_requests,
    tell_failure,
    tell_success,
    watch_freshness,
)
from quant_assets.orchestration.cells import KIND_TAG
from quant_assets.orchestration.dead_runs import own_run
from quant_assets.orchestration.refresh import VENUE_JOB, WINDOWS_JOB
from quant_assets.orchestration.workspace import current_workspace

# The daemon looks every 5 s, give or take; with an interval of 5 s every other look is too early.
EVERY_LOOK = 2
THIRD_LOOK = 12  # alerts may be a quarter of a minute old: each look costs an idle machine
RUNNING = dg.DefaultSensorStatus.RUNNING
WIDE = dg.AssetSelection.tag(KIND_TAG, "venue")
WINDOWED = (
    dg.AssetSelection.tag(KIND_TAG, "series")
    | dg.AssetSelection.tag(KIND_TAG, "decision")
    | dg.AssetSelection.tag(KIND_TAG, "outcome")
)


refresh_windows = dg.define_asset_job(
    WINDOWS_JOB,
    WINDOWED,
    description="All window assets of one venue over the windows that new data made stale.",
)
refresh_venue = dg.define_asset_job(
    VENUE_JOB,
    WIDE,
    description="Leaderboard and tear sheet of one venue, and the league over all of them.",
)


class File(dg.Config):
    """A file of a venue's landing folder."""

    venue: str
    file: str


class Live(dg.Config):
    """A venue whose provider can pull."""

    venue: str


@dg.op(name=INGEST_OP)
def ingest_landing_file(context: dg.OpExecutionContext, config: File) -> None:
    """Check, store and archive one large file."""
    own_run(context.instance, context.run.run_id)
    context.log.info(ingest_file(current_workspace(), config.venue, config.file))


@dg.op(name=PULL_OP)
def pull_missing_ranges(context: dg.OpExecutionContext, config: Live) -> None:
    """Ask the venue's source for every range that is not confirmed yet."""
    own_run(context.instance, context.run.run_id)
    for pulled in pull(current_workspace(), config.venue).pulled:
        context.log.info(f"{pulled.dataset} {pulled.symbol}: {pulled.rows} rows")


@dg.job(name=INGEST_JOB)
def ingest_landing():
    """Take in one large file."""
    ingest_landing_file()


@dg.job(name=PULL_JOB)
def pull_venue():
    """Pull one venue."""
    pull_missing_ranges()


@dg.sensor(
    jobs=[ingest_landing, refresh_windows, refresh_venue],
    minimum_interval_seconds=EVERY_LOOK,
    default_status=RUNNING,
)
def new_data(context: dg.SensorEvaluationContext):
    """Takes in files that came to rest under landing/<venue>/, and refreshes what depends on them.

    Pulled pages and `quant-assets ingest` count as well. One run per venue at a time: the windows
    that changed, then leaderboard, tear sheet and league.
    """
    return look_for_new_data(current_workspace(), context)


@dg.schedule(job=pull_venue, cron_schedule="0 * * * *", execution_timezone="UTC")
def pull_live_venues(context: dg.ScheduleEvaluationContext):
    """Pulls every venue whose provider can, hourly. Off until it is turned on: it uses the net."""
    moment = context.scheduled_execution_time
    return pull_requests(current_workspace(), context.instance, moment)


@dg.asset_check(asset=dg.AssetKey("bars"), name="freshness")
def freshness() -> dg.AssetCheckResult:
    """Every venue's newest bar is younger than the limits in its venue file."""
    return freshness_evaluation(current_workspace())


@dg.sensor(minimum_interval_seconds=60, default_status=RUNNING)
def stale_venues(context: dg.SensorEvaluationContext):
    """Evaluates `freshness` when a venue's state changes, which happens when nothing runs."""
    return watch_freshness(current_workspace(), context)


@dg.run_failure_sensor(minimum_interval_seconds=THIRD_LOOK, default_status=RUNNING)
def failed_runs(context: dg.RunFailureSensorContext):
    """One alert per first cause, under alerts/ of the data root and to the webhook."""
    tell_failure(current_workspace(), context)


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    minimum_interval_seconds=THIRD_LOOK,
    default_status=RUNNING,
)
def mended_runs(context: dg.RunStatusSensorContext):
    """Ends the alerts of steps that work again."""
    tell_success(current_workspace(), context)
