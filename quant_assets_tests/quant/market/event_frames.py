"""Small frames of what venues deliver besides bars, for the tests of cleaning and doubts."""

import pandas as pd

from quant_assets.contracts.adjustments import Adjustments
from quant_assets.contracts.base import Contract
from quant_assets.contracts.doubts import Doubts
from quant_assets.contracts.liquidations import Liquidations
from quant_assets.contracts.open_interest import OpenInterest
from quant_assets.contracts.order_book import OrderBook

NAN = float("nan")


def at(text: str) -> pd.Timestamp:
    """Give the UTC instant of `text`, in 2020 and February where it says no more than that."""
    return pd.Timestamp(text if text.startswith("20") else f"2020-02-{text}", tz="UTC")


def frame_of(contract: type[Contract], rows: list[tuple], *, check: bool = True) -> pd.DataFrame:
    """Rows as a frame of the contract; `ts` and `available_at` are texts for `at`."""
    columns = {n: c.dtype.type for n, c in contract.to_schema().columns.items()}
    if not rows:
        return contract.empty()
    frame = pd.DataFrame([(at(r[0]), at(r[1]), *r[2:]) for r in rows], columns=list(columns))
    frame = frame.astype(columns)
    return contract.check_frame(frame, where="the test's rows") if check else frame


def open_interest(*rows: tuple, check: bool = True) -> pd.DataFrame:
    """Rows (ts, symbol, open_interest[, unit]), known at once, worth 10 each."""
    full = [(r[0], r[0], r[1], r[2], 10.0 * r[2], *(r[3:] or ("base",))) for r in rows]
    return frame_of(OpenInterest, full, check=check)


def order_book(*rows: tuple) -> pd.DataFrame:
    """Rows (ts, symbol, level, bid, ask[, is_crossed]), one unit at each price."""
    full = [(r[0], r[0], r[1], r[2], r[3], 1.0, r[4], 1.0, *(r[5:] or (False,))) for r in rows]
    return frame_of(OrderBook, full)


def liquidations(*rows: tuple, check: bool = True) -> pd.DataFrame:
    """Rows (ts, available_at, symbol, event_id, side, price, quantity)."""
    return frame_of(Liquidations, list(rows), check=check)


def doubts(*rows: tuple, dataset: str = "bars") -> pd.DataFrame:
    """Rows (ts, symbol, outcome, reason), about lines 1, 2, … of a file."""
    full = [
        (r[0], r[0], dataset, r[1], r[2], r[3], NAN, "x.csv", line, "a,b")
        for line, r in enumerate(rows, start=1)
    ]
    return frame_of(Doubts, full)


def adjustments(*rows: tuple, check: bool = True) -> pd.DataFrame:
    """Rows (ts, available_at, symbol, kind, price_factor)."""
    return frame_of(Adjustments, list(rows), check=check)
