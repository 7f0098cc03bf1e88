"""The bar-by-bar form: the kernel asks for each decision, the strategy sees a window.

The kernel is the same and is called once; it calls back for every decision. Nothing of the whole
history is copied per bar: a window shows rows that were there already, the account is read when it
is asked for.
"""

import ctypes
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.market.bar_panel import FIELDS, BarPanel
from quant_assets.quant.market.bars import Instants
from quant_assets.quant.market.data_window import DataWindow
from quant_assets.quant.simulation.execution.book import KINDS as KIND_NAMES
from quant_assets.quant.simulation.execution.book import REASONS, Book, Floats
from quant_assets.quant.simulation.execution.engine import advance_all, first_book
from quant_assets.quant.simulation.execution.preparation import Preparation, prepare
from quant_assets.quant.simulation.execution.results import BacktestResult
from quant_assets.quant.simulation.execution.terms import (
    ENTER_LONG,
    ENTER_SHORT,
    EXIT_LONG,
    EXIT_SHORT,
    ExecutionTerms,
)
from quant_assets.quant.strategies.base import Account, BarStrategy
from quant_assets.quant.strategies.orders import Cancel, Kind, OpenOrder, Order
from quant_assets.quant.strategies.signals import Signals

__all__ = ["run_by_bar"]

KINDS = {"market": 0, "limit": 1, "stop": 2, "stop_limit": 3, "trailing_stop": 4}
CANCEL, PARTS = 5, {"all": 0, "orders": 1, "brackets": 2}
FORCES = {"gtc": 0, "day": 1, "ioc": 2, "gtd": 3}
FLAGS = (
    ("entry_long", np.int8(ENTER_LONG)),
    ("exit_long", np.int8(EXIT_LONG)),
    ("entry_short", np.int8(ENTER_SHORT)),
    ("exit_short", np.int8(EXIT_SHORT)),
)
PRICES = ("target", "limit", "stop", "strength")
CASH, NOW, PEAK, HEAT, N_REQUESTS = 0, 4, 2, 15, 14
BAR, QUANTITY, AVERAGE, ENTRY_BAR = 0, 0, 1, 1
N_OPEN, O_QUANTITY, O_LIMIT, O_STOP, O_TRAIL, O_EXTREME = 2, 0, 3, 4, 5, 6
C_SYMBOL, C_KIND, C_REASON, C_SIDE, C_TAG, C_PART, C_STATUS = 1, 2, 8, 9, 12, 13, 16
ALL, FIRST_ROWS, UNKNOWN = slice(None), 64, -(2**62)
CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)


class LiveAccount(Account):
    """The account as it stands, read from the book when it is asked for; arrays are copies."""

    _book: Book
    _columns: npt.NDArray[np.int64]
    _sorted: tuple[str, ...]
    _tags: Mapping[str, int]

    def __init__(self, preparation: Preparation, book: Book, tags: Mapping[str, int]) -> None:
        for name, value in (
            ("symbols", preparation.bars.symbols),
            ("_columns", np.argsort(preparation.columns)),
            ("_book", book),
            ("_sorted", preparation.symbols),
            ("_tags", tags),
        ):
            object.__setattr__(self, name, value)

    def __getattribute__(self, name: str) -> Any:
        read = _READERS.get(name)
        return object.__getattribute__(self, name) if read is None else read(self)

    def position_of(self, symbol: str) -> float:
        """Signed units of one symbol."""
        return float(self._book.symbols[self._columns[self.symbols.index(symbol)], QUANTITY])


def _entry_price(account: LiveAccount) -> Floats:
    rows = account._book.symbols[account._columns]
    return np.where(rows[:, QUANTITY] != 0.0, rows[:, AVERAGE], np.nan)


def _bars_held(account: LiveAccount) -> npt.NDArray[np.int64]:
    book, columns = account._book, account._columns
    held = book.symbols[columns, QUANTITY] != 0.0
    return np.where(held, book.counters[BAR] - book.flags[columns, ENTRY_BAR], 0)


def _open_orders(account: LiveAccount) -> tuple[OpenOrder, ...]:
    book, tags = account._book, ("", *account._tags)
    n = int(book.counters[N_OPEN])
    found = []
    for amounts, codes in zip(book.orders[:n].tolist(), book.codes[:n].tolist(), strict=True):
        if codes[C_STATUS] != 0:
            continue
        quantity, limit, stop = amounts[O_QUANTITY], amounts[O_LIMIT], amounts[O_STOP]
        if codes[C_KIND] == KINDS["trailing_stop"]:
            extreme, distance = amounts[O_EXTREME], amounts[O_TRAIL]
            distance *= extreme if codes[C_PART] else 1.0
            stop = extreme + codes[C_SIDE] * distance
        symbol, kind = account._sorted[codes[C_SYMBOL]], cast("Kind", KIND_NAMES[codes[C_KIND]])
        tag, reason = tags[codes[C_TAG]], REASONS[codes[C_REASON]]
        found.append(OpenOrder(symbol, quantity, kind, limit, stop, tag, reason))
    return tuple(found)


