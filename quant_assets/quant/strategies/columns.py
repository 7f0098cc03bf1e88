"""What rules and middlewares read: fields and indicator lines, of all bars at once or of one bar.

`Rows` hides the difference. `PanelRows` holds whole arrays, `WindowRows` the last bar that a
`DataWindow` shows; both answer with arrays `(row, symbol)`, so that code written once gives the
same decisions in both. A column may be computed on bars of a longer timeframe (`Timed`).
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from math import lcm
from typing import Any

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError
from quant_assets.quant.indicators.base import Indicator, compute_all
from quant_assets.quant.indicators.nodes import Nodes
from quant_assets.quant.market.bar_panel import FIELDS, BarPanel
from quant_assets.quant.market.bars import Instants
from quant_assets.quant.market.data_window import DataWindow
from quant_assets.quant.market.longer_bars import longer_bars, timeframe_length
from quant_assets.quant.market.memory import Memory, joined
from quant_assets.quant.strategies.indicator_cache import TIMES, IndicatorCache

__all__ = [
    "Column",
    "Line",
    "PanelRows",
    "Rows",
    "Timed",
    "TimedIndicator",
    "TimedLine",
    "WarmedUp",
    "WindowRows",
    "compute_lines",
    "first_warm",
    "warmed_up",
]

Floats = npt.NDArray[np.float64]


class Column(ABC):
    """What is computed once for all bars and then shown bar by bar; equal keys, equal columns."""

    key: str

    @property
    @abstractmethod
    def lookback(self) -> int:
        """Bars without a value at the start."""

    def memory(self, bar_length: timedelta) -> Memory | None:
        """Earlier bars on which its values depend; None, unless told otherwise: all of them."""
        del bar_length
        return None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Column) and other.key == self.key

    def __hash__(self) -> int:
        return hash(self.key)


@dataclass(frozen=True, eq=False)
class Line(Column):
    """One result of an indicator: `Line(BollingerBands(20, 2.0), "lower")`, `Line(Rsi(14))`."""

    indicator: Indicator[Any]
    output: str = ""

    def __post_init__(self) -> None:
        outputs = self.indicator.outputs
        if not self.output and len(outputs) == 1:
            object.__setattr__(self, "output", outputs[0])
        if self.output not in outputs:
            raise ConfigError(
                f"{self.indicator.name} has no line {self.output!r}; it has {', '.join(outputs)}"
            )

    @cached_property
    def key(self) -> str:  # type: ignore[override]  # made once
        """Name of the line: the indicator with its parameters, the columns it reads, the output."""
        return f"{self.source}.{self.output}"

    @property
    def source(self) -> str:
        """Name of the indicator with its parameters and the columns it reads."""
        return f"{self.indicator!r}({', '.join(self.indicator.inputs)})"

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.indicator.lookback

    def memory(self, bar_length: timedelta) -> Memory | None:
        """Rows of all its nodes; None where one remembers everything, as an average without end."""
        del bar_length
        return indicator_memory(self.indicator)

    def on(self, timeframe: str) -> "TimedLine":
        """The same line of the bars of a longer timeframe: `Line(Rsi(14)).on("1h")`."""
        return TimedLine(self, timeframe)


class Rows(ABC):
    """Bars of one decision or of all: `rows["close"]`, `rows[line]` are arrays (row, symbol)."""

    symbols: tuple[str, ...]
    ts: Instants  # open times of the rows

    def __getitem__(self, column: "str | Column") -> Floats:
        return self.before(column, 0)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and symbols."""
        return len(self.ts), len(self.symbols)

    @property
    @abstractmethod
    def members(self) -> npt.NDArray[np.bool_]:
        """Who is a member of the universe, `(row, symbol)`; everybody where there is none."""

    def among(self, values: Floats) -> Floats:
        """The values of members, NaN for others: what is to be ranked."""
        return np.where(self.members, values, np.nan)

    @abstractmethod
    def before(self, column: "str | Column", bars: int) -> Floats:
        """The column `bars` bars before each row, NaN where there is none."""


