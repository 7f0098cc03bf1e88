"""When the days of an exchange begin: what daily and longer bars of intraday ones are made of."""

from datetime import timedelta
from typing import NamedTuple

from quant_assets.core.venues import FX_SESSIONS, Market

FX_ZONE, FX_BEGINS = "America/New_York", timedelta(hours=-7)


class Sessions(NamedTuple):
    """Days of an exchange: `begins` after midnight of the zone (negative: on the evening before).

    A session holds all trading of its day, before and after hours too. It is over when the next one
    begins, unless it is known how many bars it has.
    """

    time_zone: str = "UTC"
    begins: timedelta = timedelta(0)


UTC_DAYS = Sessions()


def sessions_of(market: Market) -> Sessions:
    """The days of a venue: those of its time zone, for `24/5-NY` from 17:00 in New York on."""
    if market.calendar == FX_SESSIONS:
        return Sessions(FX_ZONE, FX_BEGINS)
    return Sessions(market.time_zone)
