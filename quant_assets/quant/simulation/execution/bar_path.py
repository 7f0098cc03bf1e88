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

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.simulation.execution.book import KINDS, Book
from quant_assets.quant.simulation.execution.engine import advance_all, begun, first_book
from quant_assets.quant.simulation.execution.event_kernel.fields import (
    ALL_ORDERS,
    BRACKETS,
    CANCEL,
    DAY_ORDER,
    GTC,
    GTD,
    IOC,
    N_REQUESTS,
    NO_BRACKETS,
)
from quant_assets.quant.simulation.execution.live import LiveAccount, Rows
from quant_assets.quant.simulation.execution.preparation import (
    TARGETS_RESIZED,
    Preparation,
    prepare,
)
from quant_assets.quant.simulation.execution.results import BacktestResult
from quant_assets.quant.simulation.execution.terms import (
    ENTER_LONG,
    ENTER_SHORT,
    EXIT_LONG,
    EXIT_SHORT,
    ExecutionTerms,
)
from quant_assets.quant.strategies.base import BarStrategy
from quant_assets.quant.strategies.orders import Cancel, Order
from quant_assets.quant.strategies.signals import Signals

__all__ = ["run_by_bar"]

FORCE_CODES = {"gtc": GTC, "day": DAY_ORDER, "ioc": IOC, "gtd": GTD}
PARTS = {"all": ALL_ORDERS, "orders": NO_BRACKETS, "brackets": BRACKETS}
FLAGS = (
    ("entry_long", np.int8(ENTER_LONG)),
    ("exit_long", np.int8(EXIT_LONG)),
    ("entry_short", np.int8(ENTER_SHORT)),
    ("exit_short", np.int8(EXIT_SHORT)),
)
PRICES = ("target", "limit", "stop", "strength")
UNKNOWN = -(2**62)  # a name that no order has
CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)


