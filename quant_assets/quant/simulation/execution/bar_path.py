"""The bar-by-bar form: the kernel asks for each decision, the strategy sees a window.

The kernel is the same and is called once; it calls back for every decision. Nothing of the whole
history is copied per bar: a window shows rows that were there already, the account is read when it
is asked for.
"""

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.market.bar_panel import FIELDS, BarPanel
from quant_assets.quant.market.data_window import DataWindow, Replay
from quant_assets.quant.market.panel import Panel
from quant_assets.quant.simulation.execution.book import Book, Floats
from quant_assets.quant.simulation.execution.engine import advance
from quant_assets.quant.simulation.execution.preparation import Preparation, new_book, prepare
from quant_assets.quant.simulation.execution.results import BacktestResult
from quant_assets.quant.simulation.execution.terms import (
    ENTER_LONG,
    ENTER_SHORT,
    EXIT_LONG,
    EXIT_SHORT,
    ExecutionTerms,
)
from quant_assets.quant.strategies.base import Account, BarStrategy
from quant_assets.quant.strategies.orders import Order
from quant_assets.quant.strategies.signals import Signals

__all__ = ["run_by_bar"]

KINDS = {"market": 0, "limit": 1, "stop": 2, "stop_limit": 3, "trailing_stop": 4}
FORCES = {"gtc": 0, "day": 1, "ioc": 2, "gtd": 3}
FLAGS = (
    ("entry_long", ENTER_LONG),
    ("exit_long", EXIT_LONG),
    ("entry_short", ENTER_SHORT),
    ("exit_short", EXIT_SHORT),
)
PRICES = ("target", "limit", "stop", "strength")
CASH, NOW, PEAK, HEAT, N_REQUESTS = 0, 4, 2, 15, 14
CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)


