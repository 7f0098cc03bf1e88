"""Bars out of trades that come in batches, in order of time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.adapters.files.stamps import Instants, to_column
from quant_assets.quant.market.bars import microseconds

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
_MERGE = {
    "open": "first",
    "high": "max",
    "low": "min",
    "close": "last",
    "volume": "sum",
    "quote_volume": "sum",
    "trades": "sum",
    "line": "first",
}


@dataclass(frozen=True)
class Trades:
    """Trades in file order, arrays of one length; `quantity` in base, `count` trades in a row."""

    ts: Instants
    price: Floats
    quantity: Floats
    count: Integers
    line: Integers


class TradeBars:
    """Makes bars [ts, ts + length), aligned to 1970-01-01 UTC; a bar without trades is none.

    The last bar is held back until a trade after its end is seen, or `finish` is called. A trade
    of a bar before that one is late: its bar was given out already.
    """

    def __init__(self, length: timedelta) -> None:
        self._step = int(length / timedelta(microseconds=1))
        self._open: pd.DataFrame | None = None

    def add(self, trades: Trades) -> tuple[pd.DataFrame, Mask]:
        """Bars that ended, and a mask of the trades that came late and are in no bar."""
        at = microseconds(trades.ts.astype("datetime64[us]"))
        start = at // self._step * self._step
        held = self._open
        latest = np.maximum.accumulate(start)
        if held is not None and len(start):
            latest = np.maximum(latest, held["start"].to_numpy()[0])
        late = np.asarray(start < latest)
        bars = self._grouped(trades, start, ~late)
        if held is not None:
            bars = _merged(pd.concat([held, bars], ignore_index=True))
        self._open = bars.iloc[-1:] if len(bars) else None
        return _dated(bars.iloc[:-1]), late

    def finish(self) -> pd.DataFrame:
        """The bar that was held back; an empty frame when there is none."""
        rest = self._open if self._open is not None else _nothing()
        self._open = None
        return _dated(rest)

    def _grouped(self, trades: Trades, start: Integers, keep: Mask) -> pd.DataFrame:
        start, price, quantity = start[keep], trades.price[keep], trades.quantity[keep]
        if len(start) == 0:
            return _nothing()
        first = np.flatnonzero(np.concatenate([[True], start[1:] != start[:-1]]))
        last = np.concatenate([first[1:], [len(start)]]) - 1
        return pd.DataFrame(
            {
                "start": start[first],
                "open": price[first],
                "high": np.maximum.reduceat(price, first),
                "low": np.minimum.reduceat(price, first),
                "close": price[last],
                "volume": np.add.reduceat(quantity, first),
                "quote_volume": np.add.reduceat(quantity * price, first),
                "trades": np.add.reduceat(trades.count[keep], first),
                "line": trades.line[keep][first],
            }
        )


def _nothing() -> pd.DataFrame:
    types: dict[str, Any] = dict.fromkeys(("start", *_MERGE), "float64")
    types |= dict.fromkeys(("start", "trades", "line"), "int64")
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in types.items()})


def _merged(bars: pd.DataFrame) -> pd.DataFrame:
    """Join the held bar with the part of it that came in the next batch."""
    if len(bars) > 1 and bars["start"].iloc[0] == bars["start"].iloc[1]:
        head = bars.iloc[:2].groupby("start", as_index=False).agg(_MERGE)
        return pd.concat([head, bars.iloc[2:]], ignore_index=True)
    return bars


def _dated(bars: pd.DataFrame) -> pd.DataFrame:
    frame = bars.drop(columns="start").reset_index(drop=True)
    frame.insert(0, "ts", to_column(bars["start"].to_numpy().astype("datetime64[us]")))
    return frame


def whole(bars: pd.DataFrame, *, start: datetime, end: datetime, length: timedelta) -> Mask:
    """Mask of the bars that lie wholly in [start, end), the time that a source covers."""
    return np.asarray((bars["ts"] >= start) & (bars["ts"] + length <= end))
