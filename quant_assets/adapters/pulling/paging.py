"""Paging through time: how a range is cut into answers, and what each answer confirms.

Exchanges cut answers at either end (the first or the last rows of a range that holds too many),
leave rows out at a limit, or forget the range and send the newest rows. So an answer confirms what
lies between its first and its last row; what lies before its first row only when it was asked for
again and was empty; what lies after its last row never.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd

from quant_assets.adapters.pulling.ranges import Range


@dataclass(frozen=True)
class Pace:
    """How rows follow each other.

    `step` is the shortest time between two rows and `rows` the most that an answer may have: their
    product is asked for at a time, so that no range can hold more than an answer. `silence` is the
    time without a row at the begin of an answer that makes one ask again. `reach` is how far the
    last row speaks: the length of a bar, next to nothing for an event.
    """

    step: timedelta
    silence: timedelta
    reach: timedelta
    rows: int

    def window(self, start: datetime, wanted: Range) -> Range:
        """The part of `wanted` from `start` on that one answer can hold."""
        return Range(start, min(start + self.rows * self.step, wanted.end))


@dataclass(frozen=True)
class Answer:
    """Rows of one answer, all inside the range that was asked for, and its text."""

    frame: pd.DataFrame
    content: bytes


Ask = Callable[[Range], Answer]


@dataclass(frozen=True)
class Confirmed:
    """An answer and the range that it confirms."""

    range: Range
    answer: Answer


def page_through(ask: Ask, wanted: Range, pace: Pace) -> Iterator[Confirmed]:
    """Answers with rows in time order; ranges that stay unconfirmed are left out.

    `ask` gives the rows of a range, which holds at most `pace.rows` of them.
    """
    start = wanted.start
    while start < wanted.end:
        window = pace.window(start, wanted)
        start = window.end
        for confirmed in _settle(ask, window, pace):
            yield confirmed
            start = confirmed.range.end  # a short answer: the next one begins where it ended


def _settle(ask: Ask, window: Range, pace: Pace) -> Iterator[Confirmed]:
    """Answers of one window; a silence at its begin is asked for again, until it stays silent."""
    answer = ask(window)
    if not len(answer.frame):
        return
    first: datetime = answer.frame["ts"].min().to_pydatetime()
    last: datetime = answer.frame["ts"].max().to_pydatetime()
    start, before = window.start, None
    while start != before and first - start >= pace.silence:
        before = start
        for earlier in _settle(ask, Range(start, first), pace):
            yield earlier
            start = earlier.range.end
    yield Confirmed(Range(start, min(last + pace.reach, window.end)), answer)
