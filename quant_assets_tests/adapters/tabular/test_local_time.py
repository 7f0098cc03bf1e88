import numpy as np
import pytest

from quant_assets.adapters.tabular.local_time import dates_to_utc, to_utc
from quant_assets.core.errors import ConfigError, DataError
from quant_assets_tests.adapters.tabular.table_files import venue_of


def stamps(*texts: str) -> np.ndarray:
    return np.array(texts, dtype="datetime64[us]")


def convert(venue, *texts: str) -> list[str]:
    found = to_utc(stamps(*texts), venue, line=np.arange(2, 2 + len(texts)), where="a.csv")
    assert found.dtype == "datetime64[us]"
    return [str(moment)[:16] for moment in found]


HOURLY = {"bar_length": "1h"}


def test_hours_of_the_declared_zone_become_utc_in_winter_and_in_summer():
    venue = venue_of("equity", **HOURLY)  # New York: UTC-5 in January, UTC-4 in July
    found = convert(venue, "2021-01-04T09:30", "2021-07-06T09:30")
    assert found == ["2021-01-04T14:30", "2021-07-06T13:30"]


def test_midnights_of_daily_bars_are_session_dates_in_any_zone():
    assert convert(venue_of("equity"), "2021-01-04") == ["2021-01-04T00:00"]


def test_a_midnight_among_hours_is_an_hour():
    venue = venue_of("equity", **HOURLY)
    assert convert(venue, "2021-01-04T00:00") == ["2021-01-04T05:00"]


def test_the_hour_that_spring_skips_is_refused_and_named():
    venue = venue_of("equity", **HOURLY)
    match = (
        r"a\.csv: line 3: the hour 2021-03-14 02:30:00 does not exist in America/New_York.*1 such"
    )
    with pytest.raises(DataError, match=match):
        convert(venue, "2021-03-14T01:30", "2021-03-14T02:30")


def test_the_hour_that_autumn_repeats_is_refused_and_named():
    venue = venue_of("equity", **HOURLY)
    match = r"line 2: the hour 2021-11-07 01:30:00 happens twice in America/New_York.*2 such"
    with pytest.raises(DataError, match=match):
        convert(venue, "2021-11-07T01:30", "2021-11-07T01:45", "2021-11-07T02:00")


def test_stamps_without_offset_are_refused_around_the_clock():
    venue = venue_of("crypto_perpetual")
    match = r"a\.csv: line 2: 2021-03-14 02:00:00 has no UTC offset.*timestamp_utc"
    with pytest.raises(DataError, match=match):
        convert(venue, "2021-03-14T02:00")


def test_an_unknown_zone_is_an_error_of_the_settings():
    venue = venue_of("equity", time_zone="New York", bar_length="1h")
    with pytest.raises(ConfigError, match=r"market\.time_zone: 'New York' is no IANA"):
        convert(venue, "2021-01-04T09:30")


def test_what_is_no_time_stays_so():
    found = to_utc(stamps("NaT"), venue_of("crypto_perpetual"), line=np.array([2]), where="a")
    assert np.isnat(found).all()


def test_dates_are_midnights_and_refused_where_bars_are_shorter_than_a_day():
    day, line = stamps("2021-01-04"), np.array([7])
    assert dates_to_utc(day, venue_of("equity"), line=line, where="a.csv") is day
    with pytest.raises(DataError, match=r"a\.csv: line 7: 2021-01-04 is a date.*are 1h long"):
        dates_to_utc(day, venue_of("fx"), line=line, where="a.csv")
