"""Sessions of an exchange, against holidays that everybody knows."""

from datetime import date
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from quant_assets.adapters.calendars import known_calendar, sessions
from quant_assets.operations.intake.delivery import deliver
from quant_assets.operations.intake.inspection import coverage
from quant_assets_tests.operations.intake.deliveries import (
    files_venue,
    origin,
    raw_bars,
    source_store,
)

pytestmark = [
    pytest.mark.skipif(
        find_spec("exchange_calendars") is None,
        reason='the extra is absent: pip install "quant_assets[calendars]"',
    ),
    # Raised inside pandas by the package's own holiday rules.
    pytest.mark.filterwarnings("ignore"),
]


def test_sessions_leave_out_weekends_and_holidays():
    """2012-10-29 and 30: the storm Sandy; 2012-11-22: Thanksgiving."""
    found = sessions("XNYS", date(2012, 10, 26), date(2012, 11, 23)).astype("datetime64[D]")
    assert np.datetime64("2012-10-26") in found
    for day in ("2012-10-27", "2012-10-29", "2012-10-30", "2012-11-22"):
        assert np.datetime64(day) not in found
    assert found[-1] == np.datetime64("2012-11-23")


def test_known_calendar_is_one_that_the_package_has():
    assert known_calendar("XNYS")
    assert not known_calendar("24/7")
    assert not known_calendar("NOSUCH")
    with pytest.raises(LookupError, match="no calendar 'NOSUCH'"):
        sessions("NOSUCH", date(2012, 1, 1), date(2012, 2, 1))


def test_coverage_finds_a_session_that_no_symbol_has(tmp_path: Path):
    venue = files_venue(calendar="XNYS", asset_class="equity", funding="none", bar_length="1d")
    raw = raw_bars("2024-02-05", 4, symbol="A")
    days = ["2024-02-05", "2024-02-06", "2024-02-08", "2024-02-09"]  # the 7th was a Wednesday
    raw.frame["ts"] = pd.Series(pd.to_datetime(days, utc=True)).dt.as_unit("us")
    store = source_store(tmp_path)
    deliver(store, venue, origin("a"), [raw])
    (found,) = coverage(store, venue)
    assert [(h.start.date(), h.bars) for h in found.holes] == [(date(2024, 2, 7), 1)]
