"""What a decision may see: rows up to its own, values known by then, nothing else in reach.

The rows that are not known yet are not hidden, they are absent: `Replay` holds the panels and
copies row by row into a buffer of its own, and a `DataWindow` shows the filled part of that buffer.
So nothing leads from a window, its arrays, their `.base`, a copy or a pickle to anything later.
"""

import heapq
import weakref
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn, cast

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError, DataError, LookAheadError
from quant_assets.quant.market.bars import Instants, microseconds
from quant_assets.quant.market.panel import Panel

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
FIRST_CAPACITY = 64
MEMBER = "member"


class _Memory:
    """Names the filled part of a buffer to numpy, read-only, without leading to the buffer."""

    __slots__ = ("__weakref__", "_interface")

    def __init__(self, filled: npt.NDArray[Any]) -> None:
        interface = filled.__array_interface__
        address = (interface["data"][0], True)
        self._interface = (
            ("version", 3),
            ("data", address),
            ("typestr", interface["typestr"]),
            ("shape", filled.shape),
            ("strides", filled.strides),
        )
        # A reference in this object would lead to the buffer; this keeps it for as long as needed.
        weakref.finalize(self, _release, filled).atexit = False

    @property
    def __array_interface__(self) -> dict[str, Any]:
        return dict(self._interface)


def _release(filled: npt.NDArray[Any]) -> None:
    """Nothing to do: the argument is what a finalizer has kept until now."""


