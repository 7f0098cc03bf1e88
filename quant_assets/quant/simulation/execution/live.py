"""What a bar-by-bar strategy is shown: an account that is read when it is asked for, and a window.

One object of each serves all bars; rows that are not known yet are not in the window's memory.
"""

import ctypes
from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import DataError
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.bars import Instants
from quant_assets.quant.market.data_window import DataWindow
from quant_assets.quant.simulation.execution.book import KINDS, REASONS, Book, Floats
from quant_assets.quant.simulation.execution.event_kernel.fields import (
    AVERAGE,
    BAR,
    C_KIND,
    C_PART,
    C_REASON,
    C_SIDE,
    C_STATUS,
    C_SYMBOL,
    C_TAG,
    CASH,
    ENTRY_BAR,
    HEAT,
    N_OPEN,
    NOW,
    O_EXTREME,
    O_LIMIT,
    O_QUANTITY,
    O_STOP,
    O_TRAIL,
    OPEN_ORDER,
    PEAK,
    QUANTITY,
    TRAILING,
)
from quant_assets.quant.simulation.execution.preparation import Preparation
from quant_assets.quant.strategies.base import Account, BarStrategy
from quant_assets.quant.strategies.orders import Kind, OpenOrder

ALL, FIRST_ROWS = slice(None), 64


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
        if codes[C_STATUS] != OPEN_ORDER:
            continue
        quantity, limit, stop = amounts[O_QUANTITY], amounts[O_LIMIT], amounts[O_STOP]
        if codes[C_KIND] == TRAILING:
            extreme, distance = amounts[O_EXTREME], amounts[O_TRAIL]
            distance *= extreme if codes[C_PART] else 1.0
            stop = extreme + codes[C_SIDE] * distance
        symbol, kind = account._sorted[codes[C_SYMBOL]], cast("Kind", KINDS[codes[C_KIND]])
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
            raise  # pragma: no cover  # for mypy: the line before raised
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


class Rows:
    """What the windows of a run may show, and the buffers that hold what is known of it."""

    def __init__(self, strategy: BarStrategy, bars: BarPanel) -> None:
        fields = bars.shown()
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