class LiveAccount(Account):
    """The account as it stands, read from the book when it is asked for; arrays are copies."""

    def __init__(self, preparation: Preparation, book: Book) -> None:
        hide = object.__setattr__
        hide(self, "symbols", preparation.bars.symbols)
        hide(self, "_columns", np.argsort(preparation.columns))
        hide(self, "_is_sorted", bool((np.diff(preparation.columns) == 1).all()))
        hide(self, "_book", book)

    def _of(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return values.copy() if self._is_sorted else values[self._columns]

    @property
    def cash(self) -> float:  # type: ignore[override]  # read when asked for
        """Money that is not invested."""
        return float(self._book.account[CASH])

    @property
    def equity(self) -> float:  # type: ignore[override]
        """Cash and positions at the close."""
        return float(self._book.account[NOW])

    @property
    def position(self) -> Floats:  # type: ignore[override]
        """Signed units."""
        return self._of(self._book.symbols[:, 0])

    @property
    def entry_price(self) -> Floats:  # type: ignore[override]
        """Average price of the open position, NaN where flat."""
        rows = self._book.symbols
        return self._of(np.where(rows[:, 0] != 0.0, rows[:, 1], np.nan))

    @property
    def bars_held(self) -> npt.NDArray[np.int64]:  # type: ignore[override]
        """Bars since the position was opened, 0 where flat."""
        book = self._book
        return self._of(np.where(book.symbols[:, 0] != 0.0, book.counters[0] - book.flags[:, 1], 0))

    @property
    def drawdown(self) -> float:  # type: ignore[override]
        """1 - equity / highest equity."""
        return 1.0 - float(self._book.account[NOW]) / float(self._book.account[PEAK])

    @property
    def heat(self) -> float:  # type: ignore[override]
        """Money lost when every stop is met, as a fraction of equity."""
        return float(self._book.account[HEAT]) / float(self._book.account[NOW])

    def position_of(self, symbol: str) -> float:
        """Signed units of one symbol."""
        at = self._columns[self.symbols.index(symbol)]
        return float(self._book.symbols[at, 0])


class _Decider:
    """Writes the strategy's decision of a bar where the kernel reads it."""

    def __init__(
        self, strategy: BarStrategy, bars: BarPanel, preparation: Preparation, book: Book
    ) -> None:
        self.strategy, self.preparation = strategy, preparation
        self.error: BaseException | None = None
        self.tags: dict[str, int] = {}
        self.groups: dict[str, int] = {}
        market = preparation.market
        self._signal = market.signal
        self._prices = [(name, getattr(market, name)) for name in PRICES]
        self._used: set[str] = set()
        columns = np.argsort(preparation.columns)
        self._column = dict(zip(bars.symbols, columns.tolist(), strict=True))
        self._order = preparation.columns
        self._window: Callable[[int], DataWindow] = _replay(strategy, bars).window
        self.attach(book)

    def attach(self, book: Book) -> None:
        """Read and write another book; logs that grew are another one."""
        self._book, self._counters = book, book.counters
        self._account = LiveAccount(self.preparation, book)

    def __call__(self, bar: int) -> int:
        try:
            decision = self.strategy.on_bar(self._window(bar), self._account)
            if self._used:
                self._clear()
            if decision is None:
                return 0
            if isinstance(decision, Signals):
                self._write(decision)
            else:
                self._place(decision)
        except BaseException as error:  # noqa: BLE001  # raised again by the caller of the kernel
            self.error = error
            return 1
        return 0

    def _clear(self) -> None:
        if "signal" in self._used:
            self._signal[0] = 0
        for name, row in self._prices:
            if name in self._used:
                row[0] = np.nan
        self._used.clear()

    def _write(self, decision: Signals) -> None:
        if decision.shape != (len(self._order),):
            raise DataError(
                f"signals of one bar have shape {decision.shape}; it must be ({len(self._order)},)"
            )
        row = self._signal[0]
        for name, bit in FLAGS:
            flags = getattr(decision, name)
            if flags is not None:
                row |= flags[self._order].view(np.int8) * np.int8(bit)
                self._used.add("signal")
        for name, values in self._prices:
            given = getattr(decision, name)
            if given is not None:
                values[0] = given[self._order]
                self._used.add(name)

    def _place(self, orders: Sequence[Order]) -> None:
        requests = self._book.requests
        if len(orders) > len(requests):
            raise DataError(f"{len(orders)} orders at one bar; at most {len(requests)} are taken")
        for i, order in enumerate(orders):
            requests[i] = (
                self._at(order.symbol),
                order.quantity,
                KINDS[order.kind],
                _number(order.limit),
                _number(order.stop),
                _number(order.trail),
                order.trail_fraction,
                FORCES[order.time_in_force],
                order.bars or 0,
                _number(order.take_profit),
                _number(order.stop_loss),
                self._code(self.groups, order.group),
                order.reduce_only,
                self._code(self.tags, order.tag or None),
            )
        self._counters[N_REQUESTS] = len(orders)

    def _at(self, symbol: str) -> int:
        if symbol not in self._column:
            raise ConfigError(f"order for {symbol!r}; the bars have {sorted(self._column)}")
        return self._column[symbol]

    @staticmethod
    def _code(known: dict[str, int], name: str | None) -> int:
        return 0 if name is None else known.setdefault(name, len(known) + 1)


def _number(value: float | None) -> float:
    return np.nan if value is None else value


def run_by_bar(
    strategy: BarStrategy, bars: BarPanel, terms: ExecutionTerms, common: dict[str, Any]
) -> BacktestResult:
    """Run a strategy bar by bar; what it raises comes out of here. See `runs.backtest`."""
    preparation = prepare(bars, terms, plan=strategy.plan(bars), warm_up=strategy.warm_up)
    n_requests = 4 * len(bars.symbols) + 64
    book = new_book(preparation.market, common["initial_capital"])
    book = book._replace(requests=np.zeros((n_requests, book.requests.shape[1])))
    decider = _Decider(strategy, bars, preparation, book)
    callback = CALLBACK(decider)
    address = ctypes.cast(callback, ctypes.c_void_p).value or 0
    book, finished = advance(preparation, book, address=address, on_growth=decider.attach)
    if not finished and decider.error is not None:
        raise decider.error
    return BacktestResult(preparation=preparation, book=book, tags=tuple(decider.tags), **common)


def _replay(strategy: BarStrategy, bars: BarPanel) -> Replay:
    index = pd.DatetimeIndex(bars.ts, tz="UTC")
    names = (*FIELDS, *bars.extras)
    panels = {name: Panel(bars[name], index, bars.symbols) for name in names}
    indicators = {
        name: np.ascontiguousarray(values, dtype=np.float64)
        for name, values in strategy.indicators(bars).items()
    }
    return Replay(
        panels,
        available_at=bars.available_at,
        decided_at=bars.available_at,
        cross_sections=indicators,
    )
