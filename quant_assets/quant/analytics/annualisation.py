"""Whether the claimed number of periods per year is that of the data."""

import pandas as pd

from quant_assets.core.errors import DataError

DAYS_PER_YEAR = 365.2425
SHORT_SAMPLE_DAYS = 5.0


def check_annualisation(
    ts: pd.DatetimeIndex, periods_per_year: float, tolerance: float = 0.05
) -> float:
    """Return the bars per year that `ts` shows; `DataError` when they are too far from the claim.

    Observed = (n - 1) / years between first and last. Below a year of data, weekends and holidays
    at the ends are let pass: five days over the span are added to `tolerance`. NaN below two rows.
    """
    if len(ts) < 2:
        return float("nan")
    days = (ts[-1] - ts[0]).total_seconds() / 86_400.0
    observed = (len(ts) - 1) / days * DAYS_PER_YEAR
    allowed = tolerance if days >= DAYS_PER_YEAR else tolerance + SHORT_SAMPLE_DAYS / days
    if abs(observed / periods_per_year - 1.0) > allowed:
        raise DataError(
            f"the data have {observed:.1f} bars per year ({len(ts)} bars in {days:.1f} days), but "
            f"market.bars_per_year says {periods_per_year:g}: more than {allowed:.1%} apart. Mend "
            "the venue file or the gaps in the data"
        )
    return observed
