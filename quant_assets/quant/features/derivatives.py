"""Funding, open interest, liquidations and spot prices on the rows of bars, as they were known.

A row of bars at `ts` is known at `known[row]`. An event counts for the first row that was known at
or after the event's own `available_at`; so nothing is read before it was published.
"""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.quant.market.bars import Instants, instants
from quant_assets.quant.market.panel import Floats

MAX_AGE = timedelta(days=1)
Integers = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Rows:
    """The rows of a panel of bars: when each was known (time,), and the columns' symbols."""

    known: Instants
    symbols: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the panel."""
        return len(self.known), len(self.symbols)

    def of_events(self, events: pd.DataFrame) -> tuple[Integers, Integers, Integers]:
        """Positions of the events that belong to a row after the first, their rows and columns.

        What was known with the first row may have come at any time before it.
        """
        if events.empty:
            nothing = np.empty(0, dtype=np.intp)
            return nothing, nothing, nothing
        rows = np.searchsorted(self.known, instants(events["available_at"]), side="left")
        codes, found = pd.factorize(events["symbol"])  # a look-up of each symbol, not of each event
        columns = np.append(pd.Index(self.symbols).get_indexer(pd.Index(found)), -1)[codes]
        kept = np.flatnonzero((rows > 0) & (rows < len(self.known)) & (columns >= 0))
        return kept, rows[kept], columns[kept]


def funding_rates(rows: Rows, funding: pd.DataFrame) -> Floats:
    """Sum of the rates that became known with each row (time, symbol), NaN where none did."""
    kept, at, columns = rows.of_events(funding)
    total, count = np.zeros(rows.shape), np.zeros(rows.shape)
    np.add.at(total, (at, columns), funding["rate"].to_numpy(dtype=np.float64)[kept])
    np.add.at(count, (at, columns), 1.0)
    return np.where(count > 0.0, total, np.nan)


def open_interests(rows: Rows, open_interest: pd.DataFrame) -> Floats:
    """The snapshot of the latest `ts` known with each row (time, symbol), at most a day old."""
    kept, at, columns = rows.of_events(open_interest)
    taken = instants(open_interest["ts"])[kept]
    values = open_interest["open_interest"].to_numpy(dtype=np.float64)[kept]
    order = np.argsort(taken, kind="stable")
    at, columns = at[order], columns[order]
    levels = np.full(rows.shape, np.nan)
    moments = np.full(rows.shape, np.datetime64("NaT", "us"))
    levels[at, columns], moments[at, columns] = values[order], taken[order]  # the latest one stands
    return _carried(levels, moments, rows.known)


def _carried(levels: Floats, moments: npt.NDArray[np.datetime64], known: Instants) -> Floats:
    """Each level on the rows after it, until a newer one is known or it is over a day old."""
    newest = np.fmax.accumulate(moments, axis=0)  # fmax leaves NaT out
    place = np.where(moments == newest, np.arange(len(levels))[:, None], 0)
    place = np.maximum.accumulate(place, axis=0)
    fresh = known[:, None] - newest <= np.timedelta64(MAX_AGE)
    return np.where(fresh, levels[place, np.arange(levels.shape[1])], np.nan)


def liquidated(rows: Rows, liquidations: pd.DataFrame, *, side: str) -> Floats:
    """Quote notional of the forced orders of a side that became known with each row; 0: none."""
    kept, at, columns = rows.of_events(liquidations)
    notional = (liquidations["price"] * liquidations["quantity"]).to_numpy(dtype=np.float64)[kept]
    notional = np.where((liquidations["side"] == side).to_numpy()[kept], notional, 0.0)
    total = np.zeros(rows.shape)
    np.add.at(total, (at, columns), notional)
    return total


def spot_closes(close: Floats, symbols: tuple[str, ...]) -> Floats:
    """Closes of each perpetual's spot instrument (`BTC/USDT` of `BTC/USDT:USDT`), NaN without."""
    position = {symbol: column for column, symbol in enumerate(symbols)}
    spots = np.full(close.shape, np.nan)
    for column, symbol in enumerate(symbols):
        pair, colon, _ = symbol.partition(":")
        if colon and pair in position:
            spots[:, column] = close[:, position[pair]]
    return spots
