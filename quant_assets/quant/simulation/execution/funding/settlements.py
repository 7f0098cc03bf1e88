"""Funding as it was published, at its exact times."""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

import numpy as np
import pandas as pd

from quant_assets.core.errors import DataError
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.bars import instants
from quant_assets.quant.simulation.execution.funding.base import NO_EVENTS, FundingModel
from quant_assets.quant.simulation.inputs import PriceGrid
from quant_assets.quant.simulation.settlements import (
    LONGEST_INTERVAL,
    funding_events,
    is_perpetual,
)
from quant_assets.quant.simulation.state import Events

LATE = timedelta(minutes=1)  # by which a venue stamps a settlement before or after its hour


@dataclass(frozen=True, kw_only=True)
class Settlements(FundingModel):
    """Every settlement of the frame between the first bar and the end of the last.

    Daily bars still settle three times a day; intervals may change. A perpetual that has prices
    for eight hours of bars or more and no settlement is a `DataError`, and so is one that has
    prices for more than eight hours, or more than lie between most of its settlements, between two
    of them, before the first or after the last: one is missing. So is a rate that is no number.
    Complete them, take `assume_zero`, or leave the symbol out.
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
                f"no funding for the perpetuals {missing}: give their settlements (--funding FILE "
                "at the command line), or set the funding model to assume_zero (--funding zero; it "
                "is stamped on the report)"
            )
        if funding is None or not len(bars):
            return NO_EVENTS
        within = funding.loc[funding["ts"] >= pd.Timestamp(bars.ts[0], tz="UTC")]
        within = within.sort_values(["ts", "symbol"])
        for symbol, own in funding.groupby("symbol", observed=True):
            if symbol in perpetual:
                _require_whole(bars, own, str(symbol))
        untraded = bars.volume == 0.0
        grid = PriceGrid(bars.ts, bars.available_at, bars.symbols, bars.open, bars.close, untraded)
        return funding_events(within, grid, bars.bar_length)[0]


def _require_whole(bars: BarPanel, settled: pd.DataFrame, symbol: str) -> None:
    """`DataError` for a rate that is no number, and for a settlement that is missing.

    Two settlements show how far apart they are; of a single one nothing is missing.
    """
    rates = settled["rate"].to_numpy(dtype=np.float64)
    if not np.isfinite(rates).all():
        row = int(np.argmax(~np.isfinite(rates)))
        raise DataError(
            f"the funding rate of {symbol} at {settled['ts'].iloc[row]} is {rates[row]}: repair or "
            "complete it, or set the funding model to assume_zero (it is stamped on the report)"
        )
    length = np.timedelta64(bars.bar_length).astype("timedelta64[us]")
    moments = np.sort(instants(settled["ts"]))
    if len(moments) < 2:
        return
    longest = np.timedelta64(LONGEST_INTERVAL).astype("timedelta64[us]")
    longest = max(longest, np.median(np.diff(moments)))
    moments = moments[(moments >= bars.ts[0]) & (moments < bars.ts[-1] + length)]
    edges = np.concatenate([bars.ts[:1], moments, bars.ts[-1:] + length])
    column = ~np.isnan(bars.close[:, bars.symbols.index(symbol)])
    before = np.concatenate([[0], np.cumsum(column)])[: len(bars)] * length
    at = np.clip(np.searchsorted(bars.ts, edges, side="right") - 1, 0, len(bars) - 1)
    inside = np.minimum(np.maximum(edges - bars.ts[at], np.timedelta64(0)), length)
    priced = np.diff(before[at] + column[at] * inside)
    hole = priced > longest + np.timedelta64(LATE)
    if hole.any():
        first = int(np.argmax(hole))
        raise DataError(
            f"no funding of {symbol} between {edges[first]} and {edges[first + 1]} UTC, where it "
            f"has prices for {priced[first].astype(timedelta)}: complete its settlements, or set "
            "the funding model to assume_zero (it is stamped on the report)"
        )
