"""Sessions of exchanges, from the package exchange-calendars (extra `calendars`).

Which days an exchange traded is a fact about the past that a feed with holes cannot tell. Without
the extra, or for a code that the package does not have, nobody knows.
"""

from datetime import date
from functools import cache
from importlib.util import find_spec

import numpy as np
import pandas as pd

from quant_assets.quant.market.bars import ALWAYS_OPEN, Instants

INSTALL = 'pip install "quant_assets[calendars]"'


def known_calendar(code: str) -> bool:
    """True when `sessions` can tell the days of this calendar."""
    if code == ALWAYS_OPEN or find_spec("exchange_calendars") is None:
        return False
    import exchange_calendars

    return code in exchange_calendars.get_calendar_names()


@cache
def sessions(code: str, first: date, last: date) -> Instants:
    """UTC midnights of the days from `first` to `last`, both included, on which it traded.

    Raises `LookupError` for a calendar that is not known; ask `known_calendar` before.
    """
    if not known_calendar(code):
        raise LookupError(f"no calendar {code!r}: {INSTALL}")
    import exchange_calendars

    start, end = pd.Timestamp(first), pd.Timestamp(last)
    calendar = exchange_calendars.get_calendar(
        code, start=start - pd.Timedelta(days=10), end=end + pd.Timedelta(days=10)
    )
    found = calendar.sessions_in_range(start, end)
    return np.asarray(found.to_numpy(), dtype="datetime64[us]")
