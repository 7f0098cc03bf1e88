"""The currency week, against the hours that everybody knows and against quotes of twelve years."""

import gzip
import io
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from pydantic import ValidationError

from quant_assets.adapters.calendars import (
    calendar_version,
    known_calendar,
    session_bars,
    sessions,
)
from quant_assets.core.venues import Market
from quant_assets.operations.intake.delivery import deliver
from quant_assets.operations.intake.inspection import coverage
from quant_assets_tests.adapters.real_files import real_folder
from quant_assets_tests.adapters.tabular.table_files import venue_of
from quant_assets_tests.operations.intake.deliveries import (
    files_venue,
    origin,
    raw_bars,
    source_store,
)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PER_YEAR = {
    ("24/5", "1d"): 313,
    ("24/5-NY", "1d"): 261,
    ("24/5", "1h"): 6261,
    ("24/5-NY", "4h"): 1565,
}


def market(code: str, length: str = "1h", per_year: int | None = None) -> Market:
    count = per_year or PER_YEAR.get((code, length)) or PER_YEAR["24/5", "1h"]
    return venue_of("fx", calendar=code, bar_length=length, bars_per_year=count).market


def stamps(code: str, first: str, last: str, length: str = "1h") -> list[str]:
    span = (datetime.fromisoformat(day).replace(tzinfo=UTC) for day in (first, last))
    return session_bars(market(code, length), *span)["ts"].dt.strftime("%a %d %H:%M").tolist()


@pytest.mark.parametrize(
    ("first", "last", "opens", "closes"),
    [
        ("2015-01-03", "2015-01-10", "Sun 04 22:00", "Fri 09 21:00"),
        ("2015-07-04", "2015-07-11", "Sun 05 21:00", "Fri 10 20:00"),
    ],
    ids=["winter", "summer"],
)
@pytest.mark.parametrize("code", ["24/5", "24/5-NY"])
def test_week_is_120_hours_and_follows_new_york(
    code: str, first: str, last: str, opens: str, closes: str
):
    found = stamps(code, first, last)
    assert len(found) == 120
    assert (found[0], found[-1]) == (opens, closes)


@pytest.mark.parametrize(("first", "hours"), [("2015-03-07", 120), ("2015-10-31", 120)])
def test_week_of_a_clock_change_begins_after_it(first: str, hours: int):
    """New York moves its clock on Sunday morning, when the market is closed."""
    last = (datetime.fromisoformat(first) + timedelta(days=7)).date().isoformat()
    assert len(stamps("24/5", first, last)) == hours


def test_days_of_24_5_are_those_of_utc_and_of_24_5_ny_end_at_five_in_new_york():
    six = stamps("24/5", "2015-01-03", "2015-01-11", "1d")
    assert six == [
        *("Sun 04 00:00", "Mon 05 00:00", "Tue 06 00:00", "Wed 07 00:00", "Thu 08 00:00"),
        "Fri 09 00:00",
    ]
    assert stamps("24/5-NY", "2015-01-03", "2015-01-11", "1d") == six[1:]
    four = stamps("24/5-NY", "2015-01-04", "2015-01-06", "4h")
    assert four == [f"{at}:00" for at in ("Sun 04 22", "Mon 05 02", "Mon 05 06", "Mon 05 10")] + [
        *("Mon 05 14:00", "Mon 05 18:00", "Mon 05 22:00")
    ]


def test_hours_that_nobody_delivered_are_missing_and_the_weekend_is_not(tmp_path: Path):
    venue = files_venue(
        calendar="24/5", asset_class="fx", funding="none", bars_per_year=6261, currency="USD"
    )
    store = source_store(tmp_path)
    for number, (first, hours) in enumerate((("2024-03-07 20:00", 4), ("2024-03-08 20:00", 3))):
        deliver(store, venue, origin(str(number)), [raw_bars(first, hours, symbol="EURUSD")])
    deliver(store, venue, origin("monday"), [raw_bars("2024-03-11 00:00", 1, symbol="EURUSD")])
    (found,) = coverage(store, venue)
    assert [(hole.start.hour, hole.end.hour, hole.bars) for hole in found.holes] == [
        (0, 20, 20),  # Friday
        (21, 0, 3),  # Sunday from 21:00: New York has moved its clock
    ]


def test_calendar_needs_no_extra_and_has_a_version():
    assert known_calendar("24/5")
    assert calendar_version("24/5-NY") == "24/5-NY 1"


def test_bars_per_year_must_fit():
    with pytest.raises(ValidationError, match="252 does not fit calendar 24/5 with bars of 1d"):
        market("24/5", "1d", per_year=252)
    year = datetime(2015, 1, 1, tzinfo=UTC), datetime(2016, 1, 1, tzinfo=UTC)
    for (code, length), count in PER_YEAR.items():
        assert abs(len(session_bars(market(code, length), *year)) - count) <= 14


@pytest.mark.slow
def test_hours_of_real_quotes_lie_in_the_week_and_few_days_are_missing():
    folder = real_folder() / "fx"
    days, hours = (
        _times(folder / f"lean/forex/oanda/{kind}/eurusd.zip") for kind in ("daily", "hour")
    )
    span = (moment.to_pydatetime() for moment in (hours.min(), hours.max() + HOUR))
    week = pd.DatetimeIndex(session_bars(market("24/5"), *span)["ts"])
    outside = hours.difference(week)
    assert len(outside) <= 0.001 * len(hours)
    assert len(week.difference(hours)) <= 0.01 * len(week)
    known = pd.DatetimeIndex(sessions("24/5", days.min().date(), days.max().date()), tz="UTC")
    assert len(days.difference(known)) == 0
    assert len(known.difference(days)) == 19  # Christmas, New Year's Day, a week of December 2016
    text = gzip.decompress((folder / "ejtrader" / "EURUSDd1.csv.gz").read_bytes())
    broker = pd.DatetimeIndex(pd.read_csv(io.BytesIO(text))["Date"], tz="UTC")
    trading = pd.DatetimeIndex(
        sessions("24/5-NY", broker.min().date(), broker.max().date()), tz="UTC"
    )
    assert len(broker.difference(trading)) == 0
    assert len(trading.difference(broker)) <= 0.01 * len(trading)


def _times(path) -> pd.DatetimeIndex:
    with zipfile.ZipFile(path) as archive:
        table = pd.read_csv(io.BytesIO(archive.read(archive.namelist()[0])), header=None)
    return pd.DatetimeIndex(pd.to_datetime(table[0], format="%Y%m%d %H:%M")).tz_localize("UTC")
