"""Series of different clocks on one, by what was known: a join by `ts` cannot be written here.

A `Timeframe` carries bar length and `available_at` and refuses bars that claim to be known before
they close. The one join is backward from the clock's `available_at` to the series' `available_at`,
equality allowed, never further back than a maximum age: a 1h value first appears on the 5m bar that
closes with it. Gaps stay gaps, nothing is filled.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.core.errors import ConfigError, DataError, LookAheadError
from quant_assets.quant.market.bars import Instants, instants, microseconds, sealed
from quant_assets.quant.market.resample import DAY

if TYPE_CHECKING:
    from quant_assets.quant.market.asof_kernel import Facts, Known, Runs

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
PRICES_OF_BARS = frozenset({"open", "high", "low", "close"})
_CLOCK_CHANGE = timedelta(hours=1)
_MICROSECOND = timedelta(microseconds=1)
_FOREVER = 2**61  # microseconds; added to an instant it still fits 64 bits


@dataclass(frozen=True)
class Timeframe:
    """Rows of one series and what is needed to join them without look-ahead.

    bar_length : span of a bar; 0 for instants (funding, open interest), which hold no bar prices.
    ts, available_at : shape (row,), UTC datetime64[us]; sorted by (symbol, ts) or (ts, symbol).
    codes, symbols : symbol of each row as a position in `symbols`.
    values : float64 columns, shape (row,) each.
    shortest : length of the shortest bar, where a session's end or a change of clocks cuts bars;
        None: all have `bar_length`.

    Raises `LookAheadError` when a row claims to be known before its bar ended, `DataError` when the
    rows are not bars of that length, repeat or are unsorted.
    """

    bar_length: timedelta
    ts: Instants
    available_at: Instants
    codes: Integers
    symbols: tuple[str, ...]
    values: Mapping[str, Floats]
    shortest: timedelta | None = None

    @classmethod
    def of_bars(
        cls, frame: pd.DataFrame, *, bar_length: timedelta, shortest: timedelta | None = None
    ) -> "Timeframe":
        """Bars of a long frame with `ts`, `available_at` and `symbol`: all its float columns."""
        if bar_length <= timedelta(0):
            raise ConfigError(f"bar_length {bar_length} of bars must be positive")
        return cls(bar_length, **_columns(frame), shortest=shortest)

    @classmethod
    def of_instants(cls, frame: pd.DataFrame) -> "Timeframe":
        """Values at instants, as funding has them, of a long frame: all its float columns."""
        return cls(timedelta(0), **_columns(frame))

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", MappingProxyType(dict(self.values)))
        wrong = {n: v.dtype for n, v in self.values.items() if v.shape != self.ts.shape}
        wrong |= {n: v.dtype for n, v in self.values.items() if v.dtype != np.float64}
        if wrong or self.available_at.shape != self.ts.shape or self.codes.shape != self.ts.shape:
            raise DataError(
                f"columns {wrong or ['available_at', 'codes']} are not arrays of {len(self.ts)} "
                "rows as ts is (values are float64)"
            )
        prices = sorted(PRICES_OF_BARS & set(self.values))
        if self.bar_length == timedelta(0) and prices:
            raise LookAheadError(
                f"columns {prices} belong to bars, which end after their ts: give their bar_length "
                "(Timeframe.of_bars)"
            )
        self._check_rows()

    def _check_rows(self) -> None:
        bad, step, delay, _ = self._facts[0]
        if bad >= 0:
            raise DataError(
                f"row {bad} ({self._name(bad)}) is out of order: rows must be unique and sorted by "
                "(symbol, ts) or by (ts, symbol)"
            )
        shortest = self.bar_length if self.shortest is None else self.shortest
        if delay < shortest // _MICROSECOND:
            row = int(np.argmin(self.available_at - self.ts))
            raise LookAheadError(
                f"row {row} ({self._name(row)}) is available at {self.available_at[row]} UTC, "
                f"before its bar of {shortest} ends. Set available_at to when the bar could be "
                "known, or `shortest` when sessions cut bars."
            )
        slack = _CLOCK_CHANGE if self.bar_length >= DAY else timedelta(0)
        low, high = shortest // _MICROSECOND, (self.bar_length + slack) // _MICROSECOND
        apart = self.bar_length > timedelta(0) and step != np.iinfo(np.int64).max
        if apart and not low <= step <= high:
            raise DataError(
                f"rows of one symbol lie at least {timedelta(microseconds=int(step))} apart, so "
                f"they are not bars of {self.bar_length}. Name their true length; where bars are "
                "missing, put gap rows; where sessions cut bars, set `shortest`."
            )

    def _name(self, row: int) -> str:
        return f"{self.symbols[self.codes[row]]} at {self.ts[row]} UTC"

    @cached_property
    def _facts(self) -> tuple["Facts", Integers]:
        """What one pass over the rows tells: facts, and rows per symbol."""
        from quant_assets.quant.market.asof_kernel import inspect

        counts = np.empty(len(self.symbols), dtype=np.int64)
        known = microseconds(self.available_at)
        return inspect(sealed(self.codes), microseconds(self.ts), known, counts), counts

    @cached_property
    def starts(self) -> Integers:
        """Where each symbol begins in clock order, and the number of rows: (n_symbols + 1,)."""
        return np.concatenate([[0], np.cumsum(self._facts[1])]).astype(np.int64)

    @cached_property
    def clock_order(self) -> Integers | None:
        """Positions of the rows sorted by (symbol, available_at); None when they already are."""
        from quant_assets.quant.market.asof_kernel import by_symbol

        if self._facts[0].in_clock_order:
            return None
        order = by_symbol(sealed(self.codes), self.starts)
        known, codes = microseconds(self.available_at)[order], self.codes[order]
        if not ((known[1:] < known[:-1]) & (codes[1:] == codes[:-1])).any():
            return order
        return np.lexsort(
            (microseconds(self.ts), microseconds(self.available_at), self.codes)
        ).astype(np.int64)

    def clocked(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """A column in clock order."""
        return sealed(values if self.clock_order is None else values[self.clock_order])


@dataclass(frozen=True)
class Alignment:
    """Which row of `source` was the latest known at each row of `clock`."""

    clock: Timeframe
    source: Timeframe
    runs: "Runs"

    def column(self, name: str) -> Floats:
        """A column of the source on the rows of the clock, in their order; NaN where none is known.

        Unknown names raise `DataError`.
        """
        if name not in self.source.values:
            raise DataError(f"no column {name!r}; the series has {sorted(self.source.values)}")
        return self._spread(self.source.values[name])

    def source_rows(self) -> Integers:
        """Position of the row in the source (-1: none) per row of the clock."""
        rows = self._spread(np.arange(len(self.source.ts), dtype=np.float64))
        return np.where(np.isnan(rows), -1, rows).astype(np.int64)

    def _spread(self, values: Floats) -> Floats:
        from quant_assets.quant.market.asof_kernel import spread

        aligned = np.empty(len(self.clock.ts))
        spread(self.runs, self.source.clocked(values), aligned)
        if self.clock.clock_order is None:
            return aligned
        rows = np.empty_like(aligned)
        rows[self.clock.clock_order] = aligned
        return rows


def align(source: Timeframe, *, clock: Timeframe, max_age: timedelta) -> Alignment:
    """Per row of `clock`: the row of `source`, of its symbol, that was the latest known by then.

    'By then' is the clock row's `available_at`, equality allowed.

    max_age : how long after a row's `available_at` it still counts, the end included.
    Raises `TypeError` for anything without bar length and `available_at`.
    """
    from quant_assets.quant.market.asof_kernel import Runs, match

    for role, series in (("source", source), ("clock", clock)):
        if not isinstance(series, Timeframe):
            raise TypeError(
                f"{role} is a {type(series).__name__}, which does not tell when its rows are "
                "known: make a Timeframe of it (Timeframe.of_bars, Timeframe.of_instants)"
            )
    if max_age < timedelta(0):
        raise ConfigError(f"max_age {max_age} must not be negative")
    runs = Runs(*(np.empty(len(source.ts), dtype=np.int64) for _ in range(3)))
    known = _known(source, clock.symbols)
    at = clock.clocked(microseconds(clock.available_at))
    n_runs = match(at, clock.starts, known, min(max_age // _MICROSECOND, _FOREVER), runs)
    return Alignment(clock, source, Runs(*(column[:n_runs] for column in runs)))


def _known(source: Timeframe, symbols: tuple[str, ...]) -> "Known":
    """The source's rows for each of `symbols`; those that it does not have get none."""
    from quant_assets.quant.market.asof_kernel import Known

    position = {symbol: code for code, symbol in enumerate(source.symbols)}
    spans = [
        source.starts[position[s] : position[s] + 2] if s in position else (0, 0) for s in symbols
    ]
    begins, ends = np.array(spans, dtype=np.int64).reshape(-1, 2).T
    return Known(
        source.clocked(microseconds(source.available_at)),
        source.clocked(microseconds(source.ts)),
        begins.copy(),
        ends.copy(),
    )


