"""The only place that reads the wall clock. Results never contain what it says."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Now, in UTC. For run records and logs; never an input of a computation."""
    return datetime.now(tz=UTC)


def timestamp(moment: datetime | None = None) -> str:
    """ISO-8601 text in UTC with milliseconds, as run records write it."""
    return (moment or utc_now()).astimezone(UTC).isoformat(timespec="milliseconds")


def run_stamp(moment: datetime | None = None) -> str:
    """UTC-sortable prefix of run ids, for example `20260131T235959Z`."""
    return (moment or utc_now()).astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
