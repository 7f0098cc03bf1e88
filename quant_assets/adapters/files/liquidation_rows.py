"""Forced orders out of rows that have the fields of an exchange's force-order message."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.adapters.files.csv_rows import Rows
from quant_assets.adapters.files.native_symbols import contract_usd, is_inverse
from quant_assets.adapters.layouts.base import Raw

_NO_PRICE = ("", "None", "null", "nan")
SIDES = ("buy", "sell")


@dataclass(frozen=True)
class ForceOrderColumns:
    """What the columns are called in a layout."""

    time: str = "time"
    side: str = "side"
    price: str = "price"
    average_price: str = "average_price"
    filled: str = "accumulated_fill_quantity"


def forced_orders(
    rows: Rows, symbol: str | pd.Series, columns: ForceOrderColumns, notes: Sequence[str] = ()
) -> Raw:
    """Rows of dataset `liquidations`.

    The price is the average one; where none is published (or it is 0), the order's. The quantity
    is what was filled in all, in base: contracts of a coin-margined order are worth a fixed sum of
    USD each and are divided by the price.
    """
    ts = rows.stamps(columns.time, "ms")
    side = rows.words(columns.side).str.lower()
    rows.set_aside(~side.isin(SIDES).to_numpy(), "side is neither BUY nor SELL")
    price = rows.numbers(columns.price)
    average = rows.numbers(columns.average_price, absent=_NO_PRICE)
    price = np.where(average > 0, average, price)
    quantity = rows.numbers(columns.filled)
    if isinstance(symbol, str) and is_inverse(symbol):
        with np.errstate(divide="ignore", invalid="ignore"):
            quantity = quantity * contract_usd(symbol) / price
    return rows.raw(
        "liquidations",
        {
            "ts": ts,
            "symbol": symbol,
            "event_id": event_ids(side, price, quantity),
            "side": side,
            "price": price,
            "quantity": quantity,
        },
        notes=notes,
    )


def event_ids(
    side: pd.Series, price: npt.NDArray[np.float64], quantity: npt.NDArray[np.float64]
) -> pd.Series:
    """Ids of events whose source gives none: equal for equal side, price and quantity."""
    parts = zip(side, price.tolist(), quantity.tolist(), strict=True)
    return pd.Series([f"{word}@{p!r}x{q!r}" for word, p, q in parts], dtype="str")