class _Decider:
    """Writes the strategy's decision of a bar where the kernel reads it."""

    def __init__(
        self, strategy: BarStrategy, bars: BarPanel, preparation: Preparation, rows: Rows
    ) -> None:
        self.preparation = preparation
        self.error: BaseException | None = None
        self.tags: dict[str, int] = {}
        self.groups: dict[str, int] = {}
        market = preparation.market
        self._signal = market.signal
        self._prices = [(name, getattr(market, name)) for name in PRICES]
        self._used: set[str] = set()
        columns = np.argsort(preparation.columns)
        self._column = dict(zip(bars.symbols, columns.tolist(), strict=True))
        self._order, self._shape = preparation.columns, preparation.columns.shape
        self._sorted = bool((np.diff(columns) > 0).all())
        self._rows, self._window, self._place = rows, rows.window, rows.window._place
        self._on_bar = strategy.on_bar

    def attach(self, book: Book) -> None:
        """Read and write another book; logs that grew are another one."""
        self._book, self._counters = book, book.counters
        plain = book._replace(shown=np.empty((0, 0), dtype=np.int64))
        self._account = LiveAccount(self.preparation, plain, self.tags)

    def __call__(self, bar: int) -> int:
        try:
            if bar < 0:
                self._rows.reserve(self._book, -bar)
                return 0
            self._place[0] = bar + 1
            decision = self._on_bar(self._window, self._account)
            if self._used:
                self._clear()
            if decision is None:
                return 0
            if isinstance(decision, Signals):
                self._write(decision)
            else:
                self._send(decision)
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
        used, row = self._used, self._signal[0]
        for name, bit in FLAGS:
            flags = getattr(decision, name)
            if flags is not None:
                row |= self._taken(name, flags, "?").view(np.int8) * bit
                used.add("signal")
        for name, values in self._prices:
            given = getattr(decision, name)
            if given is not None:
                values[0] = self._taken(name, given, "d")
                used.add(name)
        if "target" in used:
            if "signal" in used:
                raise DataError(
                    "signals of one bar have entries or exits and targets; give one kind"
                )
            if self.preparation.plan.resize.bars:
                raise ConfigError(TARGETS_RESIZED)
            if np.isinf(self._prices[0][1]).any():
                raise DataError("signal target of one bar has infinite weights")

    def _taken(self, name: str, values: Any, kind: str) -> npt.NDArray[Any]:
        """The kernel's order of what a decision gives, of the type with this character."""
        usable = isinstance(values, np.ndarray) and values.shape == self._shape
        if not (usable and values.dtype.char == kind):
            found = getattr(values, "dtype", type(values).__name__)
            raise DataError(
                f"signal {name} of one bar is {found} of shape {np.shape(values)}; it must be an "
                f"array of {np.dtype(kind)} of shape {self._shape}"
            )
        taken: npt.NDArray[Any] = values if self._sorted else values[self._order]
        return taken

    def _send(self, orders: Sequence[Order | Cancel]) -> None:
        if not isinstance(orders, list | tuple):
            raise ConfigError(f"on_bar gave {orders!r}; give Signals, a list of orders, or None")
        requests = self._book.requests
        if len(orders) > len(requests):
            raise DataError(f"{len(orders)} orders at one bar; at most {len(requests)} are taken")
        for i, order in enumerate(orders):
            if isinstance(order, Cancel):
                requests[i] = self._cancel(order)
                continue
            requests[i] = (
                self._at(order.symbol),
                order.quantity,
                KINDS.index(order.kind),
                _number(order.limit),
                _number(order.stop),
                _number(order.trail),
                order.trail_fraction,
                FORCE_CODES[order.time_in_force],
                order.bars or 0,
                _number(order.take_profit),
                _number(order.stop_loss),
                self._code(self.groups, order.group),
                order.reduce_only,
                self._code(self.tags, order.tag or None),
            )
        self._counters[N_REQUESTS] = len(orders)

    def _cancel(self, cancel: Cancel) -> tuple[float, ...]:
        """A request of which NaN stands for any; a name that no order has matches none."""
        symbol = np.nan if cancel.symbol is None else self._at(cancel.symbol)
        group = np.nan if cancel.group is None else self.groups.get(cancel.group, UNKNOWN)
        tag = np.nan if cancel.tag is None else {"": 0, **self.tags}.get(cancel.tag, UNKNOWN)
        part = PARTS[cancel.part]
        return (
            symbol,
            0.0,
            CANCEL,
            *[np.nan] * 3,
            part,
            *[0.0] * 2,
            *[np.nan] * 2,
            group,
            0.0,
            tag,
        )

    def _at(self, symbol: str) -> int:
        if symbol not in self._column:
            raise ConfigError(f"order for {symbol!r}; the bars have {sorted(self._column)}")
        place: int = self._column[symbol]
        return place

    @staticmethod
    def _code(known: dict[str, int], name: str | None) -> int:
        return 0 if name is None else known.setdefault(name, len(known) + 1)


def _number(value: float | None) -> float:
    return np.nan if value is None else value


def run_by_bar(
    strategy: BarStrategy,
    bars: BarPanel,
    terms: ExecutionTerms,
    common: dict[str, Any],
    *,
    priced: BarPanel | None = None,
    progress: Callable[[float], None] | None = None,
) -> BacktestResult:
    """Run a strategy bar by bar; what it raises comes out of here. See `runs.backtest`.

    `priced` : the bars with the series that slippage needs, which the strategy does not see.
    """
    panel = bars if priced is None else priced
    preparation = prepare(panel, terms, plan=strategy.plan(bars), warm_up=strategy.warm_up)
    preparation = begun(preparation, common)
    n_requests = 4 * len(bars.symbols) + 64
    book, carried = first_book(preparation, common), common["carried_from"]
    rows = Rows(strategy, bars)
    book = book._replace(
        requests=np.zeros((n_requests, book.requests.shape[1])),
        shown=np.zeros((3, rows.n_columns), dtype=np.int64),
    )
    decider = _Decider(strategy, bars, preparation, rows)
    if carried is not None:
        decider.tags.update({name: i + 1 for i, name in enumerate(carried.tags)})
        decider.groups.update({name: i + 1 for i, name in enumerate(carried.groups)})
    decider.attach(book)
    callback = CALLBACK(decider)
    address = ctypes.cast(callback, ctypes.c_void_p).value or 0
    book, finished = advance_all(
        preparation, book, progress, address=address, on_growth=decider.attach
    )
    if not finished and decider.error is not None:
        raise decider.error
    names: dict[str, Any] = {"tags": tuple(decider.tags), "groups": tuple(decider.groups)}
    return BacktestResult(preparation=preparation, book=book, **names, **common)
