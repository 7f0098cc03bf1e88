"""The event log shows windows in time order, in whatever order Dagster made the events."""

from itertools import pairwise

import dagster as dg
import pytest
from dagster._core.events.log import EventLogEntry

from quant_assets.orchestration.event_log import in_window_order

pytestmark = pytest.mark.slow
WINDOWS = [f"v|2024-{month:02d}-01" for month in range(1, 13)]


def entries(partitions, asset="bars"):
    """What a run of a range logs, one second apart."""

    @dg.asset(name=asset, partitions_def=dg.StaticPartitionsDefinition(sorted(WINDOWS)))
    def made():
        return None

    found = []
    with dg.DagsterInstance.ephemeral() as instance:
        for partition in partitions:
            dg.materialize([made], instance=instance, partition_key=partition)
            event = instance.fetch_materializations(dg.AssetKey(asset), limit=1).records[0]
            found.append(event.event_log_entry)
    return found


@pytest.fixture(scope="module")
def shuffled():
    return entries([WINDOWS[3], WINDOWS[0], WINDOWS[2], WINDOWS[1]])


def partitions(found):
    return [entry.get_dagster_event().partition for entry in found]


def test_windows_come_in_time_order_a_millisecond_apart(shuffled):
    ordered = in_window_order(shuffled)
    assert partitions(ordered) == WINDOWS[:4]
    times = [entry.timestamp for entry in ordered]
    assert times[-1] == max(entry.timestamp for entry in shuffled)
    steps = [after - before for before, after in pairwise(times)]
    assert steps == pytest.approx([1e-3] * 3, abs=1e-5)
    assert all(isinstance(entry, EventLogEntry) for entry in ordered)


def test_other_events_keep_their_place(shuffled):
    message = shuffled[0]._replace(dagster_event=None, user_message="hello")
    mixed = [message, *shuffled[:2], message, *shuffled[2:], message]
    found = in_window_order(mixed)
    assert [entry.dagster_event is None for entry in found] == [
        entry.dagster_event is None for entry in mixed
    ]
    assert partitions(found[1:3]) == [WINDOWS[0], WINDOWS[3]]
    assert partitions(found[4:6]) == [WINDOWS[1], WINDOWS[2]]


def test_assets_are_not_mixed(shuffled):
    other = entries([WINDOWS[5], WINDOWS[4]], asset="quality")
    found = in_window_order([*shuffled, *other])
    assert partitions(found) == [*WINDOWS[:4], WINDOWS[4], WINDOWS[5]]


def test_nothing_is_nothing():
    assert in_window_order([]) == []
