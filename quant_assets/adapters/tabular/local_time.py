"""Stamps without an offset: session dates, or hours of the venue's own clock.

A date without a time is the session's date and becomes its UTC midnight, whatever the exchange's
zone. A time without an offset is an hour of the zone that the venue declares; around the clock
there are no sessions that could tell a wrong zone, so a 24/7 venue accepts stamps with an offset
alone. An hour that the clock skips or shows twice is refused: nobody knows which instant it was.
"""

from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.adapters.files.stamps import Instants
from quant_assets.core.errors import ConfigError, DataError
from quant_assets.core.venues import Venue, format_duration

Lines = npt.NDArray[np.int64]


def dates_to_utc(dates: Instants, venue: Venue, *, line: Lines, where: str) -> Instants:
    """UTC midnights of session dates; `DataError` on a venue whose bars are shorter than a day."""
    if venue.market.bar_length < timedelta(days=1) and len(dates):
        raise DataError(
            f"{where}: line {int(line[0])}: {_text(dates[0])[:10]} is a date without a time, and "
            f"the bars of venue {venue.name} are {format_duration(venue.market.bar_length)} long. "
            "Deliver daily rows to a venue of daily bars"
        )
    return dates


def to_utc(naive: Instants, venue: Venue, *, line: Lines, where: str) -> Instants:
    """UTC instants of stamps without an offset, shape (rows,); NaT stays NaT.

    Midnights on a venue of daily (or longer) bars are session dates. Raises `DataError` that names
    the line and the hour, `ConfigError` when the declared zone is unknown.
    """
    known = np.flatnonzero(~np.isnat(naive))
    if not known.size or (_midnights(naive) and venue.market.bar_length >= timedelta(days=1)):
        return naive
    if venue.market.calendar == "24/7":
        row = int(known[0])
        raise DataError(
            f"{where}: line {int(line[row])}: {_text(naive[row])} has no UTC offset, and venue "
            f"{venue.name} trades around the clock, where an hour's shift would not show. Write "
            "stamps like 2024-01-31T08:00:00Z, or name the column timestamp_utc"
        )
    return _localised(naive, venue, line, where)


def _midnights(stamps: Instants) -> bool:
    known = stamps[~np.isnat(stamps)]
    return bool((known == known.astype("datetime64[D]")).all())


def _localised(naive: Instants, venue: Venue, line: Lines, where: str) -> Instants:
    zone = venue.market.time_zone
    index = pd.DatetimeIndex(naive)
    try:
        local = index.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
    except (KeyError, ValueError) as error:
        raise ConfigError(
            f"venue {venue.name}: market.time_zone: {zone!r} is no IANA time zone ({error}); "
            "write for example America/New_York"
        ) from error
    lost = np.flatnonzero(np.asarray(local.isna()) & ~np.isnat(naive))
    if lost.size:
        row = int(lost[0])
        summer = index[[row]].tz_localize(zone, ambiguous=np.array([True]), nonexistent="NaT")
        what = "does not exist" if bool(summer.isna()[0]) else "happens twice"
        raise DataError(
            f"{where}: line {int(line[row])}: the hour {_text(naive[row])} {what} in {zone}, the "
            f"clocks change then ({lost.size} such rows). Deliver the file with UTC offsets, or "
            f"declare the zone it was written in as market.time_zone of venue {venue.name}"
        )
    utc = local.tz_convert("UTC").tz_localize(None).as_unit("us")
    return np.asarray(utc.to_numpy(dtype="datetime64[us]"))


def _text(stamp: np.datetime64) -> str:
    return str(stamp.astype("datetime64[s]")).replace("T", " ")
