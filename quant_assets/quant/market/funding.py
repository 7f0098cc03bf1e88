"""Funding settlements of perpetuals: exact times, no resampling."""

import pandas as pd

from quant_assets.contracts.funding import Funding
from quant_assets.core.context import IngestionContext
from quant_assets.core.errors import DataError
from quant_assets.core.telemetry import Telemetry

MAX_RATE = 0.10


def clean_funding(
    context: IngestionContext, telemetry: Telemetry, *, raw_funding: pd.DataFrame
) -> pd.DataFrame:
    """Check one window of settlements; times and rates stay exactly as published.

    A rate beyond 10 % of notional per settlement is a unit error of the source (percent or bps
    read as fractions), so it is refused with the row rather than paid.
    """
    wild = raw_funding["rate"].abs() > MAX_RATE
    if wild.any():
        row = raw_funding.loc[wild].iloc[0]
        raise DataError(
            f"{context.venue}: funding of {row['symbol']} at {row['ts']} is {row['rate']} of "
            f"notional, beyond ±{MAX_RATE}: the source's unit is wrong (fractions are expected). "
            "Mend the source."
        )
    telemetry.log_metrics("funding", {"settlements": float(len(raw_funding))})
    return raw_funding if len(raw_funding) else Funding.empty()