def _shown(filled: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A read-only array of the filled part of a buffer; it cannot be made writable."""
    return np.asarray(_Memory(filled)) if filled.size else np.empty(filled.shape, filled.dtype)


class DataWindow:
    """Prices and indicators as they were known at one decision.

    `window["close"]` is a read-only array (rows, symbols) that ends with the current row;
    `window["close", -3:]` and `window["close", 7]` are a part and a row of it. Rows count from the
    start of the data, negative ones back from the current row. What was not known yet at
    `decided_at` is NaN. Rows beyond the current one raise `LookAheadError`, writing raises.
    A pickled window holds its own rows only.
    """

    __slots__ = ("_columns", "_ts", "_values", "decided_at", "symbols")

    _columns: tuple[tuple[str, bool], ...]
    _values: Floats
    _ts: Instants
    decided_at: np.datetime64
    symbols: tuple[str, ...]

    def __init__(
        self,
        columns: tuple[tuple[str, bool], ...],
        values: Floats,
        ts: Instants,
        decided_at: np.datetime64,
        symbols: tuple[str, ...],
    ) -> None:
        for name, value in zip(
            self.__slots__, (columns, ts, values, decided_at, symbols), strict=True
        ):
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a DataWindow is read-only: {name} cannot be set")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a DataWindow is read-only: {name} cannot be deleted")

    def __len__(self) -> int:
        """Rows up to the current one, it included."""
        return len(self._ts)

    def __repr__(self) -> str:
        return f"DataWindow({len(self)} rows of {len(self.symbols)} symbols to {self._ts[-1]})"

    def __getitem__(self, key: str | tuple[str, int | slice]) -> Floats:
        name, rows = key if isinstance(key, tuple) else (key, slice(None))
        self._check_reach(rows)
        return cast("Floats", self._values[self._position(name)][rows])

    def __reduce__(self) -> tuple[Any, ...]:
        parts = self._values.shape, self._values.tobytes(), self._ts.tobytes()
        return _restored, (self._columns, *parts, self.decided_at, self.symbols)

    def __copy__(self) -> "DataWindow":
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> "DataWindow":
        return self

    @property
    def ts(self) -> Instants:
        """Open times of the rows."""
        return self._ts

    @property
    def members(self) -> npt.NDArray[np.bool_]:
        """Which symbols are members of the universe at this decision; all where there is none."""
        if MEMBER not in self.names:
            return np.ones(len(self.symbols), dtype=np.bool_)
        return np.asarray(self[MEMBER, -1] == 1.0)

    @property
    def universe(self) -> tuple[str, ...]:
        """The symbols that are members of the universe at this decision."""
        pairs = zip(self.symbols, self.members.tolist(), strict=True)
        return tuple(symbol for symbol, member in pairs if member)

    @property
    def names(self) -> tuple[str, ...]:
        """All that can be asked for: fields, then indicators."""
        return tuple(name for name, _ in self._columns)

    def current(self) -> dict[str, Floats]:
        """The current row of each field, shape (symbol,)."""
        return {name: self[name, -1] for name in self._fields()}

    def historical(self, lookback: int | None = None) -> dict[str, Floats]:
        """The last `lookback` rows (None: all) before the current one, of each field."""
        if lookback is not None and lookback < 0:
            raise ConfigError(f"lookback {lookback} must not be negative")
        before = len(self) - 1
        first = 0 if lookback is None else max(0, before - lookback)
        return {name: self[name, first:before] for name in self._fields()}

    def indicators(self) -> dict[str, Floats]:
        """All rows of each indicator, the current one included."""
        return {name: self[name] for name, is_indicator in self._columns if is_indicator}

    def _fields(self) -> list[str]:
        return [name for name, is_indicator in self._columns if not is_indicator]

    def _position(self, name: str) -> int:
        names = self.names
        if name not in names:
            raise DataError(f"the window has no {name!r}; it has {', '.join(names)}")
        return names.index(name)

    def _check_reach(self, rows: int | slice) -> None:
        asked = [rows.start, rows.stop] if isinstance(rows, slice) else [rows]
        limits = [len(self), len(self)] if isinstance(rows, slice) else [len(self) - 1]
        for row, limit in zip(asked, limits, strict=True):
            if row is not None and row > limit:
                raise LookAheadError(
                    f"row {row} was asked for at {self.decided_at} UTC, when {len(self)} rows "
                    "were known. Decide on rows up to the current one."
                )


def _restored(
    columns: tuple[tuple[str, bool], ...],
    shape: tuple[int, ...],
    values: bytes,
    ts: bytes,
    decided_at: np.datetime64,
    symbols: tuple[str, ...],
) -> DataWindow:
    """A window from its pickle; bytes cannot be made writable."""
    array = np.frombuffer(values, dtype=np.float64).reshape(shape)
    moments = np.frombuffer(ts, dtype="datetime64[us]")
    return DataWindow(columns, array, moments, decided_at, symbols)


class _Column:
    """One field or indicator: all its values, and when each could be known."""

    __slots__ = ("known_at", "values")

    def __init__(self, values: Floats, known_at: Integers) -> None:
        self.values = values
        self.known_at = np.broadcast_to(known_at, values.shape)


class Replay:
    """Hands out the window of each decision row. It holds all data: keep it from strategies.

    panels : fields by name, on one time axis (`ts`, the open times) and with the same symbols.
    available_at : shape (time,) or (time, symbol), UTC datetime64[us]; NaT where there is no row.
    decided_at : shape (time,), not decreasing: the instant of the decision that row t belongs to.
    indicators : computed arrays (time, symbol) whose row t uses rows up to t of the same symbol;
        known when the last of these rows is. `cross_sections` likewise, of rows of all symbols.

    Stepping forward copies one row; going back, and a value that becomes known after later rows
    were shown, costs a copy of the window, because arrays once handed out never change.
    """

    def __init__(
        self,
        panels: Mapping[str, Panel],
        *,
        available_at: Instants,
        decided_at: Instants,
        indicators: Mapping[str, Floats] = {},
        cross_sections: Mapping[str, Floats] = {},
    ) -> None:
        first = next(iter(panels.values()), None)
        if first is None:
            raise ConfigError("a replay needs at least one panel")
        self.symbols = first.symbols
        self._ts = first.ts.tz_localize(None).to_numpy(dtype="datetime64[us]")
        self._decided_at = decided_at
        self._now = microseconds(decided_at)
        shape = first.values.shape
        known = microseconds(available_at).reshape(len(self._ts), -1)
        _check_axes(panels, first, {**indicators, **cross_sections}, known, decided_at)
        past = np.maximum.accumulate(known, axis=0)
        everyone = past.max(axis=1, keepdims=True, initial=np.iinfo(np.int64).min)
        self._names = tuple((name, False) for name in panels)
        self._names += tuple((name, True) for name in (*indicators, *cross_sections))
        self._columns = [_Column(panel.values, known) for panel in panels.values()]
        self._columns += [_Column(values, past) for values in indicators.values()]
        self._columns += [_Column(values, everyone) for values in cross_sections.values()]
        self._shape = shape
        self._values: Floats
        self._moments: Instants
        self._restart()

    def __len__(self) -> int:
        return len(self._ts)

    def __iter__(self) -> Iterator[DataWindow]:
        return (self.window(row) for row in range(len(self)))

    def window(self, row: int) -> DataWindow:
        """What the decision of `row` may see; a row outside the data is an `IndexError`."""
        if not 0 <= row < len(self):
            raise IndexError(f"row {row} of {len(self)} rows")
        if row < self._filled - 1:
            self._restart()
        self._reserve(row + 1)
        self._show_late(row)
        self._append(row)
        n = self._filled
        values, ts = _shown(self._values[:, :n]), _shown(self._moments[:n])
        return DataWindow(self._names, values, ts, self._decided_at[row], self.symbols)

    def _restart(self) -> None:
        self._filled = 0
        self._late: list[tuple[int, int, int, int]] = []
        self._allocate(FIRST_CAPACITY)

    def _allocate(self, capacity: int) -> None:
        """New buffers of the filled rows and NaN; what was shown of the old ones stays."""
        n, width = self._filled, self._shape[1]
        values = np.full((len(self._columns), capacity, width), np.nan)
        moments = np.full(capacity, np.datetime64("NaT"), dtype="datetime64[us]")
        if n:
            values[:, :n], moments[:n] = self._values[:, :n], self._moments[:n]
        self._values, self._moments = values, moments

    def _reserve(self, rows: int) -> None:
        capacity = self._values.shape[1]
        if rows > capacity:
            self._allocate(max(rows, 2 * capacity))

    def _show_late(self, row: int) -> None:
        """Fill in cells of earlier rows that are known by now."""
        if not (self._late and self._late[0][0] <= self._now[row]):
            return
        self._allocate(self._values.shape[1])
        while self._late and self._late[0][0] <= self._now[row]:
            _, column, at, symbol = heapq.heappop(self._late)
            self._values[column, at, symbol] = self._columns[column].values[at, symbol]

    def _append(self, row: int) -> None:
        new = slice(self._filled, row + 1)
        self._moments[new] = self._ts[new]
        for position, column in enumerate(self._columns):
            cells = self._values[position, new]
            late = column.known_at[new] > self._now[row]
            cells[:] = column.values[new]
            if late.any():
                cells[late] = np.nan
                for at, symbol in zip(*np.nonzero(late), strict=True):
                    known = int(column.known_at[new][at, symbol])
                    entry = (known, position, new.start + int(at), int(symbol))
                    heapq.heappush(self._late, entry)
        self._filled = row + 1


def _check_axes(
    panels: Mapping[str, Panel],
    first: Panel,
    computed: Mapping[str, Floats],
    known: Integers,
    decided_at: Instants,
) -> None:
    shape = first.values.shape
    for name, panel in panels.items():
        if panel.symbols != first.symbols or not panel.ts.equals(first.ts):
            raise DataError(f"panel {name!r} has other rows or symbols than {next(iter(panels))!r}")
    for name, values in computed.items():
        if name in panels or values.shape != shape or values.dtype != np.float64:
            raise DataError(
                f"indicator {name!r} is {values.dtype} {values.shape}; it must be float64 {shape} "
                f"as the panels, under a name that is none of {sorted(panels)}"
            )
    if known.shape[1] not in {1, shape[1]} or decided_at.shape != shape[:1]:
        raise DataError(
            f"available_at has {known.shape}, decided_at {decided_at.shape} values; the panels "
            f"have {shape}"
        )
    if (decided_at[1:] < decided_at[:-1]).any():
        row = int(np.argmax(decided_at[1:] < decided_at[:-1])) + 1
        raise DataError(f"decided_at of row {row} lies before that of the row before it")
