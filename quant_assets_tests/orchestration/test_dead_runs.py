"""Runs whose process was killed are ended; those of living processes and of others are not."""

import platform

import dagster as dg
import pytest
from dagster import DagsterRunStatus as Status

from quant_assets.orchestration.dead_runs import OWNER_TAG, end_dead_runs, owner_tag

pytestmark = pytest.mark.slow

NOBODY = f"{platform.node()}/4194303/1.00"  # beyond the process numbers of a machine of this size


@dg.op
def nothing() -> None:
    """An op that is never executed here."""


@dg.job
def job() -> None:
    """A job whose runs are only made."""
    nothing()


@pytest.mark.parametrize(
    ("tags", "parent", "status"),
    [
        ({OWNER_TAG: NOBODY}, None, Status.CANCELED),
        (owner_tag(), None, Status.STARTED),
        ({OWNER_TAG: "another-host/4194303/1.00"}, None, Status.STARTED),
        ({}, None, Status.STARTED),
        ({OWNER_TAG: NOBODY}, "a" * 36, Status.STARTED),
    ],
    ids=["killed", "alive", "other host", "launched by the daemon", "executed again"],
)
def test_end_dead_runs(tags: dict[str, str], parent: str | None, status: Status):
    with dg.DagsterInstance.ephemeral() as instance:
        run = instance.create_run_for_job(
            job, tags=tags, status=Status.STARTED, parent_run_id=parent, root_run_id=parent
        )
        assert end_dead_runs(instance) == (status == Status.CANCELED)
        found = instance.get_run_by_id(run.run_id)
        assert found is not None
        assert found.status == status
