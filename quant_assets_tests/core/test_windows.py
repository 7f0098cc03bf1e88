from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from quant_assets.core.errors import ConfigError
from quant_assets.core.windows import Grid

MONTHLY = Grid()
WEEKLY = Grid(start=date(2020, 1, 6), cadence="weekly")
QUARTERLY = Grid(start=date(2000, 1, 1), cadence="quarterly")
grids = st.sampled_from([MONTHLY, WEEKLY, QUARTERLY])
days = st.dates(date(1990, 1, 1), date(2100, 12, 31))
counts = st.integers(-240, 240)


@pytest.mark.parametrize(
    ("grid", "moment", "key", "start", "end"),
    [
        (MONTHLY, date(2020, 2, 29), "2020-02-01", date(2020, 2, 1), date(2020, 3, 1)),
        (MONTHLY, date(2019, 12, 31), "2019-12-01", date(2019, 12, 1), date(2020, 1, 1)),
        (WEEKLY, date(2020, 3, 1), "2020-02-24", date(2020, 2, 24), date(2020, 3, 2)),
        (WEEKLY, date(2020, 3, 2), "2020-03-02", date(2020, 3, 2), date(2020, 3, 9)),
        (WEEKLY, date(2021, 1, 1), "2020-12-28", date(2020, 12, 28), date(2021, 1, 4)),
        (QUARTERLY, date(2020, 6, 30), "2020-04-01", date(2020, 4, 1), date(2020, 7, 1)),
        (QUARTERLY, date(2020, 12, 31), "2020-10-01", date(2020, 10, 1), date(2021, 1, 1)),
    ],
)
def test_window_of_a_day_hand_worked(grid, moment, key, start, end):
    assert grid.key_at(moment) == key
    window = grid.window(key)
    assert window.key == key
    assert window.start == datetime(start.year, start.month, start.day, tzinfo=UTC)
    assert window.end == datetime(end.year, end.month, end.day, tzinfo=UTC)


def test_key_at_aware_moment_counts_in_utc():
    tokyo = timezone(timedelta(hours=9))
    assert MONTHLY.key_at(datetime(2020, 2, 1, 8, 59, tzinfo=tokyo)) == "2020-01-01"
    assert MONTHLY.key_at(datetime(2020, 2, 1, 9, 0, tzinfo=tokyo)) == "2020-02-01"


@pytest.mark.parametrize(
    ("grid", "key", "count", "expected"),
    [
        (MONTHLY, "2020-01-01", -1, "2019-12-01"),
        (MONTHLY, "2020-01-01", 26, "2022-03-01"),
        (WEEKLY, "2020-01-06", -1, "2019-12-30"),
        (WEEKLY, "2020-02-24", 1, "2020-03-02"),
        (QUARTERLY, "2020-01-01", -1, "2019-10-01"),
        (QUARTERLY, "2020-10-01", 2, "2021-04-01"),
    ],
)
def test_shift_hand_worked(grid, key, count, expected):
    assert grid.shift(key, count) == expected
    assert grid.distance(key, expected) == count


@given(grids, days, counts)
def test_shift_and_distance_are_inverse(grid, day, count):
    key = grid.key_at(day)
    moved = grid.shift(key, count)
    assert grid.distance(key, moved) == count
    assert grid.shift(moved, -count) == key


@given(grids, days, st.integers(0, 60))
def test_between_counts_every_window_once_in_time_order(grid, day, count):
    first = grid.key_at(day)
    last = grid.shift(first, count)
    keys = list(grid.between(first, last))
    assert keys == [grid.shift(first, step) for step in range(count + 1)]
    assert keys == sorted(set(keys))
    assert list(grid.between(last, first)) == ([first] if count == 0 else [])


@given(grids, days)
def test_windows_cover_the_time_axis_without_gaps(grid, day):
    window = grid.window(grid.key_at(day))
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    assert window.start <= noon < window.end
    assert grid.window(grid.shift(window.key, 1)).start == window.end
    assert grid.key_at(window.start) == grid.key_at(window.end - timedelta(microseconds=1))


@pytest.mark.parametrize(
    ("grid", "key", "lies_in"),
    [
        (MONTHLY, "2020-01-02", "2020-01-01"),
        (WEEKLY, "2020-01-07", "2020-01-06"),
        (QUARTERLY, "2020-02-01", "2020-01-01"),
    ],
)
def test_window_key_that_begins_no_window_names_the_right_one(grid, key, lies_in):
    with pytest.raises(ConfigError, match=f"'{key}' does not begin.*'{lies_in}'"):
        grid.window(key)
    with pytest.raises(ConfigError, match=key):
        grid.shift(key, 1)


@pytest.mark.parametrize("key", ["", "january", "2020-13-01", "2020/01/01"])
def test_window_key_that_is_no_date_is_refused(key):
    with pytest.raises(ConfigError, match="is not a date; write YYYY-MM-DD"):
        MONTHLY.window(key)


@pytest.mark.parametrize(
    ("values", "nearest"),
    [
        ({"start": date(2020, 1, 2)}, "2020-01-01"),
        ({"start": date(2020, 1, 1), "cadence": "weekly"}, "2019-12-30"),
        ({"start": date(2020, 5, 1), "cadence": "quarterly"}, "2020-04-01"),
        ({"end": date(2020, 1, 31)}, "2020-01-01"),
    ],
)
def test_grid_that_begins_inside_a_window_is_refused(values, nearest):
    with pytest.raises(ValidationError, match=nearest):
        Grid(**values)


def test_grid_and_window_are_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        MONTHLY.window("2020-01-01").key = "x"
    with pytest.raises(ValidationError, match="frozen"):
        MONTHLY.cadence = "weekly"
