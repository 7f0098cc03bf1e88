"""Whether the claimed number of periods per year is that of the data."""

import pandas as pd

from quant_assets.core.errors import DataError

DAYS_PER_YEAR = 365.2425
SHORT_SAMPLE_DAYS = 5.0
DAYS_PER_WEEK = 7


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
