"""How many periods a year the data show, and whether a claimed number is that of the data."""

from datetime import timedelta

import numpy as np
import pandas as pd

from quant_assets.core.errors import DataError

DAYS_PER_YEAR = 365.2425
SHORT_SAMPLE_DAYS = 5.0
DAYS_PER_WEEK = 7
WEEKDAYS = 5
SESSIONS_PER_YEAR = 252.0  # of venues that keep weekends and holidays
DAY = timedelta(days=1)
NIGHT = timedelta(hours=6)  # hours of the day that no bar opens in: the venue closes


def observed_periods(
    ts: pd.DatetimeIndex, bar_length: timedelta, *, exchange_days: bool = False
) -> float:
    """Bars per year that `ts` (sorted, in the time zone of the venue) shows.

    Bars of a day or longer, a year of data, and venues that never close: (n - 1) / years between
    first and last. Shorter samples of intraday bars begin and end with a session, so that figure
    leaves out a night or a weekend: there the bars of a mean week are counted, weekday by weekday,
    and taken 252 / 5 times a year, or 365.2425 / 7 times where Saturdays or Sundays have bars.
    Weekdays that the sample does not reach count as the mean of those that it does.

    A venue closes where nothing trades for six hours of every day or, over a week or more, on some
    day of the week. Less than a day of bars shows no night, unless `exchange_days` says that the
    venue keeps the hours of an exchange.
    Below two rows: as many bars as a year has room for.
    """
    days = (ts[-1] - ts[0]).total_seconds() / 86_400.0 if len(ts) > 1 else 0.0
    shown = periods_of_span(len(ts), days, bar_length, exchange_days=exchange_days)
    if shown is not None:
        return shown
    plain = (len(ts) - 1) / days * DAYS_PER_YEAR
    by_weekday, dates = _bars_by_weekday(ts)
    seen = dates > 0
    night = (days >= 1.0 or exchange_days) and _longest_pause(ts) >= NIGHT + bar_length
    if seen.all() or not seen[:WEEKDAYS].any() or not (night or days >= DAYS_PER_WEEK):
        return float(plain)
    means = np.divide(by_weekday, dates, out=np.zeros(DAYS_PER_WEEK), where=seen)
    week = means[seen[:WEEKDAYS].nonzero()[0]].mean() * WEEKDAYS + means[WEEKDAYS:].sum()
    weekends = seen[WEEKDAYS:].any()
    return float(week * (DAYS_PER_YEAR / DAYS_PER_WEEK if weekends else SESSIONS_PER_YEAR / 5))


def periods_of_span(
    n: int, days: float, bar_length: timedelta, *, exchange_days: bool
) -> float | None:
    """`observed_periods` of n bars where the days from first to last tell it, else None."""
    if n < 2:
        return timedelta(days=DAYS_PER_YEAR) / bar_length
    full = n * bar_length.total_seconds() >= days * 86_400.0
    if bar_length >= DAY or days >= DAYS_PER_YEAR or (full and not exchange_days):
        return (n - 1) / days * DAYS_PER_YEAR
    return None


def _bars_by_weekday(ts: pd.DatetimeIndex) -> tuple[np.ndarray, np.ndarray]:
    """Bars and dates of each day of the week, Monday first."""
    dates, bars = np.unique(
        ts.tz_localize(None).to_numpy().astype("datetime64[D]"), return_counts=True
    )
    weekdays = pd.DatetimeIndex(dates).day_of_week
    return (
        np.bincount(weekdays, weights=bars, minlength=DAYS_PER_WEEK),
        np.bincount(weekdays, minlength=DAYS_PER_WEEK),
    )


def _longest_pause(ts: pd.DatetimeIndex) -> timedelta:
    """The longest part of the day, over midnight too, in which no bar opens on any day."""
    seconds = np.unique(ts.hour * 3600 + ts.minute * 60 + ts.second).astype(np.int64)
    pauses = np.diff(seconds, append=seconds[:1] + 86_400)
    return timedelta(seconds=int(pauses.max()))


def check_annualisation(
    ts: pd.DatetimeIndex, periods_per_year: float, tolerance: float = 0.05
) -> float:
    """Return the bars per year that `ts` (sorted, UTC) shows, if the claim is within `tolerance`.

    Observed = (n - 1) / years between first and last. Further apart is a `DataError`. Below a year
    of data from a venue that closes, weekends and holidays at the ends can move the figure by up to
    five days over the span: what they might explain cannot be judged, and NaN is returned. So it is
    below two rows. A venue with bars on all seven days of the week does not close, and is judged by
    `tolerance` whatever the span.
    """
    if len(ts) < 2:
        return float("nan")
    days = (ts[-1] - ts[0]).total_seconds() / 86_400.0
    observed = (len(ts) - 1) / days * DAYS_PER_YEAR
    apart = abs(observed / periods_per_year - 1.0)
    if apart <= tolerance:
        return observed
    closes = len(ts.day_of_week.unique()) < DAYS_PER_WEEK
    if closes and days < DAYS_PER_YEAR and apart <= tolerance + SHORT_SAMPLE_DAYS / days:
        return float("nan")
    raise DataError(
        f"the data have {observed:.1f} bars per year ({len(ts)} bars in {days:.1f} days), but "
        f"market.bars_per_year says {periods_per_year:g}: {apart:.1%} apart, more than "
        f"{tolerance:.0%}. Mend the venue file or the gaps in the data"
    )
