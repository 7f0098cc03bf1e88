"""Range arithmetic by hand, and against counting hours one by one."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quant_assets.adapters.pulling.ranges import Range, missing_ranges

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def hours(first: int, after: int) -> Range:
    return Range(BEGIN + timedelta(hours=first), BEGIN + timedelta(hours=after))


@pytest.mark.parametrize(
    ("confirmed", "missing"),
    [
        ([], [(0, 24)]),
        ([(0, 24)], []),
        ([(-5, 30)], []),
        ([(0, 6)], [(6, 24)]),
        ([(20, 30)], [(0, 20)]),
        ([(6, 12)], [(0, 6), (12, 24)]),
        ([(12, 24), (0, 12)], []),
        ([(4, 10), (6, 8), (9, 12)], [(0, 4), (12, 24)]),
        ([(-9, 0), (24, 30)], [(0, 24)]),
        ([(0, 1), (23, 24)], [(1, 23)]),
    ],
)
def test_missing_ranges_by_hand(
    confirmed: list[tuple[int, int]], missing: list[tuple[int, int]]
) -> None:
    found = missing_ranges([hours(*pair) for pair in confirmed], hours(0, 24))
    assert found == [hours(*pair) for pair in missing]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(-5, 20), st.integers(1, 9)), max_size=8))
def test_missing_ranges_equal_the_hours_that_nobody_confirmed(
    pairs: list[tuple[int, int]],
) -> None:
    confirmed = [hours(first, first + length) for first, length in pairs]
    found = missing_ranges(confirmed, hours(0, 15))
    covered = {hour for first, length in pairs for hour in range(first, first + length)}
    absent = {h for h in range(15) if any(r.holds(BEGIN + timedelta(hours=h)) for r in found)}
    assert absent == set(range(15)) - covered
    assert all(left.end < right.start for left, right in pairwise(found))
    assert missing_ranges([*confirmed, *found], hours(0, 15)) == []


def test_range_refuses_what_is_empty() -> None:
    with pytest.raises(ValueError, match="is empty"):
        hours(3, 3)


def test_range_holds_its_start_and_not_its_end() -> None:
    span = hours(0, 2)
    assert span.holds(span.start)
    assert not span.holds(span.end)
    assert str(span) == "[2026-01-01T00:00:00Z, 2026-01-01T02:00:00Z)"
