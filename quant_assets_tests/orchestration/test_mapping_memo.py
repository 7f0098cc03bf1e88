"""The memo answers what Dagster answers, asks it once, and leaves nothing behind."""

import dagster as dg
import pytest
from dagster._core.definitions.partitions.mapping.multi.base import BaseMultiPartitionMapping

from quant_assets.orchestration.mapping_memo import mapped_once
from quant_assets.orchestration.partitions import VENUE, WINDOW, window_mapping

pytestmark = pytest.mark.slow
METHOD = "get_upstream_mapped_partitions_result_for_partitions"
GRID = dg.MultiPartitionsDefinition(
    {
        VENUE: dg.StaticPartitionsDefinition(["a", "b"]),
        WINDOW: dg.TimeWindowPartitionsDefinition(
            cron_schedule="0 0 1 * *", start="2020-01-01", end="2021-01-01", fmt="%Y-%m-%d"
        ),
    }
)
RANGES = [("a|2020-01-01", "a|2020-12-01"), ("a|2020-05-01", "a|2020-06-01")]
MAPPINGS = [window_mapping(0, 0), window_mapping(-3, -1), window_mapping(-12, 0)]


def answers():
    """Upstream partitions of every range by every mapping, asked anew each time."""
    found = []
    for first, last in RANGES:
        for mapping in MAPPINGS:
            for _ in range(3):
                subset = GRID.empty_subset().with_partition_key_range(
                    GRID, dg.PartitionKeyRange(first, last)
                )
                result = getattr(mapping, METHOD)(subset, GRID, GRID)
                found.append(
                    (
                        sorted(result.partitions_subset.get_partition_keys()),
                        sorted(result.required_but_nonexistent_subset.get_partition_keys()),
                    )
                )
    return found


def test_memo_gives_dagsters_answers_and_asks_once(monkeypatch):
    expected, asked = answers(), []
    original = getattr(BaseMultiPartitionMapping, METHOD)

    def counted(*arguments):
        asked.append(arguments)
        return original(*arguments)

    monkeypatch.setattr(BaseMultiPartitionMapping, METHOD, counted)
    with mapped_once():
        assert answers() == expected
    assert len(asked) == len(RANGES) * len(MAPPINGS)
    assert getattr(BaseMultiPartitionMapping, METHOD) is counted


def test_memo_is_gone_after_an_error():
    original = getattr(BaseMultiPartitionMapping, METHOD)
    with pytest.raises(ValueError, match="boom"), mapped_once():
        raise ValueError("boom")
    assert getattr(BaseMultiPartitionMapping, METHOD) is original
