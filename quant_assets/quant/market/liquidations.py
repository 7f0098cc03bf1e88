"""Forced orders at their exact times."""

import pandas as pd

from quant_assets.contracts.liquidations import Liquidations
from quant_assets.core.context import IngestionContext
from quant_assets.core.telemetry import Telemetry
from quant_assets.quant.market.keys import latest_rows


def clean_liquidations(
    context: IngestionContext, telemetry: Telemetry, *, raw_liquidations: pd.DataFrame
) -> pd.DataFrame:
    """One window of forced orders, one row per key; a repeated delivery is one row.

    Times, prices and quantities stay exactly as published. An hour without rows is an hour without
    known liquidations, which is not the same as none: no source publishes all of them.
    """
    del context
    frame = latest_rows(raw_liquidations, Liquidations)
    notional = frame["price"] * frame["quantity"]
    telemetry.log_metrics(
        "liquidations",
        {
            "events": float(len(frame)),
            "repeated": float(len(raw_liquidations) - len(frame)),
            "notional of longs": float(notional[frame["side"] == "sell"].sum()),
            "notional of shorts": float(notional[frame["side"] == "buy"].sum()),
        },
    )
    return frame if len(frame) else Liquidations.empty()
