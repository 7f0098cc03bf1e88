"""Rules and strategies of the clock in a time zone: New York's summer time by hand.

In 2024 its clocks went from UTC-5 to UTC-4 on 10 March at 07:00 UTC, back on 3 November at 06:00.
"""

from datetime import timedelta

import numpy as np
import pytest

from quant_assets.core.errors import ConfigError
from quant_assets.quant.market.sessions import checked_zone, wall_clock
from quant_assets.quant.strategies import StrategyTester, make_strategy
from quant_assets.quant.strategies.columns import PanelRows
from quant_assets.quant.strategies.rules import DayOfWeek, TimeOfDay
from quant_assets.quant.strategies.tester import hand_made_bars

HOUR = timedelta(hours=1)
NEW_YORK = "America/New_York"


def half_hours(start, n):
    return hand_made_bars({"A": [100.0] * n}, bar_length=HOUR / 2, start=np.datetime64(start, "us"))


def opens(rule, bars):
    """Times in UTC of the bars on which a rule holds."""
    held = rule.holds(PanelRows(bars))[:, 0]
    return [str(moment)[:16] for moment in bars.ts[held]]


def test_clocks_of_new_york_go_forward_in_march_and_back_in_november():
    march = np.array(["2024-03-10T06:30", "2024-03-10T07:00"], dtype="datetime64[us]")
    assert [str(one)[11:16] for one in wall_clock(march, NEW_YORK)] == ["01:30", "03:00"]
    november = np.array(["2024-11-03T05:30", "2024-11-03T06:30"], dtype="datetime64[us]")
    assert [str(one)[11:16] for one in wall_clock(november, NEW_YORK)] == ["01:30", "01:30"]
    assert wall_clock(march, NEW_YORK).dtype == march.dtype
    assert wall_clock(march, "UTC") is march


def test_first_hour_of_new_york_is_an_hour_earlier_in_summer():
    friday, monday = half_hours("2024-03-08", 48), half_hours("2024-03-11", 48)
    rule = TimeOfDay(start="09:30", end="10:30", time_zone=NEW_YORK)
    assert opens(rule, friday) == ["2024-03-08T14:30", "2024-03-08T15:00"]
    assert opens(rule, monday) == ["2024-03-11T13:30", "2024-03-11T14:00"]
    utc = TimeOfDay(start="14:30", end="15:30")
    assert opens(utc, friday) == opens(rule, friday)
    assert opens(utc, monday) == ["2024-03-11T14:30", "2024-03-11T15:00"]


def test_a_day_of_the_week_begins_at_midnight_of_its_zone():
    # Sunday, 3 November, has 25 hours in New York: 04:00 UTC to 05:00 UTC of Monday
    bars = half_hours("2024-11-03", 96)
    local = opens(DayOfWeek(days=("sunday",), time_zone=NEW_YORK), bars)
    assert (local[0], local[-1], len(local)) == ("2024-11-03T04:00", "2024-11-04T04:30", 50)
    assert len(opens(DayOfWeek(days=("sunday",)), bars)) == 48


@pytest.mark.parametrize(("day", "first"), [("2024-03-08", 29), ("2024-03-11", 27)])
def test_opening_range_is_that_of_the_session_of_its_zone(day, first):
    # 48 half hours; `first` opens at 09:30 in New York, the last of the session 12 bars later
    closes = [100.0] * 48
    series = [(c, c, c, c) for c in closes]
    series[first] = (100.0, 110.0, 90.0, 100.0)
    series[first + 1] = (100.0, 105.0, 95.0, 100.0)
    series[first + 3] = (100.0, 111.0, 100.0, 111.0)  # above the range of the first hour
    series[first + 5] = (100.0, 100.0, 89.0, 89.0)  # below it
    bars = hand_made_bars({"A": series}, bar_length=HOUR / 2, start=np.datetime64(day, "us"))
    session = {"minutes": 60, "opens": 570, "closes": 960, "time_zone": NEW_YORK}
    assert str(wall_clock(bars.ts[[first]], NEW_YORK)[0])[11:16] == "09:30"
    tester = StrategyTester(make_strategy("opening_range", session), bars)
    assert tester.when("entry_long") == [first + 3]
    assert tester.when("entry_short") == [first + 5]
    over = [row for row in tester.when("exit_long") if row > first + 5]
    assert over[0] == first + 11  # so that it is out when the bar after it, the last one, opens


def test_a_zone_that_nobody_keeps_is_refused():
    for make in (
        lambda: TimeOfDay(time_zone="New York"),
        lambda: DayOfWeek(time_zone="America/Nowhere"),
        lambda: make_strategy("opening_range", {"time_zone": "EDT5"}),
        lambda: checked_zone(None),
        lambda: checked_zone("/etc"),
        lambda: checked_zone(""),
    ):
        with pytest.raises(ConfigError, match="write an IANA name"):
            make()
