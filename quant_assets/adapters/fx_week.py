"""The week of the currency markets: from Sunday 17:00 to Friday 17:00 in New York, without a pause.

That is 22:00 UTC, and 21:00 while New York has summer time. There is no exchange that would be
closed on a holiday: a quiet day without quotes is a gap.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from quant_assets.core.venues import FX_DAYS, FX_SESSIONS
from quant_assets.quant.market.bars import Instants

CODES = (FX_DAYS, FX_SESSIONS)
VERSION = "1"
FIRST, LAST = "1970-01-04", "2040-12-30"  # Sundays
ZONE = "America/New_York"
_DAY = np.timedelta64(1, "D").astype("timedelta64[us]")


class Week(NamedTuple):
    """Sessions, arrays (session,): their dates as UTC midnights, and when they open and close."""

    days: Instants
    opens: Instants
    closes: Instants


@cache
def fx_week(code: str) -> Week:
    """All sessions from 1970 to 2040.

    `24/5`: the UTC days on which the market is open, Sunday evening included, six a week.
    `24/5-NY`: the days that end at 17:00 in New York, Monday to Friday.
    """
    days = pd.date_range(FIRST, LAST, freq="D", unit="us")
    days = days[days.day_of_week != 5]
    ends = (days + pd.Timedelta(hours=17)).tz_localize(ZONE).tz_convert("UTC").tz_localize(None)
    stamps, five = days.to_numpy(), ends.to_numpy()  # midnight, and 17:00 in New York
    if code == FX_SESSIONS:
        weekday = np.flatnonzero(days.day_of_week != 6)
        return Week(stamps[weekday], five[weekday - 1], five[weekday])
    sunday, friday = days.day_of_week == 6, days.day_of_week == 4
    return Week(
        stamps,
        np.where(sunday, five, stamps),
        np.where(friday, five, stamps + _DAY),
    )
