"""When the days of an exchange begin: what daily and longer bars of intraday ones are made of."""

from datetime import timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pandas as pd

from quant_assets.core.errors import ConfigError
from quant_assets.core.venues import FX_SESSIONS, Market
from quant_assets.quant.market.bars import Instants

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


def checked_zone(time_zone: str) -> str:
    """The name, when it is that of a time zone; a `ConfigError` else."""
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        raise ConfigError(
            f"time zone {time_zone!r} is unknown; write an IANA name such as UTC or "
            "America/New_York"
        ) from None
    return time_zone


def wall_clock(ts: Instants, time_zone: str) -> Instants:
    """What clocks of a time zone show at UTC instants, shape (n,): an hour more in summer.

    In the hour that is lived twice the clock goes back: these times need not increase.
    """
    if time_zone == "UTC":
        return ts
    moments = pd.DatetimeIndex(ts, tz="UTC").tz_convert(time_zone).tz_localize(None)
    return moments.to_numpy("datetime64[us]")
