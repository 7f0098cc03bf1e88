"""From the kernel's arrays to the contracts Equity, Fills, Trades and FinalHoldings."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.quant.simulation.inputs import Floats, PriceGrid, Times
from quant_assets.quant.simulation.state import BOOK_FIELDS, FILL_FIELDS

Codes = npt.NDArray[np.int64]


def utc_index(times: Times) -> pd.DatetimeIndex:
    """Naive UTC microseconds as `datetime64[us, UTC]`."""
    return pd.DatetimeIndex(times).tz_localize("UTC")


def _strings(names: list[str]) -> Any:
    return pd.array(names, dtype="str")


def _frame(columns: Mapping[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(dict(columns), copy=False)


class Labels:
    """Axes of the kernel's arrays, ready to be taken by code; the currency is the last symbol."""

    def __init__(
        self, grid: PriceGrid, entrants: tuple[str, ...], currency: str, decided_at: datetime
    ) -> None:
        self.ts = utc_index(grid.ts)
        self.available_at = utc_index(grid.available_at)
        self.entrants = _strings(list(entrants))
        self.symbols = _strings([*grid.symbols, currency])
        self.decided_at = decided_at

    def decided(self, n_rows: int) -> pd.DatetimeIndex:
        """`decided_at`, n times."""
        moment = pd.Timestamp(self.decided_at).tz_convert("UTC").as_unit("us")
        return pd.DatetimeIndex([moment]).take(np.zeros(n_rows, dtype=np.int64))


def equity_frame(labels: Labels, book: Floats) -> pd.DataFrame:
    """Lay out Equity rows from `book` (field, time, entrant): one per bar and entrant."""
    n_bars, n_entrants = book.shape[1:]
    bar = np.repeat(np.arange(n_bars), n_entrants)
    entrant = np.tile(np.arange(n_entrants), n_bars)
    columns = {name: book[row].ravel() for row, name in enumerate(BOOK_FIELDS)}
    return _frame(
        {
            "ts": labels.ts.take(bar),
            "available_at": labels.available_at.take(bar),
            "entrant": labels.entrants.take(entrant),
            **columns,
        }
    )


def fill_ids(labels: Labels, entrant: Codes, symbol: Codes) -> list[str]:
    """`<decision>-<entrant>-<symbol>`, with `-2`, `-3`, … for the later parts of a split order."""
    prefix = f"{labels.decided_at:%Y%m%dT%H%M}"
    entrants, symbols = labels.entrants.tolist(), labels.symbols.tolist()
    seen: dict[tuple[int, int], int] = {}
    names = []
    for pair in zip(entrant.tolist(), symbol.tolist(), strict=True):
        part = seen[pair] = seen.get(pair, 0) + 1
        suffix = "" if part == 1 else f"-{part}"
        names.append(f"{prefix}-{entrants[pair[0]]}-{symbols[pair[1]]}{suffix}")
    return names


def fill_frames(labels: Labels, fills: Floats) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Lay out Fills and Trades from the kernel's rows, ordered by entrant, bar and symbol."""
    order = np.argsort(fills[:, 0], kind="stable")
    column = dict(zip(FILL_FIELDS, np.ascontiguousarray(fills[order].T), strict=True))
    bar, entrant, symbol = (column[name].astype(np.int64) for name in FILL_FIELDS[:3])
    keys = {
        "ts": labels.ts.take(bar),
        "available_at": labels.available_at.take(bar),
        "entrant": labels.entrants.take(entrant),
        "symbol": labels.symbols.take(symbol),
        "fill_id": _strings(fill_ids(labels, entrant, symbol)),
    }
    numbers = ("quantity", "reference_price", "price", "fee", "slippage")
    filled = {**keys, "decided_at": labels.decided(len(bar))}
    filled |= {name: column[name] for name in numbers}
    closing = np.flatnonzero(column["closed"] != 0.0)
    closed = {name: values.take(closing) for name, values in keys.items()}
    closed |= {
        "quantity": column["closed"][closing],
        "entry_price": column["entry_price"][closing],
        "exit_price": column["price"][closing],
        "pnl": column["pnl"][closing],
        "fee": column["closing_fee"][closing],
    }
    return _frame(filled), _frame(closed)


def holdings_frame(
    labels: Labels, cash: Floats, positions: tuple[Floats, Floats, Floats]
) -> pd.DataFrame:
    """FinalHoldings at the last bar: per entrant a cash row, then its non-zero positions.

    `positions` = (quantity, average price), both (entrant, symbol), and the marks (symbol,).
    """
    quantity, average, mark = positions
    entrant, symbol = np.nonzero(quantity)
    n_cash = len(cash)
    owner = np.r_[np.arange(n_cash), entrant]
    is_position = np.r_[np.zeros(n_cash, dtype=np.int64), np.ones(len(entrant), dtype=np.int64)]
    name = np.r_[np.full(n_cash, len(labels.symbols) - 1), symbol]
    order = np.lexsort((name, is_position, owner))
    ones = np.ones(n_cash)
    last = np.full(len(order), len(labels.ts) - 1)
    return _frame(
        {
            "ts": labels.ts.take(last),
            "available_at": labels.available_at.take(last),
            "entrant": labels.entrants.take(owner[order]),
            "kind": _strings(["cash", "position"]).take(is_position[order]),
            "symbol": labels.symbols.take(name[order]),
            "quantity": np.r_[cash, quantity[entrant, symbol]][order],
            "average_price": np.r_[ones, average[entrant, symbol]][order],
            "mark_price": np.r_[ones, mark[symbol]][order],
        }
    )
