"""What rules and middlewares read: fields and indicator lines, of all bars at once or of one bar.

`Rows` hides the difference. `PanelRows` holds whole arrays, `WindowRows` the last bar that a
`DataWindow` shows; both answer with arrays `(row, symbol)`, so that code written once gives the
same decisions in both.
"""

import hashlib
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from weakref import ref

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError
from quant_assets.quant.indicators.base import Indicator, compute_all
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.bars import Instants
from quant_assets.quant.market.data_window import DataWindow

__all__ = ["IndicatorCache", "Line", "PanelRows", "Rows", "WindowRows", "compute_lines"]

Floats = npt.NDArray[np.float64]
DEFAULT_CACHE_BYTES = 512 * 2**20


@dataclass(frozen=True, eq=False)
class Line:
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
    def key(self) -> str:
        """Name of the line: the indicator with its parameters, the columns it reads, the output."""
        return f"{self.source}.{self.output}"

    @property
    def source(self) -> str:
        """Name of the indicator with its parameters and the columns it reads."""
        return f"{self.indicator!r}({', '.join(self.indicator.inputs)})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Line) and other.key == self.key

    def __hash__(self) -> int:
        return hash(self.key)


class Rows(ABC):
    """Bars of one decision or of all: `rows["close"]`, `rows[line]` are arrays (row, symbol)."""

    symbols: tuple[str, ...]
    ts: Instants  # open times of the rows

    def __getitem__(self, column: "str | Line") -> Floats:
        return self.before(column, 0)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and symbols."""
        return len(self.ts), len(self.symbols)

    @abstractmethod
    def before(self, column: "str | Line", bars: int) -> Floats:
        """The column `bars` bars before each row, NaN where there is none."""


class PanelRows(Rows):
    """All bars of a panel. `computed` are further columns `(time, symbol)` by name."""

    def __init__(self, bars: BarPanel, computed: Mapping[str, Floats] = {}) -> None:
        self.bars, self.symbols, self.ts = bars, bars.symbols, bars.ts
        self._computed = dict(computed)

    def include(self, computed: Mapping[str, Floats]) -> None:
        """Offer further columns."""
        self._computed |= computed

    def before(self, column: str | Line, bars: int) -> Floats:
        """See the base class."""
        values = self._values(column)
        if bars == 0:
            return values
        earlier = np.full(values.shape, np.nan)
        earlier[bars:] = values[:-bars]
        return earlier

    def _values(self, column: str | Line) -> Floats:
        key = column.key if isinstance(column, Line) else column
        if key not in self._computed:
            if isinstance(column, str):
                return self.bars[column]
            self._computed |= compute_lines([column], self.bars)
        return self._computed[key]


class WindowRows(Rows):
    """The last bar of a window, whose indicators carry the keys of lines."""

    def __init__(self, window: DataWindow) -> None:
        self.window, self.symbols, self.ts = window, window.symbols, window.ts[-1:]

    def before(self, column: str | Line, bars: int) -> Floats:
        """See the base class."""
        key = column.key if isinstance(column, Line) else column
        n = len(self.window)
        if bars >= n:
            return np.full(self.shape, np.nan)
        return self.window[key, n - 1 - bars : n - bars]


class IndicatorCache:
    """Indicator lines by parameters and data, within one run: a sweep computes each of them once.

    The key is the indicator with its parameters and a digest of the columns that it reads, so a
    changed bar or parameter is another entry. The least recently used go when more than `max_bytes`
    are held. `hits` and `misses` count indicators.
    """

    def __init__(self, max_bytes: int = DEFAULT_CACHE_BYTES) -> None:
        if max_bytes <= 0:
            raise ConfigError(f"max_bytes is {max_bytes}; it must be above 0")
        self.max_bytes, self.hits, self.misses = max_bytes, 0, 0
        self._held: OrderedDict[tuple[str, str], dict[str, Floats]] = OrderedDict()
        self._bytes = 0
        self._digests: dict[int, tuple[ref[BarPanel], dict[str, str]]] = {}

    def find(self, source: str, inputs: tuple[str, ...], bars: BarPanel) -> dict[str, Floats]:
        """Lines of an indicator by output, empty when they are not held."""
        key = (source, self._digest(bars, inputs))
        found = self._held.get(key, {})
        if found:
            self._held.move_to_end(key)
            self.hits += 1
        else:
            self.misses += 1
        return found

    def keep(
        self, source: str, inputs: tuple[str, ...], bars: BarPanel, lines: dict[str, Floats]
    ) -> None:
        """Hold the lines of an indicator; they become read-only."""
        for array in lines.values():
            array.flags.writeable = False
        self._held[source, self._digest(bars, inputs)] = lines
        self._bytes += sum(array.nbytes for array in lines.values())
        while self._bytes > self.max_bytes and self._held:
            _, gone = self._held.popitem(last=False)
            self._bytes -= sum(array.nbytes for array in gone.values())

    def _digest(self, bars: BarPanel, inputs: tuple[str, ...]) -> str:
        known = self._digests.get(id(bars))
        if known is None or known[0]() is not bars:
            place = id(bars)
            known = (ref(bars, lambda _: self._digests.pop(place, None)), {})
            self._digests[place] = known
        for name in inputs:
            if name not in known[1]:
                content = np.ascontiguousarray(bars[name])
                head = f"{content.shape}".encode()
                known[1][name] = hashlib.blake2b(content.tobytes() + head).hexdigest()
        return "|".join(known[1][name] for name in inputs)


def compute_lines(
    lines: Iterable[Line], bars: BarPanel, cache: IndicatorCache | None = None
) -> dict[str, Floats]:
    """Arrays `(time, symbol)` of all lines by key; indicators go over the bars in one walk."""
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