def _columns(frame: pd.DataFrame) -> dict[str, Any]:
    """Keys and float columns of a long frame."""
    missing = sorted({"ts", "available_at", "symbol"} - set(frame.columns))
    if missing:
        raise DataError(
            f"columns {missing} are missing from {list(frame.columns)}: without them nothing tells "
            "when a row could be known"
        )
    codes, symbols = pd.factorize(frame["symbol"], sort=True)
    floats = [name for name, dtype in frame.dtypes.items() if dtype == np.float64]
    return {
        "ts": instants(frame["ts"]),
        "available_at": instants(frame["available_at"]),
        "codes": codes.astype(np.int64, copy=False),
        "symbols": tuple(str(symbol) for symbol in symbols),
        "values": {str(name): frame[name].to_numpy() for name in floats},
    }


@dataclass(frozen=True)
class Bar:
    """One row of a series: its open time, when it could be known, and its values."""

    ts: np.datetime64
    available_at: np.datetime64
    values: Mapping[str, float]


@dataclass(frozen=True)
class MultiTimeframe:
    """Several series of one market, joined to the clock of the primary one.

    timeframes : by name, for example `5m` and `1h`; `primary` names one of them.
    max_age : per other timeframe, how long after its `available_at` a row still counts.
    """

    primary: str
    timeframes: Mapping[str, Timeframe]
    max_age: Mapping[str, timedelta]

    def __post_init__(self) -> None:
        if self.primary not in self.timeframes:
            raise ConfigError(f"primary {self.primary!r} is none of {sorted(self.timeframes)}")
        others = set(self.timeframes) - {self.primary}
        if others != set(self.max_age):
            raise ConfigError(
                f"max_age is given for {sorted(self.max_age)}, needed for {sorted(others)}"
            )

    @cached_property
    def _alignments(self) -> Mapping[str, Alignment]:
        clock = self._timeframe(self.primary)
        return {
            name: align(self.timeframes[name], clock=clock, max_age=age)
            for name, age in self.max_age.items()
        }

    @cached_property
    def _source_rows(self) -> Mapping[str, Integers]:
        return {name: alignment.source_rows() for name, alignment in self._alignments.items()}

    def _timeframe(self, name: str) -> Timeframe:
        if name not in self.timeframes:
            raise ConfigError(f"no timeframe {name!r}; there are {sorted(self.timeframes)}")
        return self.timeframes[name]

    def align_to_primary(self, timeframe: str) -> dict[str, Floats]:
        """The columns of a timeframe on the rows of the primary one; NaN where none is known."""
        series = self._timeframe(timeframe)
        if timeframe == self.primary:
            return dict(series.values)
        return {name: self._alignments[timeframe].column(name) for name in series.values}

    def current_bar(self, timeframe: str, *, row: int) -> Bar | None:
        """The latest bar of `timeframe` that is known when primary row `row` is; None without one.

        A row beyond the primary ones is an `IndexError`.
        """
        series = self._timeframe(timeframe)
        if not 0 <= row < len(self.timeframes[self.primary].ts):
            raise IndexError(
                f"row {row} of {len(self.timeframes[self.primary].ts)} rows of {self.primary}"
            )
        if timeframe != self.primary:
            row = int(self._source_rows[timeframe][row])
        if row < 0:
            return None
        values = {name: float(column[row]) for name, column in series.values.items()}
        return Bar(series.ts[row], series.available_at[row], values)


def warm_up() -> None:
    """Compile the kernels: two symbols on their own clock, rows by time as frames have them."""
    ts = np.array([0, 0, 1], dtype="datetime64[us]")
    series = Timeframe(timedelta(0), ts, ts, np.array([0, 1, 0]), ("a", "b"), {"value": np.ones(3)})
    align(series, clock=series, max_age=timedelta(0)).column("value")