_READERS: Mapping[str, Callable[[LiveAccount], Any]] = {
    "cash": lambda account: float(account._book.account[CASH]),
    "equity": lambda account: float(account._book.account[NOW]),
    "position": lambda account: account._book.symbols[account._columns, QUANTITY],
    "entry_price": _entry_price,
    "bars_held": _bars_held,
    "drawdown": lambda account: (
        1.0 - float(account._book.account[NOW]) / float(account._book.account[PEAK])
    ),
    "heat": lambda account: float(account._book.account[HEAT]) / float(account._book.account[NOW]),
    "open_orders": _open_orders,
}


class LiveWindow(DataWindow):
    """A window that moves with the decisions: rows that are not known are not in its buffers.

    One object serves all bars. Its buffers are `bytes`, which cannot be made writable; the kernel
    copies a row into them when its bar has closed, and later rows are NaN until then.
    """

    __slots__ = ("_arrays", "_decided", "_moments", "_place")

    _arrays: dict[str, Floats]
    _decided: Instants
    _moments: Instants
    _place: list[int]

    def __init__(self, columns: tuple[tuple[str, bool], ...], symbols: tuple[str, ...]) -> None:
        for name, value in (("_columns", columns), ("symbols", symbols), ("_place", [0])):
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return self._place[0]

    def __getitem__(self, key: str | tuple[str, int | slice]) -> Floats:
        name: Any
        rows: Any
        name, rows = key if type(key) is tuple else (key, ALL)
        try:
            column = self._arrays[name]
        except KeyError:
            self._position(name)  # says which names there are
            raise
        n = self._place[0]
        if type(rows) is int:
            if -n <= rows < n:
                return cast("Floats", column[rows + n if rows < 0 else rows])
        elif rows.stop is None and rows.step is None and (start := rows.start or 0) < 0:
            return column[max(n + start, 0) : n]
        self._check_reach(rows)
        return cast("Floats", column[:n][rows])

    @property
    def decided_at(self) -> np.datetime64:  # type: ignore[override]  # it moves
        """Instant of the decision."""
        return cast("np.datetime64", self._decided[self._place[0] - 1])

    @property
    def _ts(self) -> Instants:  # type: ignore[override]
        return self._moments[: self._place[0]]

    @property
    def _values(self) -> Floats:  # type: ignore[override]
        n = self._place[0]
        return np.stack([self._arrays[name][:n] for name in self.names])


class _Rows:
    """What the windows of a run may show, and the buffers that hold what is known of it."""

    def __init__(self, strategy: BarStrategy, bars: BarPanel) -> None:
        fields = {name: bars[name] for name in (*FIELDS, *bars.extras)}
        computed = dict(strategy.indicators(bars))
        twice = sorted(set(fields) & set(computed))
        if twice:
            raise DataError(f"indicators {twice} have names of fields of the bars")
        for name, values in computed.items():
            if values.shape != bars.close.shape:
                raise DataError(
                    f"indicator {name!r} has shape {values.shape}; the bars {bars.close.shape}"
                )
        plain = {n: np.ascontiguousarray(v, dtype=np.float64) for n, v in computed.items()}
        known = np.maximum.accumulate(bars.available_at)
        self._sources: dict[str, npt.NDArray[Any]] = {
            **fields,
            **plain,
            "ts ": np.ascontiguousarray(bars.ts),
            "decided ": known,
        }
        columns = tuple((n, False) for n in fields) + tuple((n, True) for n in plain)
        self.window = LiveWindow(columns, bars.symbols)
        self.n_bars, self.n_columns = len(bars), len(self._sources)

    def reserve(self, book: Book, rows: int) -> None:
        """Buffers for at least `rows` rows; those that were shown before are copied."""
        size = min(max(rows, 2 * int(book.shown_rows[1]), FIRST_ROWS), self.n_bars)
        found, done = {}, int(book.shown_rows[0])
        for i, (name, source) in enumerate(self._sources.items()):
            width = int(np.prod(source.shape[1:], dtype=np.int64))
            memory = b"\xff" * (8 * size * width)  # NaN, and long ago for a time
            buffer = np.frombuffer(memory, dtype=source.dtype).reshape(size, *source.shape[1:])
            start = buffer.__array_interface__["data"][0]
            ctypes.memmove(start, source.ctypes.data, 8 * done * width)
            book.shown[:, i] = source.ctypes.data, start, width
            found[name] = buffer
        book.shown_rows[1] = size
        hide = object.__setattr__
        hide(self.window, "_moments", found.pop("ts "))
        hide(self.window, "_decided", found.pop("decided "))
        hide(self.window, "_arrays", found)


class _Decider:
    """Writes the strategy's decision of a bar where the kernel reads it."""

    def __init__(
        self, strategy: BarStrategy, bars: BarPanel, preparation: Preparation, rows: _Rows
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
    n_requests = 4 * len(bars.symbols) + 64
    book, carried = first_book(preparation, common), common["carried_from"]
    rows = _Rows(strategy, bars)
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
