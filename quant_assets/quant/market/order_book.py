"""Order-book snapshots at their exact times, and those of them that have no mid price."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.contracts.doubts import Doubts
from quant_assets.contracts.order_book import OrderBook
from quant_assets.core.context import IngestionContext
from quant_assets.core.telemetry import Telemetry
from quant_assets.quant.market.flagged import flagged
from quant_assets.quant.market.keys import latest_rows
from quant_assets.quant.market.panel import Floats

DATASET = "order_book"
CROSSED, LOCKED = "crossed book", "locked book"


def clean_order_book(
    context: IngestionContext, telemetry: Telemetry, *, raw_order_book: pd.DataFrame
) -> pd.DataFrame:
    """One window of snapshots, one row per key, with `is_crossed` as the prices have it.

    Times, prices and quantities stay exactly as published, also those of a crossed or locked book,
    which is marked on every row of its snapshot and listed in `doubts`.
    """
    del context
    frame = latest_rows(raw_order_book, OrderBook)
    if frame.empty:
        telemetry.log_metrics(DATASET, {"snapshots": 0.0, "crossed": 0.0, "repeated": 0.0})
        return OrderBook.empty()
    starts, bid, ask = best_prices(frame)
    crossed = bid >= ask
    telemetry.log_metrics(
        DATASET,
        {
            "snapshots": float(len(starts)),
            "crossed": float(crossed.sum()),
            "repeated": float(len(raw_order_book) - len(frame)),
        },
    )
    rows = np.diff(np.append(starts, len(frame)))
    return frame.assign(is_crossed=np.repeat(crossed, rows))


def best_prices(order_book: pd.DataFrame) -> tuple[npt.NDArray[np.intp], Floats, Floats]:
    """First row of each snapshot, its highest bid and its lowest ask, each (snapshot,).

    A side without prices is NaN. `order_book` has rows and is sorted by its key.
    """
    ts = order_book["ts"].to_numpy(dtype="datetime64[us]")
    symbols, _ = pd.factorize(order_book["symbol"])
    begins = (ts[1:] != ts[:-1]) | (symbols[1:] != symbols[:-1])
    starts = np.flatnonzero(np.concatenate([[True], begins]))
    bid, ask = (order_book[name].to_numpy(dtype=np.float64) for name in ("bid_price", "ask_price"))
    return starts, np.fmax.reduceat(bid, starts), np.fmin.reduceat(ask, starts)


def crossed_books(order_book: pd.DataFrame) -> pd.DataFrame:
    """Flag snapshots whose best bid is above (crossed) or at (locked) the best ask, as `Doubts`.

    `value` is best bid minus best ask, in the quote currency.
    """
    if order_book.empty:
        return Doubts.empty()
    starts, bid, ask = best_prices(order_book)
    found = np.flatnonzero(bid >= ask)
    reasons = np.where(bid[found] > ask[found], CROSSED, LOCKED)
    return flagged(DATASET, order_book.iloc[starts[found]], reasons, bid[found] - ask[found])
