"""The book of a run between two windows: as rows of `StrategyState`, and as a book again.

Bars are counted from the first one of the history, which every window of a run reads whole; so
what is kept are the numbers of the book themselves, and a run that goes on is the run that was
never interrupted. Numbers that are as in a new book are left out. Logs are not kept: a window
writes down what happened in it.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.contracts.strategy_state import StrategyState
from quant_assets.core.errors import DataError
from quant_assets.quant.simulation.execution.book import Book, Market
from quant_assets.quant.simulation.execution.preparation import Preparation, new_book

BAR, N_HELD, N_OPEN, N_FILLS, N_ORDERS, N_TRADES, N_VETOES, EVENT = 0, 1, 2, 4, 5, 6, 7, 8
LOG_COUNTERS = (N_FILLS, N_ORDERS, N_TRADES, N_VETOES)
LAST_TRADE = 15  # a flag of a symbol: row of its last trade in the log
SYMBOL, DECIDED, ACTIVE, EXPIRES = 1, 3, 4, 5  # codes of an order
EQUITY = 1  # field of the account, and of a row of the equity log
NEVER = 2**62
EARLIER_TRADES = 1  # rows of the trade log that stand for all trades of windows before
Row = tuple[str, str, int, int, float]
Numbers = npt.NDArray[Any]


@dataclass(frozen=True)
class Carried:
    """A book that stands at some bar, and the highest equity at any close before it."""

    book: Book
    highest: float


def state_frame(
    preparation: Preparation, carried: Carried, strategy: str, stamps: tuple[datetime, datetime]
) -> pd.DataFrame:
    """Rows of `StrategyState`; stamps : `ts` and `available_at` of the last bar."""
    rows = sorted(_rows(preparation, carried))
    columns = list(zip(*rows, strict=True))
    ts, known = (pd.Timestamp(stamp).as_unit("us") for stamp in stamps)
    frame = pd.DataFrame(
        {
            "ts": pd.DatetimeIndex([ts]).repeat(len(rows)),
            "available_at": pd.DatetimeIndex([known]).repeat(len(rows)),
            "strategy_name": pd.array([strategy] * len(rows), dtype="str"),
            "part": pd.array(columns[0], dtype="str"),
            "symbol": pd.array(columns[1], dtype="str"),
            "row": np.array(columns[2], dtype=np.int64),
            "field": np.array(columns[3], dtype=np.int64),
            "value": np.array(columns[4], dtype=np.float64),
        }
    )
    return frame.astype({"ts": "datetime64[us, UTC]", "available_at": "datetime64[us, UTC]"})


def moved(state: pd.DataFrame, moment: datetime) -> pd.DataFrame:
    """The same state at the start of a window that has no bars."""
    stamp = pd.Series(pd.Timestamp(moment), index=state.index).astype("datetime64[us, UTC]")
    return state.assign(ts=stamp, available_at=stamp)


def _rows(preparation: Preparation, carried: Carried) -> Iterator[Row]:
    """Part, symbol, row, field and value of what differs from a new book."""
    book, names = carried.book, preparation.symbols
    fresh = new_book(preparation.market, 0.0)
    counters, flags = book.counters.copy(), book.flags.copy()
    counters[[*LOG_COUNTERS, EVENT]] = fresh.counters[[*LOG_COUNTERS, EVENT]]
    flags[:, LAST_TRADE] = fresh.flags[:, LAST_TRADE]
    yield ("run", "", 0, 0, carried.highest)
    for part, now, before in (
        ("account", book.account, fresh.account),
        ("counters", counters, fresh.counters),
    ):
        for field in _different(now, before)[0].tolist():
            yield (part, "", 0, field, _number(now[field]))
    for part, now, before in (
        ("symbols", book.symbols, fresh.symbols),
        ("flags", flags, fresh.flags),
    ):
        for at, field in zip(*(axis.tolist() for axis in _different(now, before)), strict=True):
            yield (part, names[at], 0, field, _number(now[at, field]))
    for place, at in enumerate(book.held[: book.counters[N_HELD]].tolist()):
        yield ("held", names[at], place, 0, 1.0)
    for slot in range(int(book.counters[N_OPEN])):
        name = names[book.codes[slot, SYMBOL]]
        for part, numbers in (("orders", book.orders[slot]), ("codes", book.codes[slot])):
            for field, value in enumerate(numbers.tolist()):
                yield (part, name, slot, field, _number(value))


def _different(now: Numbers, before: Numbers) -> tuple[Numbers, ...]:
    return np.nonzero((now != before) & ~(np.isnan(now) & np.isnan(before)))


def _number(value: float) -> float:
    """The number as a float; `DataError` when one cannot hold it."""
    number = float(value)
    if math.isinf(number) or not (math.isnan(number) or number == value):
        raise DataError(f"the account's state holds {value!r}, which a float cannot keep")
    return number


def opened(preparation: Preparation, first: int, capital: float) -> Carried:
    """A new account that starts at bar `first`."""
    book = _placed(new_book(preparation.market, capital), preparation.market, first)
    return Carried(book, capital)


def resumed(preparation: Preparation, state: pd.DataFrame, first: int) -> Carried:
    """The book that a state describes, ready for bar `first`.

    Raises `DataError` when the state stands at another bar, or has a symbol that the bars lack.
    """
    StrategyState.check_frame(state, where="carried state")
    column = {symbol: at for at, symbol in enumerate(preparation.symbols)}
    unknown = sorted(set(state["symbol"]) - set(column) - {""})
    if unknown:
        raise DataError(f"the state has {unknown}, the bars do not: their earlier rows have gone")
    book = new_book(preparation.market, 0.0)
    parts = {str(part): rows for part, rows in state.groupby("part", sort=False)}
    highest = float(parts["run"]["value"].iloc[0])
    for part in ("account", "counters"):
        if part in parts:
            rows = parts[part]
            numbers: Numbers = getattr(book, part)
            numbers[rows["field"].to_numpy()] = _of_kind(rows["value"], numbers)
    if int(book.counters[BAR]) != first:
        raise DataError(
            f"the state stands at bar {int(book.counters[BAR])}, the window begins at bar {first}: "
            "rows of earlier windows came or went. Compute those windows again"
        )
    n_open = int(book.counters[N_OPEN])
    book = _with_room(book, n_open)
    for part in ("symbols", "flags", "orders", "codes"):
        if part in parts:
            rows = parts[part]
            numbers = getattr(book, part)
            at = rows["row"] if part in ("orders", "codes") else rows["symbol"].map(column)
            place = at.to_numpy(dtype=np.int64), rows["field"].to_numpy()
            numbers[place] = _of_kind(rows["value"], numbers)
    if "held" in parts:
        rows = parts["held"].sort_values("row")
        book.held[: len(rows)] = rows["symbol"].map(column).to_numpy(dtype=np.int64)
    if "codes" in parts:
        rows = parts["codes"].drop_duplicates("row")
        book.codes[rows["row"].to_numpy(), SYMBOL] = rows["symbol"].map(column).to_numpy()
        _delayed(book, preparation.market, first)
    carried = _placed(book, preparation.market, first)
    if first > 0:
        carried.rows[: first - 1, EQUITY] = highest
    return Carried(carried, highest)


def _of_kind(values: pd.Series, numbers: Numbers) -> Numbers:
    return values.to_numpy(dtype=np.float64).astype(numbers.dtype)


def _with_room(book: Book, n_open: int) -> Book:
    """Room for twice the open orders."""
    short = max(0, 2 * n_open - len(book.orders))
    if not short:
        return book
    return book._replace(
        orders=np.pad(book.orders, ((0, short), (0, 0))),
        codes=np.pad(book.codes, ((0, short), (0, 0))),
        scratch=np.zeros(len(book.orders) + short, dtype=np.int64),
    )


def _delayed(book: Book, market: Market, first: int) -> None:
    """Orders of decisions that become known later than the first bar of this window.

    Their window did not know the bars that they wait for, and took the next one.
    """
    codes = book.codes[: book.counters[N_OPEN]]
    late = np.maximum(market.first_fill[codes[:, DECIDED]] - first, 0)
    late[codes[:, ACTIVE] < first] = 0
    codes[:, ACTIVE] += late
    codes[:, EXPIRES] += np.where(codes[:, EXPIRES] < NEVER, late, 0)


def _placed(book: Book, market: Market, first: int) -> Book:
    """The book at bar `first`: empty logs, funding events up to it behind it."""
    counters = book.counters
    counters[list(LOG_COUNTERS)] = 0
    counters[N_TRADES] = EARLIER_TRADES
    book.flags[:, LAST_TRADE] = 0
    book.trades[:EARLIER_TRADES] = 0.0
    counters[BAR] = first
    counters[EVENT] = np.count_nonzero(market.funding_place[:, 0] < first)
    book.rows[:first] = 0.0
    book.rows[:first, EQUITY] = book.account[EQUITY]
    return book
