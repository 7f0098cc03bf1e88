"""The funding rate of each bar: what a strategy may know of the settlements."""

from dataclasses import replace

import numpy as np
import pandas as pd

from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.bars import instants

FUNDING_RATE = "funding_rate"


def with_funding_rate(panel: BarPanel, funding: pd.DataFrame) -> BarPanel:
    """The panel with the extra `funding_rate`: of the last settlement known when each bar was.

    funding : settlements with `ts`, `available_at`, `symbol` and `rate`. NaN before the first one,
    and for symbols that have none.
    """
    rates = np.full(panel.close.shape, np.nan)
    for column, symbol in enumerate(panel.symbols):
        rows = funding[funding["symbol"] == symbol].sort_values(["available_at", "ts"])
        if len(rows):
            at = np.searchsorted(instants(rows["available_at"]), panel.available_at, side="right")
            values = np.concatenate([[np.nan], rows["rate"].to_numpy(dtype=np.float64)])
            rates[:, column] = values[at]
    return replace(panel, extras={**panel.extras, FUNDING_RATE: rates})