class Timed(Column):
    """A column computed on the bars of a longer timeframe, shown from the bar on that ends them.

    Its `lookback` counts longer bars; how many bars of the strategy these are depends on where its
    data begin, and is told by `WarmedUp`. The column is NaN until it is known.
    """

    timeframe: str

    @abstractmethod
    def reads(self) -> "tuple[Column, ...]":
        """Columns of the longer bars that it reads."""

    @abstractmethod
    def values(self, rows: Rows) -> Floats:
        """The column for rows of the longer bars, (row, symbol)."""

    @property
    def lookback(self) -> int:
        """See the base class."""
        return max((column.lookback for column in self.reads()), default=0)

    def longer_memory(self, bar_length: timedelta) -> Memory | None:
        """Earlier longer bars on which its values depend."""
        return joined(column.memory(bar_length) for column in self.reads())

    def memory(self, bar_length: timedelta) -> Memory | None:
        """In bars of the strategy; a bar that is under way, and the one that is known, on top."""
        length = timeframe_length(self.timeframe)
        longer = self.longer_memory(length)
        if longer is None or longer.timeframes:
            return None
        own = ((self.timeframe, longer.period),) if longer.period > 1 else ()
        return Memory((longer.rows + 2) * -(-length // bar_length), timeframes=own)


@dataclass(frozen=True, eq=False)
class TimedLine(Timed):
    """An indicator line of the bars of a longer timeframe."""

    line: Line
    timeframe: str

    def __post_init__(self) -> None:
        timeframe_length(self.timeframe)

    @cached_property
    def key(self) -> str:  # type: ignore[override]  # made once
        """The timeframe, and the name of the line."""
        return f"{self.timeframe}:{self.line.key}"

    def reads(self) -> tuple[Column, ...]:
        """See the base class."""
        return (self.line,)

    def values(self, rows: Rows) -> Floats:
        """See the base class."""
        return rows[self.line]


class WarmedUp(Timed):
    """1 from the bar on that ends the longer bar behind `bars` others, NaN before.

    inner : the same of the longer bars that these are read with.
    """

    def __init__(self, timeframe: str, bars: int, inner: "tuple[WarmedUp, ...]" = ()) -> None:
        self.timeframe, self.bars, self.inner = timeframe, bars, inner
        within = "".join(f", {one.key}" for one in inner)
        self.key = f"{timeframe}:warmed_up({bars}{within})"

    @classmethod
    def of(cls, column: Timed) -> "WarmedUp":
        """When a column of a longer timeframe has all the bars that it needs."""
        inner = warmed_up(column.reads())
        return cls(column.timeframe, column.lookback, inner)

    def reads(self) -> tuple[Column, ...]:
        """See the base class."""
        return self.inner

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.bars

    def longer_memory(self, bar_length: timedelta) -> Memory | None:
        """See the base class."""
        return joined([Memory(self.bars), *(one.memory(bar_length) for one in self.inner)])

    def values(self, rows: Rows) -> Floats:
        """See the base class."""
        over = np.broadcast_to((np.arange(rows.shape[0]) >= self.bars)[:, None], rows.shape)
        for one in self.inner:
            over = over & (rows[one] == 1.0)
        return np.where(over, 1.0, np.nan)

    def least(self, bar_length: timedelta) -> int:
        """Bars of that length before the first decision, where the data begin with a longer bar."""
        length = timeframe_length(self.timeframe)
        own = (self.bars + 1) * (length // bar_length) - 1
        return max([own, *(one.least(bar_length) for one in self.inner)])


def warmed_up(columns: Iterable[Column]) -> tuple[WarmedUp, ...]:
    """One for each timeframe and number of bars that the columns need; none for their own clock."""
    found = (WarmedUp.of(one) for one in columns if isinstance(one, Timed))
    return tuple(dict.fromkeys(found))


def first_warm(columns: Iterable[WarmedUp], bars: BarPanel) -> int:
    """Bars before the first one on which all longer timeframes have what they need.

    Exact: the longer bar that began before the data did, missing bars and short sessions count as
    they are. Where these bars do not suffice, the least that would.
    """
    wanted = list(columns)
    if not wanted:
        return 0
    values = compute_lines(wanted, bars)
    over = np.logical_and.reduce([(values[one.key] == 1.0).any(axis=1) for one in wanted])
    least = max(one.least(bars.bar_length) for one in wanted)
    return int(np.argmax(over)) if over.any() else max(least, len(bars))


@dataclass(frozen=True)
class TimedIndicator:
    """An indicator of the bars of a longer timeframe: all its lines."""

    indicator: Indicator[Any]
    timeframe: str

    def __post_init__(self) -> None:
        timeframe_length(self.timeframe)

    def lines(self) -> tuple[TimedLine, ...]:
        """Its lines in their order."""
        lines = (Line(self.indicator, output) for output in self.indicator.outputs)
        return tuple(line.on(self.timeframe) for line in lines)


class PanelRows(Rows):
    """All bars of a panel. `computed` are further columns `(time, symbol)` by name."""

    def __init__(self, bars: BarPanel, computed: Mapping[str, Floats] = {}) -> None:
        self.bars, self.symbols, self.ts = bars, bars.symbols, bars.ts
        self._computed = dict(computed)

    @property
    def members(self) -> npt.NDArray[np.bool_]:
        """See the base class."""
        return self.bars.members

    def include(self, computed: Mapping[str, Floats]) -> None:
        """Offer further columns."""
        self._computed |= computed

    def before(self, column: str | Column, bars: int) -> Floats:
        """See the base class."""
        values = self._values(column)
        if bars == 0:
            return values
        earlier = np.full(values.shape, np.nan)
        earlier[bars:] = values[:-bars]
        return earlier

    def _values(self, column: str | Column) -> Floats:
        key = column.key if isinstance(column, Column) else column
        if key not in self._computed:
            if isinstance(column, str):
                return self.bars[column]
            self._computed |= compute_lines([column], self.bars)
        return self._computed[key]


class WindowRows(Rows):
    """The last bar of a window, whose indicators carry the keys of lines."""

    def __init__(self, window: DataWindow) -> None:
        self.window, self.symbols, self.ts = window, window.symbols, window.ts[-1:]

    @property
    def members(self) -> npt.NDArray[np.bool_]:
        """See the base class."""
        return self.window.members[None, :]

    def before(self, column: str | Column, bars: int) -> Floats:
        """See the base class."""
        key = column.key if isinstance(column, Column) else column
        n = len(self.window)
        if bars >= n:
            return np.full(self.shape, np.nan)
        return self.window[key, n - 1 - bars : n - bars]


def indicator_memory(indicator: Indicator[Any]) -> Memory | None:
    """Earlier rows on which an indicator depends, as its nodes declare; None: on all of them."""
    nodes = Nodes(1)
    indicator.program(nodes)
    windows = [node.window for node in nodes.members]
    known = [window for window in windows if window is not None]
    if len(known) < len(windows):
        return None
    return Memory(sum(known), lcm(*(node.period for node in nodes.members)))


def compute_lines(
    lines: Iterable[Column], bars: BarPanel, cache: IndicatorCache | None = None
) -> dict[str, Floats]:
    """Arrays `(time, symbol)` of all lines by key; indicators go over the bars in one walk.

    Columns of longer timeframes are computed on the bars of each timeframe, likewise.
    """
    wanted = list(lines)
    found = _own_lines([one for one in wanted if isinstance(one, Line)], bars, cache)
    by_timeframe: dict[str, list[Timed]] = {}
    for one in wanted:
        if isinstance(one, Timed):
            by_timeframe.setdefault(one.timeframe, []).append(one)
    for timeframe, columns in by_timeframe.items():
        found |= _timed_columns(timeframe, columns, bars, cache)
    return {one.key: found[one.key] for one in wanted}


def _own_lines(
    lines: list[Line], bars: BarPanel, cache: IndicatorCache | None
) -> dict[str, Floats]:
    wanted = {line.source: line.indicator for line in lines}
    held: dict[str, dict[str, Floats]] = {}
    if cache is not None:
        held = {name: cache.find(name, of.inputs, bars) for name, of in wanted.items()}
    missing = {name: of for name, of in wanted.items() if not held.get(name)}
    if missing:
        columns = {name: bars[name] for of in missing.values() for name in of.inputs}
        for name, result in compute_all(missing, columns).items():
            outputs = missing[name].outputs
            held[name] = dict(zip(outputs, (result,) if len(outputs) == 1 else result, strict=True))
            if cache is not None:
                cache.keep(name, missing[name].inputs, bars, held[name])
    return {line.key: held[line.source][line.output] for line in lines}


def _timed_columns(
    timeframe: str, columns: list[Timed], bars: BarPanel, cache: IndicatorCache | None
) -> dict[str, Floats]:
    """Columns of one longer timeframe on the clock of `bars`."""
    inputs = (*TIMES, *FIELDS)  # a longer bar is made of all of them
    found: dict[str, Floats] = {}
    if cache is not None:
        for one in columns:
            found |= cache.find(f"{bars.bar_length} {one.key}", inputs, bars)
    missing = [one for one in columns if one.key not in found]
    if missing:
        longer = longer_bars(bars, timeframe)
        read = [column for one in missing for column in one.reads()]
        rows = PanelRows(longer.bars, compute_lines(read, longer.bars))
        for one in missing:
            made = {one.key: longer.on_primary(one.values(rows))}
            if cache is not None:
                cache.keep(f"{bars.bar_length} {one.key}", inputs, bars, made)
            found |= made
    return found
