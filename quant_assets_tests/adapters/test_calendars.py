"""Sessions of an exchange, against holidays that everybody knows."""

from datetime import UTC, date, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from quant_assets.adapters.calendars import (
    calendar_version,
    known_calendar,
    session_bars,
    sessions,
)
from quant_assets.contracts.sessions import Sessions
from quant_assets.operations.intake.delivery import deliver
from quant_assets.operations.intake.inspection import coverage
from quant_assets_tests.operations.intake.deliveries import (
    files_venue,
    origin,
    raw_bars,
    source_store,
)
from quant_assets_tests.quant.market.frames import make_market

with_extra = pytest.mark.skipif(
    find_spec("exchange_calendars") is None,
    reason='the extra is absent: pip install "quant_assets[calendars]"',
)


def bars_between(first: str, last: str, **market: object) -> list[str]:
    span = (datetime.fromisoformat(day).replace(tzinfo=UTC) for day in (first, last))
    frame = Sessions.check_frame(session_bars(make_market(**market), *span), where="sessions")
    return frame["ts"].dt.strftime("%d %H:%M").tolist()


@pytest.mark.parametrize("code", ["24/7", "NOSUCH", "FX"])
def test_session_bars_of_an_unknown_calendar_are_none(code):
    assert bars_between("2012-11-01", "2012-12-01", calendar=code) == []
    assert calendar_version(code) == ""


@with_extra
def test_session_bars_of_days_are_stamped_at_midnight():
    """Wednesday, Thanksgiving, a half day, the weekend."""
    assert bars_between("2012-11-21", "2012-11-27") == ["21 00:00", "23 00:00", "26 00:00"]
    assert bars_between("2012-11-21", "2012-11-27", bar_length=timedelta(days=7)) == []
    assert calendar_version("XNYS").startswith("exchange-calendars 4.")


@with_extra
def test_session_bars_of_a_half_day_end_with_its_early_close():
    """New York closed at 13:00, 18:00 UTC, on the day after Thanksgiving."""
    found = bars_between("2012-11-21", "2012-11-24", bar_length=timedelta(hours=2))
    day = ["14:30", "16:30", "18:30", "20:30"]
    assert found == [f"21 {hour}" for hour in day] + ["23 14:30", "23 16:30"]
    minutes = bars_between("2012-11-23", "2012-11-24", bar_length=timedelta(minutes=1))
    assert (len(minutes), minutes[-1]) == (210, "23 17:59")


@with_extra
def test_session_bars_leave_out_the_break_at_noon():
    """Tokyo: 9:00 to 11:30 and 12:30 to 15:00, nine hours before UTC."""
    found = bars_between(
        "2023-11-20", "2023-11-21", calendar="XTKS", bar_length=timedelta(minutes=75)
    )
    assert found == ["20 00:00", "20 01:15", "20 03:30", "20 04:45"]


@with_extra
def test_session_bars_of_a_session_that_begins_the_day_before_are_cut_at_the_window():
    """CME's session of Thursday 1 February opens on Wednesday at 17:00 in Chicago."""
    found = bars_between("2024-01-31", "2024-02-01", calendar="CMES", bar_length=timedelta(hours=1))
    assert found[-1] == "31 23:00"
    later = bars_between("2024-02-01", "2024-02-02", calendar="CMES", bar_length=timedelta(hours=1))
    assert later[0] == "01 00:00"


@with_extra
def test_sessions_leave_out_weekends_and_holidays():
    """2012-10-29 and 30: the storm Sandy; 2012-11-22: Thanksgiving."""
    found = sessions("XNYS", date(2012, 10, 26), date(2012, 11, 23)).astype("datetime64[D]")
    assert np.datetime64("2012-10-26") in found
    for day in ("2012-10-27", "2012-10-29", "2012-10-30", "2012-11-22"):
        assert np.datetime64(day) not in found
    assert found[-1] == np.datetime64("2012-11-23")


@with_extra
def test_known_calendar_is_one_that_the_package_has():
    assert known_calendar("XNYS")
    assert not known_calendar("24/7")
    assert not known_calendar("NOSUCH")
    with pytest.raises(LookupError, match="no calendar 'NOSUCH'"):
        sessions("NOSUCH", date(2012, 1, 1), date(2012, 2, 1))


@with_extra
def test_coverage_finds_a_session_that_no_symbol_has(tmp_path: Path):
    venue = files_venue(calendar="XNYS", asset_class="equity", funding="none", bar_length="1d")
    raw = raw_bars("2024-02-05", 4, symbol="A")
    days = ["2024-02-05", "2024-02-06", "2024-02-08", "2024-02-09"]  # the 7th was a Wednesday
    raw.frame["ts"] = pd.Series(pd.to_datetime(days, utc=True)).dt.as_unit("us")
    store = source_store(tmp_path)
    deliver(store, venue, origin("a"), [raw])
    (found,) = coverage(store, venue)
    assert [(h.start.date(), h.bars) for h in found.holes] == [(date(2024, 2, 7), 1)]
