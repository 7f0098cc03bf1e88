"""ccxt's answers as raw frames: the columns of `layouts.base.RAW_COLUMNS`, nothing judged."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from quant_assets.adapters.pulling.ranges import Range

Columns = dict[str, Sequence[Any]]
_PRICES = ("open", "high", "low", "close")


def bar_columns(answer: list[list[Any]], *, base_per_volume: float) -> Columns:
    """Columns of ccxt's candles; volume in base units."""
    prices: Columns = {name: [row[n] for row in answer] for n, name in enumerate(_PRICES, start=1)}
    volume = [None if row[5] is None else row[5] * base_per_volume for row in answer]
    return {"ts": [row[0] for row in answer], **prices, "volume": volume}


def funding_columns(answer: list[dict[str, Any]]) -> Columns:
    """Columns of ccxt's funding rates; the mark price where the exchange tells it beside."""
    return {
        "ts": [row["timestamp"] for row in answer],
        "rate": [row["fundingRate"] for row in answer],
        "mark_price": [_positive(row["info"].get("markPrice")) for row in answer],
    }


def open_interest_columns(answer: list[dict[str, Any]], market: Mapping[str, Any]) -> Columns:
    """Columns of ccxt's open interest; where only a value is told, that is what it counts."""
    counted = "base" if market.get("contractSize") in (None, 1, 1.0) else "contracts"
    amounts = [row["openInterestAmount"] for row in answer]
    values = [row["openInterestValue"] for row in answer]
    pairs = list(zip(amounts, values, strict=True))
    return {
        "ts": [row["timestamp"] for row in answer],
        "open_interest": [value if amount is None else amount for amount, value in pairs],
        "open_interest_value": values,
        "unit": ["quote" if amount is None else counted for amount in amounts],
    }


def book_columns(book: Mapping[str, Any], *, now: int, levels: int) -> Columns:
    """Columns of one snapshot, best level first; `now` where the exchange gives it no time."""
    bids, asks = book["bids"][:levels], book["asks"][:levels]
    depth = max(len(bids), len(asks))
    moment = book.get("timestamp") or now
    sides = {"bid": bids, "ask": asks}
    return {
        "ts": [moment] * depth,
        "level": list(range(depth)),
        **{
            f"{side}_{name}": [row[n] for row in rows] + [None] * (depth - len(rows))
            for side, rows in sides.items()
            for n, name in enumerate(("price", "quantity"))
        },
    }


def raw_frame(columns: Columns, symbol: str, asked: Range) -> pd.DataFrame:
    """Raw frame of the rows inside `asked`; `line` counts all rows of the answer, from 1."""
    ts = pd.to_datetime(pd.Series(columns["ts"], dtype="int64"), unit="ms", utc=True)
    frame = pd.DataFrame({"ts": ts.dt.as_unit("us")})
    frame["symbol"] = pd.Series([symbol] * len(frame), dtype="str")
    for name, values in columns.items():
        if name != "ts":
            frame[name] = pd.Series(values, dtype=_DTYPES.get(name, "float64"))
    frame["line"] = np.arange(1, len(frame) + 1, dtype=np.int64)
    inside = (frame["ts"] >= asked.start) & (frame["ts"] < asked.end)
    return frame[inside].sort_values("ts", kind="stable").reset_index(drop=True)


_DTYPES = {"unit": "str", "level": "int64"}


def _positive(text: object) -> float | None:
    """The number in `text`; None where it is absent or 0, which exchanges write for unknown."""
    number = float(text) if isinstance(text, str | int | float) and text != "" else 0.0
    return number if number > 0 else None
