"""Bars of many symbols as arrays: what strategies and the backtester work on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.core.errors import DataError
from quant_assets.quant.market.bar_frames import readable_bars
from quant_assets.quant.market.bars import Instants, instants, sealed
from quant_assets.quant.market.data_window import MEMBER
from quant_assets.quant.market.membership import Mask, PanelUniverse, panel_universe
from quant_assets.quant.market.panel import Panel, to_panels
from quant_assets.quant.market.sessions import UTC_DAYS, Sessions

Floats = npt.NDArray[np.float64]
PRICES = ("open", "high", "low", "close")
FIELDS = (*PRICES, "volume")
FIRST_ROWS = 256


@dataclass(frozen=True)
class BarPanel:
    """Bars on one time axis: `(time, symbol)` float64 arrays in C order, NaN where a bar is absent.

    ts : open times, `datetime64[us]` in UTC, shape (time,), increasing. Bar t spans
        `[ts, ts + bar_length)`.
    available_at : when bar t was known, shape (time,); not before it opened (a session may end
        before its bar does).
    symbols : text, one per column, each once. volume is 0 or NaN where nothing was traded.
    extras : further `(time, symbol)` series, known with the bar (funding rate, spread, …).
    sessions : the days of the exchange, with which longer bars of these begin anew.
    universe : which symbols could be traded when; None: all of them, always.

    The arrays are read-only views of those that were given: a strategy that scales prices in place
    would change what its own orders fill at, and the caller's data.

    Raises `DataError` for other shapes, a clock that does not increase, bars of which half lies in
    the next one, symbols that repeat, prices that are infinite or not above 0, a low above its
    high, or a volume that is infinite or below 0.
    """

    ts: Instants
    symbols: tuple[str, ...]
    bar_length: timedelta
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    available_at: Instants
    extras: Mapping[str, Floats] = field(default_factory=dict)
    sessions: Sessions = UTC_DAYS
    universe: PanelUniverse | None = None

    def __post_init__(self) -> None:
        shape = (len(self.ts), len(self.symbols))
        object.__setattr__(self, "extras", MappingProxyType(dict(self.extras)))
        _check_symbols(self.symbols)
        taken = FIELDS if self.universe is None else (*FIELDS, MEMBER)
        hidden = sorted(set(taken) & set(self.extras))
        if hidden:
            raise DataError(f"extras are named {hidden}, as columns of every bar; rename them")
        if self.bar_length <= timedelta(0):
            raise DataError(f"bar_length is {self.bar_length}; it must be above 0")
        for name, values in self.columns().items():
            if values.shape != shape or values.dtype != np.float64:
                raise DataError(f"{name} is {values.dtype} {values.shape}; it must be {shape}")
        if self.ts.dtype != np.dtype("datetime64[us]") or self.available_at.shape != self.ts.shape:
            raise DataError("ts and available_at must be datetime64[us] of one length")
        if np.isnat(self.ts).any() or np.isnat(self.available_at).any():
            row = int(np.argmax(np.isnat(self.ts) | np.isnat(self.available_at)))
            raise DataError(f"row {row} has no time: ts and available_at of every bar are needed")
        self._check_steps()
        if self.universe is not None:
            self.universe.check(shape)
        if (self.available_at < self.ts).any():
            row = int(np.argmax(self.available_at < self.ts))
            raise DataError(f"row {row} ({self.ts[row]}) is available before its bar opened")
        self._check_prices()
        self._seal()

    def _check_steps(self) -> None:
        """Bars follow each other; a day of 23 hours or a short month may overlap the next one."""
        if len(self.ts) < 2:
            return
        steps = self.ts[1:] - self.ts[:-1]
        least = steps.min()
        if 2 * least >= _step(self.bar_length):
            return
        row = int(np.argmin(steps)) + 1
        opens = f"{self.ts[row]}, the one before it {self.ts[row - 1]}"
        if least <= np.timedelta64(0):
            row = int(np.argmax(steps <= np.timedelta64(0))) + 1
            raise DataError(f"ts of row {row} ({self.ts[row]}) is not after the row before it")
        raise DataError(
            f"bars of {self.bar_length} overlap: row {row} opens {opens}. Give the bar_length of "
            "these times"
        )

    def _seal(self) -> None:
        """Show the arrays read-only; one that stands for several fields stays one."""
        views = {
            id(values): sealed(values) if values.flags.writeable else values
            for values in self.columns().values()
        }
        for name in FIELDS:
            object.__setattr__(self, name, views[id(getattr(self, name))])
        extras = {name: views[id(values)] for name, values in self.extras.items()}
        object.__setattr__(self, "extras", MappingProxyType(extras))

    def _check_prices(self) -> None:
        """Prices and volumes that no market has; each array is looked at once."""
        arrays = {id(values): name for name in PRICES for values in [self[name]]}
        for name in arrays.values():
            values = self[name]
            if np.fmin.reduce(values, axis=None, initial=np.inf) <= 0.0:
                self._refuse(name, values <= 0.0, "prices must be above 0")
            if np.fmax.reduce(values, axis=None, initial=0.0) == np.inf:
                self._refuse(name, values == np.inf, "prices must be finite")
        least = np.fmin.reduce(self.volume, axis=None, initial=0.0)
        if least < 0.0 or np.fmax.reduce(self.volume, axis=None, initial=0.0) == np.inf:
            wrong = (self.volume < 0.0) | (self.volume == np.inf)
            self._refuse("volume", wrong, "a volume must be finite and at least 0, or NaN: unknown")
        if self.low is not self.high and (self.low > self.high).any():
            self._refuse("low", self.low > self.high, "it is above the high of its bar")

    def _refuse(self, name: str, wrong: npt.NDArray[np.bool_], why: str) -> None:
        """`DataError` that names the first cell."""
        row, column = np.argwhere(wrong)[0]
        raise DataError(
            f"{name} of {self.symbols[column]} at {self.ts[row]} is {self[name][row, column]}; "
            f"{why}. Repair or leave out this bar"
        )

    def __getstate__(self) -> dict[str, Any]:
        """A read-only view cannot be sent to another process; what it shows can."""
        given = {one.name: getattr(self, one.name) for one in fields(self)}
        return {**given, "extras": dict(self.extras)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        extras = state.pop("extras")
        self.__dict__.update(state, extras=MappingProxyType(extras))
        self._seal()

    def __len__(self) -> int:
        """Number of bars."""
        return len(self.ts)

    @property
    def closes_only(self) -> bool:
        """True where no bar opens elsewhere than it closes: an open is then the next close."""
        if self.open is self.close:
            return True
        first = slice(0, FIRST_ROWS)  # they tell it of nearly all bars
        return all(
            np.array_equal(self.open[part], self.close[part], equal_nan=True)
            for part in (first, slice(FIRST_ROWS, None))
        )

    @cached_property
    def late(self) -> bool:
        """True where some bar becomes known after the next one has opened.

        Bars of a day or longer are labelled by the start of their day, and their sessions open
        later: those are late that become known when the next one has ended.
        """
        if self.bar_length < timedelta(days=1):
            return bool((self.available_at[:-1] > self.ts[1:]).any())
        return bool((self.available_at[:-1] >= self.ts[1:] + _step(self.bar_length)).any())

    def __getitem__(self, name: str) -> Floats:
        """A field or an extra by name; an unknown one is a `DataError`."""
        if name == MEMBER and self.universe is not None:
            return self.members.astype(np.float64)
        columns = self.columns()
        if name not in columns:
            raise DataError(f"the bars have no {name!r}; they have {', '.join(columns)}")
        return columns[name]

    def columns(self) -> dict[str, Floats]:
        """All `(time, symbol)` arrays by name: the five fields, then the extras."""
        return {name: getattr(self, name) for name in FIELDS} | dict(self.extras)

    def shown(self) -> dict[str, Floats]:
        """What windows show: all columns, and who is a member (1, 0) where there is a universe."""
        return self.columns() | ({} if self.universe is None else {MEMBER: self[MEMBER]})

    def panels(self) -> dict[str, Panel]:
        """What windows show, as a `Replay` takes it."""
        ts = pd.DatetimeIndex(self.ts, tz="UTC")
        return {name: Panel(values, ts, self.symbols) for name, values in self.shown().items()}

    def rows(self, part: slice) -> "BarPanel":
        """The bars of a slice of the time axis."""
        cut = {name: np.ascontiguousarray(self[name][part]) for name in FIELDS}
        extras = {name: np.ascontiguousarray(values[part]) for name, values in self.extras.items()}
        known = self.available_at[part]
        return BarPanel(
            self.ts[part],
            self.symbols,
            self.bar_length,
            **cut,
            available_at=known,
            extras=extras,
            sessions=self.sessions,
            universe=self.universe and self.universe.part(part),
        )

    @property
    def members(self) -> Mask:
        """Who is a member of the universe at each decision, `(time, symbol)`; else everybody."""
        if self.universe is not None:
            return self.universe.members
        return np.broadcast_to(np.True_, self.close.shape)

    def with_universe(self, universe: Any, first: int = 0) -> "BarPanel":
        """The bars with their universe: a `Membership` or its rows. first : see `Membership.on`."""
        known = np.maximum.accumulate(self.available_at)  # decisions wait for all bars up to them
        return replace(self, universe=panel_universe(universe, self.ts, known, self.symbols, first))

    def with_sessions(self, sessions: Sessions) -> "BarPanel":
        """The same bars of an exchange with other days."""
        return replace(self, sessions=sessions)

    def select(self, symbols: Sequence[str]) -> "BarPanel":
        """The columns of `symbols`, in the given order; an unknown one is a `DataError`."""
        unknown = sorted(set(symbols) - set(self.symbols))
        if unknown:
            raise DataError(f"symbols {unknown} are not among the {len(self.symbols)} of the bars")
        at = [self.symbols.index(symbol) for symbol in symbols]
        cut = {name: np.ascontiguousarray(self[name][:, at]) for name in FIELDS}
        extras = {n: np.ascontiguousarray(v[:, at]) for n, v in self.extras.items()}
        return BarPanel(
            self.ts,
            tuple(symbols),
            self.bar_length,
            **cut,
            available_at=self.available_at,
            extras=extras,
            sessions=self.sessions,
            universe=self.universe and self.universe.part(np.s_[:, at]),
        )

    @classmethod
    def from_arrays(
        cls,
        ts: npt.ArrayLike,
        symbols: Sequence[str],
        bar_length: timedelta,
        *,
        available_at: Instants | None = None,
        extras: Mapping[str, npt.ArrayLike] | None = None,
        **prices: npt.ArrayLike,
    ) -> "BarPanel":
        """Bars of arrays `(time,)` or `(time, symbol)` named `close` and, where known, the others.

        Absent prices are those of `close`; an absent volume is NaN: unknown, not zero. Without
        `available_at` a bar is known the moment it ends. What the caller writes into the arrays
        later changes no result: they are copied.
        """
        copies: dict[int, Floats] = {}  # one array for several fields stays one

        def copied(values: npt.ArrayLike) -> Floats:
            if id(values) not in copies:
                copies[id(values)] = np.array(values, dtype=np.float64, order="C")
            return copies[id(values)]

        own = {name: copied(values) for name, values in prices.items()}
        more = {name: copied(values) for name, values in (extras or {}).items()}
        times = ts if np.asarray(ts).dtype.kind in "iufb" else np.array(ts, dtype="datetime64[us]")
        known = None if available_at is None else np.array(available_at, dtype="datetime64[us]")
        return cls._of_own(times, symbols, bar_length, available_at=known, extras=more, **own)

    @classmethod
    def _of_own(
        cls,
        ts: npt.ArrayLike,
        symbols: Sequence[str],
        bar_length: timedelta,
        *,
        available_at: Instants | None = None,
        extras: Mapping[str, Floats] | None = None,
        **prices: Floats,
    ) -> "BarPanel":
        """`from_arrays` of arrays that nobody else writes to."""
        unknown = sorted(set(prices) - set(FIELDS))
        if unknown or "close" not in prices:
            raise DataError(f"prices are {sorted(prices)}; close is needed, {FIELDS} are known")
        if isinstance(symbols, str):
            raise DataError(f"symbols are the text {symbols!r}; give a list, as in [{symbols!r}]")
        if np.asarray(ts).dtype.kind in "iufb":
            raise DataError(f"ts are numbers ({np.asarray(ts).dtype}); give datetimes in UTC")
        moments = np.asarray(ts, dtype="datetime64[us]")

        shape = (len(moments), len(symbols))
        close = _panel("close", prices["close"], shape)
        columns = {
            name: _panel(name, prices[name], shape) if name in prices else close for name in PRICES
        }
        volume = np.full_like(close, np.nan)
        if "volume" in prices:
            volume = _panel("volume", prices["volume"], shape)
        given = moments + _step(bar_length) if available_at is None else available_at
        known: Instants = np.asarray(given, dtype="datetime64[us]")
        more = {name: _panel(name, values, shape) for name, values in (extras or {}).items()}
        return cls(
            moments,
            tuple(symbols),
            bar_length,
            **columns,
            volume=volume,
            available_at=known,
            extras=more,
            sessions=UTC_DAYS,
            universe=None,
        )

    @classmethod
    def from_frame(cls, frame: Any, *, bar_length: timedelta) -> "BarPanel":
        """Bars of a long frame with `ts`, `symbol`, `close` and, where known, the other columns.

        The frame may be of any library that gives Arrow data: pandas, polars, pyarrow, DuckDB. A
        column without any value (the opens of a venue of closes) counts as absent, see
        `from_arrays`. Prices and volume may be of any type of number; other float columns become
        extras. Times without a zone are UTC. A row's `available_at` may be later than its end (late
        data): bar t is known when the last of its rows is.

        Raises `DataError` for a column that is absent or no numbers, rows without ts or symbol, and
        rows that repeat.
        """
        frame = readable_bars(frame, FIELDS)
        if frame.duplicated(["ts", "symbol"]).any():
            row = int(np.argmax(frame.duplicated(["ts", "symbol"]).to_numpy()))
            raise DataError(f"row {row} repeats ts and symbol of an earlier one")
        floats = [str(n) for n, dtype in frame.dtypes.items() if dtype == np.float64]
        panels = to_panels(frame, floats)
        first = panels["close"]
        ts = instants(first.ts.to_series())
        known = ts + _step(bar_length)
        if "available_at" in frame.columns:
            rows = np.searchsorted(ts, instants(frame["ts"]))
            np.maximum.at(known, rows, instants(frame["available_at"]))
        given = {name: panels[name].values for name in FIELDS if name in panels}
        given = {name: v for name, v in given.items() if name == "close" or not np.isnan(v).all()}
        extras = {name: panels[name].values for name in floats if name not in FIELDS}
        return cls._of_own(
            ts, first.symbols, bar_length, available_at=known, extras=extras, **given
        )

    def frame(self) -> pd.DataFrame:
        """The long frame again, sorted by ts and symbol; rows without a close are left out."""
        present = ~np.isnan(self.close).ravel()
        columns: dict[str, object] = {
            "ts": pd.DatetimeIndex(np.repeat(self.ts, len(self.symbols))[present], tz="UTC"),
            "available_at": pd.DatetimeIndex(
                np.repeat(self.available_at, len(self.symbols))[present], tz="UTC"
            ),
            "symbol": np.tile(np.array(self.symbols, dtype=object), len(self.ts))[present],
        }
        columns |= {name: values.ravel()[present] for name, values in self.columns().items()}
        return pd.DataFrame(columns)


def _panel(name: str, values: Floats, shape: tuple[int, int]) -> Floats:
    """`(time, symbol)`; a `DataError` for an array of other lengths than times and symbols."""
    array = values
    if values.ndim == 1 and values.size == shape[0] * shape[1]:
        array = values.reshape(shape)
    if array.shape != shape:
        raise DataError(
            f"{name} is {values.dtype} {values.shape}; it must be {shape}, as there are "
            f"{shape[0]} times in ts and {shape[1]} symbols"
        )
    return array


def _step(bar_length: timedelta) -> np.timedelta64:
    """The length of a bar in the unit of `Instants`."""
    if not isinstance(bar_length, timedelta):
        raise DataError(f"bar_length is {bar_length!r}; give a timedelta, as in timedelta(days=1)")
    step: np.timedelta64 = np.timedelta64(bar_length).astype("timedelta64[us]")
    return step


def _check_symbols(symbols: tuple[str, ...]) -> None:
    """`DataError` for symbols that are no text or repeat."""
    others = [symbol for symbol in symbols if not isinstance(symbol, str)]
    if others:
        raise DataError(f"symbol {others[0]!r} is a {type(others[0]).__name__}; it must be text")
    if len(set(symbols)) < len(symbols):
        repeated = sorted({symbol for symbol in symbols if symbols.count(symbol) > 1})
        raise DataError(f"symbols {repeated} repeat; every column needs its own")
