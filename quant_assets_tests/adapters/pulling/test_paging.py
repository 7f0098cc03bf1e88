"""What answers confirm, against sources that cut, cap and forget, whose truth is known."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from quant_assets.adapters.pulling.paging import Answer, Confirmed, Pace, page_through
from quant_assets.adapters.pulling.ranges import Range, missing_ranges

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
BARS = Pace(HOUR, HOUR, HOUR, rows=10)
EVENTS = Pace(HOUR, 8 * HOUR, timedelta(milliseconds=1), rows=10)


def at(hour: int) -> datetime:
    return BEGIN + hour * HOUR


@dataclass
class Source:
    """Rows at some hours; `newest` keeps the last rows of a range too long, else the first."""

    hours: set[int]
    cap: int = 10
    newest: bool = False
    cuts: list[int] = field(default_factory=list)
    forgets: bool = False
    asked: list[Range] = field(default_factory=list)

    def ask(self, wanted: Range) -> Answer:
        self.asked.append(wanted)
        inside = [h for h in sorted(self.hours) if self.forgets or wanted.holds(at(h))]
        kept = inside[-self.cap :] if self.newest or self.forgets else inside[: self.cap]
        kept = [h for h in kept if wanted.holds(at(h))]
        if self.cuts and kept:  # an answer that lost its tail; its first row came through
            kept = kept[: max(1, self.cuts.pop() % (len(kept) + 1))]
        ts = pd.Series([at(h) for h in kept], dtype="datetime64[us, UTC]")
        return Answer(pd.DataFrame({"ts": ts}), b"")


def through(source: Source, first: int, after: int, pace: Pace) -> list[Confirmed]:
    return list(page_through(source.ask, Range(at(first), at(after)), pace))


def spans(pages: list[Confirmed]) -> list[tuple[float, float]]:
    return [((p.range.start - BEGIN) / HOUR, (p.range.end - BEGIN) / HOUR) for p in pages]


def rows(pages: list[Confirmed]) -> list[int]:
    return [round((ts - BEGIN) / HOUR) for p in pages for ts in p.answer.frame["ts"]]


def test_page_through_a_good_source_is_asked_once_per_page() -> None:
    source = Source(set(range(25)))
    assert spans(through(source, 0, 25, BARS)) == [(0, 10), (10, 20), (20, 25)]
    assert len(source.asked) == 3


def test_page_through_a_short_page_confirms_up_to_its_last_row() -> None:
    source = Source(set(range(20)), cap=4)
    pages = through(source, 0, 20, BARS)
    assert spans(pages) == [(0, 4), (4, 8), (8, 12), (12, 16), (16, 20)]
    assert rows(pages) == list(range(20))


def test_page_through_what_is_not_published_yet_stays_unconfirmed() -> None:
    source = Source(set(range(7)))
    assert spans(through(source, 0, 30, BARS)) == [(0, 7)]


def test_page_through_a_hole_inside_a_page_is_confirmed_as_published() -> None:
    source = Source({0, 1, 5, 6})
    assert spans(through(source, 0, 7, BARS)) == [(0, 7)]


def test_page_through_a_hole_at_the_begin_is_asked_for_again_before_it_is_believed() -> None:
    source = Source(set(range(4, 10)))
    assert spans(through(source, 0, 10, BARS)) == [(0, 10)]
    assert source.asked == [Range(at(0), at(10)), Range(at(0), at(4))]


def test_page_through_an_empty_page_confirms_nothing_and_is_passed_over() -> None:
    source = Source({*range(10), *range(20, 30)})
    pages = through(source, 0, 30, BARS)
    assert spans(pages) == [(0, 10), (20, 30)]
    assert missing_ranges([p.range for p in pages], Range(at(0), at(30))) == [Range(at(10), at(20))]


def test_page_through_a_source_that_keeps_the_newest_rows_loses_none() -> None:
    source = Source(set(range(20)), cap=3, newest=True)
    pages = through(source, 0, 20, BARS)
    assert rows(pages) == list(range(20))
    assert missing_ranges([p.range for p in pages], Range(at(0), at(20))) == []


def test_page_through_a_source_that_forgets_the_range_confirms_only_what_it_sent() -> None:
    source = Source(set(range(100)), forgets=True)
    assert spans(through(source, 0, 100, BARS)) == [(90, 100)]


def test_page_through_events_confirms_to_just_after_the_last_one() -> None:
    source = Source({0, 8, 16})
    pages = through(source, 0, 24, EVENTS)
    just_after = 1 / 3_600_000
    assert spans(pages) == [(0, 8 + just_after), (8 + just_after, 16 + just_after)]
    assert rows(pages) == [0, 8, 16]


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    hours=st.sets(st.integers(0, 59), max_size=60),
    cap=st.integers(1, 10),
    newest=st.booleans(),
    cuts=st.lists(st.integers(0, 10), max_size=6),
)
@example(hours=set(range(10)), cap=5, newest=True, cuts=[2, 5])  # the older half is cut as well
def test_page_through_confirmed_ranges_hold_every_row_of_the_truth(
    hours: set[int], cap: int, newest: bool, cuts: list[int]
) -> None:
    source = Source(set(hours), cap, newest, list(cuts))
    pages = through(source, 0, 60, BARS)
    found = rows(pages)
    assert len(found) == len(set(found))
    for hour in hours:
        confirmed = any(page.range.holds(at(hour)) for page in pages)
        assert confirmed == (hour in found)
    order = [page.range for page in pages]
    assert order == sorted(order)
    assert all(left.end <= right.start for left, right in pairwise(order))
    missing = missing_ranges(order, Range(at(0), at(60)))
    assert not any(span.holds(at(hour)) for span in missing for hour in hours)
