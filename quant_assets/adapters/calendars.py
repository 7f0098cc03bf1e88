"""Sessions of currencies, and of exchanges from the package exchange-calendars (extra `calendars`).

Which days an exchange traded, and until when, is a fact about the past that a feed with holes
cannot tell. Without the extra, or for a code that the package does not have, nobody knows.
"""

import warnings
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec

import numpy as np
import pandas as pd

from quant_assets.adapters import fx_week
from quant_assets.contracts.sessions import Sessions
from quant_assets.core.venues import Market
from quant_assets.quant.market.bars import ALWAYS_OPEN, Instants, bar_step, instant, to_column

INSTALL = 'pip install "quant_assets[calendars]"'
DAY = timedelta(days=1)
FIRST, LAST = pd.Timestamp("1970-01-01"), pd.Timestamp("2040-12-31")


@dataclass(frozen=True, eq=False)
class _Schedule:
    """Sessions of one exchange, arrays (session,) of UTC instants; breaks are NaT where none is."""

    days: Instants
    opens: Instants
    break_starts: Instants
    break_ends: Instants
    closes: Instants

    def between(self, start: np.datetime64, end: np.datetime64) -> "_Schedule":
        """Sessions that touch [start, end), or whose date does."""
        touched = (self.closes > start) & (self.opens < end)
        mine = touched | ((self.days >= start) & (self.days < end))
        return _Schedule(*(getattr(self, field.name)[mine] for field in fields(self)))


@cache
def known_calendar(code: str) -> bool:
    """True when `sessions` can tell the days of this calendar."""
    if code in fx_week.CODES:
        return True
    if code == ALWAYS_OPEN or find_spec("exchange_calendars") is None:
        return False
    import exchange_calendars

    return code in exchange_calendars.get_calendar_names()


@cache
def calendar_version(code: str) -> str:
    """What the sessions of a calendar depend on: package and version, '' where it is not known."""
    if code in fx_week.CODES:
        return f"{code} {fx_week.VERSION}"
    if not known_calendar(code):
        return ""
    return f"exchange-calendars {version('exchange-calendars')}"


def sessions(code: str, first: date, last: date) -> Instants:
    """UTC midnights of the days from `first` to `last`, both included, on which it traded.

    Raises `LookupError` for a calendar that is not known; ask `known_calendar` before.
    """
    days = _schedule(code).days
    return days[(days >= np.datetime64(first)) & (days <= np.datetime64(last))]


def session_bars(market: Market, start: datetime, end: datetime) -> pd.DataFrame:
    """Bars that the venue's exchange has room for, `start <= ts < end`, a `Sessions` frame.

    A daily bar is stamped at the UTC midnight of its session's date. Shorter bars follow one
    another from the open, and again from the end of a break; the last one of a half day begins
    before its early close. Empty for a calendar that is not known, and for bars longer than a day.
    """
    if not known_calendar(market.calendar) or market.bar_length > DAY:
        return Sessions.empty()
    ts, days = _bars(_schedule(market.calendar).between(instant(start), instant(end)), market)
    inside = (ts >= instant(start)) & (ts < instant(end))
    if not inside.any():
        return Sessions.empty()
    known = ts[inside] + np.timedelta64(market.bar_length + market.publication_delay)
    return pd.DataFrame(
        {
            "ts": to_column(ts[inside]),
            "available_at": to_column(known),
            "session": to_column(days[inside]),
        }
    )


@cache
def _schedule(code: str) -> _Schedule:
    """All sessions from 1970 to 2040, as far as the package reaches."""
    if code in fx_week.CODES:
        week = fx_week.fx_week(code)
        never = np.full(len(week.days), np.datetime64("NaT", "us"))
        return _Schedule(week.days, week.opens, never, never, week.closes)
    if not known_calendar(code):
        raise LookupError(f"no calendar {code!r}: {INSTALL}")
    import exchange_calendars

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas, about the package's own holiday rules
        bounds = exchange_calendars.get_calendar(code)
        first, last = bounds.bound_min(), bounds.bound_max()
        found = exchange_calendars.get_calendar(
            code,
            start=FIRST if first is None else max(FIRST, first),
            end=LAST if last is None else min(LAST, last),
        ).schedule
    columns = [_utc(found[name]) for name in ("open", "break_start", "break_end", "close")]
    return _Schedule(np.asarray(found.index.to_numpy(), dtype="datetime64[us]"), *columns)


def _utc(column: pd.Series) -> Instants:
    return np.asarray(column.dt.tz_convert("UTC").dt.tz_localize(None), dtype="datetime64[us]")


def _bars(schedule: _Schedule, market: Market) -> tuple[Instants, Instants]:
    """Times of all bars of a schedule, in order, and the dates of their sessions."""
    if market.bar_length == DAY:
        return schedule.days, schedule.days
    broken = ~np.isnat(schedule.break_starts)
    starts = np.concatenate([schedule.opens, schedule.break_ends[broken]])
    first_stop = np.where(broken, schedule.break_starts, schedule.closes)
    stops = np.concatenate([first_stop, schedule.closes[broken]])
    days = np.concatenate([schedule.days, schedule.days[broken]])
    step = bar_step(market)
    counts = -((starts - stops) // step)  # rounded up: the last bar may be a short one
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    ts = np.repeat(starts, counts) + within * step
    order = np.argsort(ts, kind="stable")
    return ts[order], np.repeat(days, counts)[order]
