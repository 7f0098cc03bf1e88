"""Ages of venues: from the end of the newest bar, against the limits of the venue file."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from quant_assets.core.venues import Freshness, History, Venue
from quant_assets.operations.freshness import advice, age_of, newest_bar
from quant_assets.operations.intake.delivery import deliver
from quant_assets_tests.operations.intake.deliveries import (
    files_venue,
    origin,
    raw_bars,
    raw_funding,
    source_store,
)

LAST = datetime(2024, 2, 1, 5, tzinfo=UTC)  # open of the sixth hourly bar


def limited(**limits: timedelta) -> Venue:
    return files_venue().model_copy(update={"freshness": Freshness(**limits)})


WARNED = limited(warn_after=timedelta(hours=2), fail_after=timedelta(hours=6))


@pytest.mark.parametrize(
    ("hours", "state"), [(1, "fresh"), (3, "fresh"), (3.1, "late"), (7, "late"), (7.1, "too late")]
)
def test_age_counts_from_the_end_of_the_newest_bar(tmp_path: Path, hours: float, state: str):
    store = source_store(tmp_path)
    deliver(store, WARNED, origin("a"), [raw_bars("2024-02-01", 6), raw_funding("2024-02-01", 9)])
    assert newest_bar(store) == LAST
    age = age_of(store, WARNED, LAST + timedelta(hours=hours))
    assert age is not None
    assert age.state == state
    assert age.age == timedelta(hours=hours - 1)


def test_venue_without_limits_or_with_an_ended_history_is_not_judged(tmp_path: Path):
    store = source_store(tmp_path)
    now = LAST + timedelta(days=90)
    assert age_of(store, files_venue(), now) is None
    ended = History.model_validate({"first": "2024-01-01", "last": "2024-03-01"})
    assert age_of(store, WARNED.model_copy(update={"history": ended}), now) is None


def test_venue_that_got_no_bar_yet_is_not_judged(tmp_path: Path):
    store = source_store(tmp_path)
    deliver(store, WARNED, origin("a"), [raw_funding("2024-02-01", 9)])
    assert age_of(store, WARNED, LAST) is None


def test_age_is_told_in_words(tmp_path: Path):
    store = source_store(tmp_path)
    deliver(store, WARNED, origin("a"), [raw_bars("2024-02-01", 6)])
    age = age_of(store, WARNED, LAST + timedelta(hours=26, milliseconds=7))
    assert str(age) == "dropped: too late: newest bar 2024-02-01 05:00Z, 1 day, 1:00:00 ago"


def test_advice_names_limits_and_command():
    text = advice(WARNED)
    assert "warn 2h, fail 6h" in text
    assert "ingest --pull --venue dropped" in text


def test_limits_in_the_wrong_order_are_refused():
    with pytest.raises(ValidationError, match="fail_after is shorter than warn_after"):
        Freshness(warn_after=timedelta(hours=2), fail_after=timedelta(hours=1))
