"""Dagster's mapping of windows, computed once per run instead of several times per input.

A range run asks for the upstream windows of every input of every step, more than once each, and
the answer is found window by window with a cron iterator: a tenth of the time of a run of ten
years. The answer depends on the mapping and the range alone, and our assets share one grid and a
handful of mappings. Dagster offers no place to keep it, so one of its methods is wrapped while a
headless run lasts.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from dagster._core.definitions.partitions.mapping.multi.base import BaseMultiPartitionMapping


@contextmanager
def mapped_once() -> Iterator[None]:
    """Within it, equal questions about upstream partitions are answered once."""
    asked = BaseMultiPartitionMapping.get_upstream_mapped_partitions_result_for_partitions
    known: dict[Any, tuple[Any, Any]] = {}

    @wraps(asked)
    def remembered(
        mapping: Any, subset: Any, downstream: Any, upstream: Any, *more: Any, **named: Any
    ) -> Any:
        if subset is None or more or named:
            return asked(mapping, subset, downstream, upstream, *more, **named)
        partitions = frozenset(subset.get_partition_keys())
        key = (repr(mapping), partitions, id(downstream), id(upstream))
        if key not in known:  # the definitions are kept too, so that no other gets their ids
            found = asked(mapping, subset, downstream, upstream)
            known[key] = found, (downstream, upstream)
        return known[key][0]

    cls: Any = BaseMultiPartitionMapping
    cls.get_upstream_mapped_partitions_result_for_partitions = remembered
    try:
        yield
    finally:
        cls.get_upstream_mapped_partitions_result_for_partitions = asked
