"""Funding as it was published, at its exact times."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from quant_assets.core.errors import DataError
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.simulation.execution.funding.base import NO_EVENTS, FundingModel
from quant_assets.quant.simulation.inputs import PriceGrid
from quant_assets.quant.simulation.settlements import (
    LONGEST_INTERVAL,
    funding_events,
    is_perpetual,
)
from quant_assets.quant.simulation.state import Events


@dataclass(frozen=True, kw_only=True)
class Settlements(FundingModel):
    """Every settlement of the frame between the first bar and the end of the last.

    Daily bars still settle three times a day; intervals may change. A perpetual that has prices
    for eight hours of bars or more and no settlement at all is a `DataError`: take `assume_zero`,
    or leave it out.
    """

    name: ClassVar[str] = "settlements"

    def events(self, bars: BarPanel, funding: pd.DataFrame | None) -> Events:
        """See the base class."""
        perpetual = [symbol for symbol in bars.symbols if is_perpetual(symbol)]
        if not perpetual:
            return NO_EVENTS
        settled = set() if funding is None else set(funding["symbol"].tolist())
        lengths = (~np.isnan(bars.close)).sum(axis=0) * bars.bar_length
        long = {s for s, d in zip(bars.symbols, lengths, strict=True) if d >= LONGEST_INTERVAL}
        missing = [symbol for symbol in perpetual if symbol in long and symbol not in settled]
        if missing:
            raise DataError(
                f"no funding for the perpetuals {missing}: give their settlements, or set the "
                "funding model to assume_zero (it is stamped on the report)"
            )
        if funding is None or not len(bars):
            return NO_EVENTS
        untraded = bars.volume == 0.0
        grid = PriceGrid(bars.ts, bars.available_at, bars.symbols, bars.open, bars.close, untraded)
        within = funding.loc[funding["ts"] >= pd.Timestamp(bars.ts[0], tz="UTC")]
        return funding_events(within.sort_values(["ts", "symbol"]), grid, bars.bar_length)[0]
