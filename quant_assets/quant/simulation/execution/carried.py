"""The account between two windows: what stands at the end of one is what the next begins with."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.core.errors import DataError
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.simulation.execution.book import Book, Floats, Integers
from quant_assets.quant.simulation.execution.event_kernel.fields import (
    BAR,
    BEFORE_BAR,
    C_ACTIVE,
    C_DECIDED,
    C_EXPIRES,
    C_LEAVES,
    C_SYMBOL,
    COOL_UNTIL,
    DUE_AT_CLOSE,
    DUE_INSIDE,
    ENTRY_BAR,
    EQUITY,
    EVENT,
    HALT_SINCE,
    LAST_TRADE,
    N_FILLS,
    N_HELD,
    N_OPEN,
    N_ORDERS,
    N_TRADES,
    N_VETOES,
    NEVER,
    T_DECIDED,
    TIME_EXIT,
    USED_BAR,
)
from quant_assets.quant.simulation.execution.preparation import Preparation, new_book
from quant_assets.quant.simulation.execution.terms import ExecutionTerms

__all__ = ["Carried"]

LOG_COUNTERS = [N_FILLS, N_ORDERS, N_TRADES, N_VETOES]
SYMBOL_BARS = [ENTRY_BAR, TIME_EXIT, BEFORE_BAR, USED_BAR, COOL_UNTIL, T_DECIDED]


@dataclass(frozen=True)
class Carried:
    """Cash, positions, their exits and open orders after bar `last_ts`.

    open_trades : rows of the trades that go on, as the ledger showed them. highest : equity so
    far. `tags`, `groups`: codes of orders by name.
    """

    last_ts: np.datetime64
    symbols: tuple[str, ...]
    account: Floats
    counters: Integers
    positions: Floats
    flags: Integers
    held: Integers
    orders: Floats
    codes: Integers
    open_trades: pd.DataFrame
    highest: float
    tags: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    @property
    def equity(self) -> float:
        """Equity at the last close."""
        return float(self.account[EQUITY])

    @classmethod
    def of(
        cls, preparation: Preparation, book: Book, open_trades: pd.DataFrame, **names: Any
    ) -> "Carried":
        """What stands after the last bar of a book."""
        n_held, n_open = int(book.counters[N_HELD]), int(book.counters[N_OPEN])
        return cls(
            preparation.bars.ts[int(book.counters[BAR]) - 1],
            preparation.symbols,
            book.account.copy(),
            book.counters.copy(),
            book.symbols.copy(),
            book.flags.copy(),
            book.held[:n_held].copy(),
            book.orders[:n_open].copy(),
            book.codes[:n_open].copy(),
            open_trades,
            **names,
        )

    def settled(self, terms: ExecutionTerms, bars: BarPanel) -> ExecutionTerms:
        """Terms whose settlements at the very end of the last bar are due before its fills there.

        Bars that begin just after it do not show that there was one.
        """
        carry = terms.carry
        if self.last_ts + np.timedelta64(bars.bar_length) != bars.ts[0]:
            return terms
        due = np.where(carry.funding_bar == 0, DUE_AT_CLOSE, carry.funding_due)
        inside = (carry.funding_bar == 0) & (carry.funding_due == DUE_INSIDE)
        due = np.where(inside, DUE_INSIDE, due).astype(np.int64)
        return terms._replace(carry=carry._replace(funding_due=due))

    def book(self, preparation: Preparation, start: int) -> Book:
        """The book that goes on at bar `start` of new bars.

        Raises `DataError` where the bars lack a symbol that is held or ordered, do not go on after
        the last one, or do not reach back to the decision of an open order.
        """
        ts = preparation.bars.ts
        if ts[start] <= self.last_ts or (start > 0 and ts[start - 1] > self.last_ts):
            raise DataError(
                f"the account was carried to {self.last_ts}; the run starts at {ts[start]}. Start "
                "at the first bar after it"
            )
        place = self._places(preparation.symbols)
        book = new_book(preparation.market, 1.0)
        shift = start - int(self.counters[BAR])
        book.account[:] = self.account
        book.counters[:] = self.counters
        book.counters[LOG_COUNTERS], book.counters[EVENT] = 0, 0
        book.counters[BAR], book.counters[HALT_SINCE] = start, self.counters[HALT_SINCE] + shift
        known = place >= 0
        book.symbols[place[known]] = self.positions[known]
        flags = self.flags.copy()
        flags[:, SYMBOL_BARS] = _shifted(flags[:, SYMBOL_BARS], shift)
        flags[:, LAST_TRADE] = -1
        book.flags[place[known]] = flags[known]
        book.held[: len(self.held)] = place[self.held]
        book = self._with_orders(book, place, shift)
        _delay(book, preparation.market.first_fill, start)
        return book

    def _places(self, symbols: tuple[str, ...]) -> npt.NDArray[np.int64]:
        """Position of each carried symbol among the new ones, -1 where it is not needed there."""
        at = {symbol: i for i, symbol in enumerate(symbols)}
        needed = {*self.held.tolist(), *self.codes[:, C_SYMBOL].tolist()}
        lacking = sorted(self.symbols[i] for i in needed if self.symbols[i] not in at)
        if lacking:
            raise DataError(f"positions or orders of {lacking} are carried; the bars lack them")
        return np.array([at.get(symbol, -1) for symbol in self.symbols], dtype=np.int64)

    def _with_orders(self, book: Book, place: npt.NDArray[np.int64], shift: int) -> Book:
        n = len(self.orders)
        codes = self.codes.copy()
        codes[:, C_SYMBOL] = place[codes[:, C_SYMBOL]]
        when = [C_DECIDED, C_ACTIVE, C_EXPIRES, C_LEAVES]
        codes[:, when] = _shifted(codes[:, when], shift)
        if n and codes[:, C_DECIDED].min() < 0:
            raise DataError(
                f"an open order was decided {-int(codes[:, C_DECIDED].min())} bars before the "
                "first of the new bars; give bars from there on and say where to start"
            )
        if n > len(book.orders) // 2:
            room = np.zeros((2 * n, book.orders.shape[1]))
            space = np.zeros((2 * n, book.codes.shape[1]), dtype=np.int64)
            book = book._replace(orders=room, codes=space, scratch=np.zeros(2 * n, dtype=np.int64))
        book.orders[:n], book.codes[:n] = self.orders, codes
        return book


def _delay(book: Book, first_fill: Integers, start: int) -> None:
    """Let orders wait whose decisions become known after the first bars of this window.

    The window before did not know these bars and took the first after its end.
    """
    codes = book.codes[: int(book.counters[N_OPEN])]
    late = np.maximum(first_fill[codes[:, C_DECIDED]] - start, 0)
    late[codes[:, C_ACTIVE] < start] = 0
    codes[:, C_ACTIVE] += late
    codes[:, C_EXPIRES] += np.where(codes[:, C_EXPIRES] < NEVER, late, 0)


def _shifted(bars: Integers, shift: int) -> Integers:
    """Bar numbers on the new clock; never stays never."""
    return np.where(np.abs(bars) < NEVER, bars + shift, bars)
