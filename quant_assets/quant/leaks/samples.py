"""Data that can be cut and changed: named arrays with time on axis 0, and how to make an input."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.features.base import FeatureInputs
from quant_assets.quant.market.bar_panel import FIELDS, BarPanel
from quant_assets.quant.market.bars import Instants

__all__ = ["Sample", "sample_of"]

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]
PRICE_NAMES = frozenset({"open", "high", "low", "close", "spot_close", "vwap", "price"})
TS, KNOWN, MEMBERS = "ts", "available_at", "members"


@dataclass(frozen=True)
class Sample:
    """What a function is tried on.

    arrays : axis 0 is time; `(time, symbol)` arrays have one column per symbol. Float arrays can be
        given another future. build : makes the function's argument of arrays and symbols.
    ts : open times. available_at, decided_at : when each row was known, and when the decision of
        each row was taken, not decreasing; a row whose `available_at` is later is hidden from it.
    read_only : `build` shows arrays that nobody can write to.
    """

    arrays: Arrays
    build: Callable[[Arrays, tuple[str, ...]], Any]
    ts: Array
    symbols: tuple[str, ...]
    available_at: Instants | None = None
    decided_at: Instants | None = None
    read_only: bool = False

    def __len__(self) -> int:
        """Rows of the time axis."""
        return len(self.ts)

    def value(self) -> Any:
        """The argument that a function gets, made of the arrays themselves."""
        return self.build(self.arrays, self.symbols)

    def copied(self) -> "Sample":
        """The same with arrays of its own, which may be written to."""
        return replace(self, arrays={n: np.array(a, order="C") for n, a in self.arrays.items()})

    def rows(self, part: slice) -> "Sample":
        """A part of the time axis."""
        known = None if self.available_at is None else self.available_at[part]
        decided = None if self.decided_at is None else self.decided_at[part]
        cut = {name: array[part] for name, array in self.arrays.items()}
        return replace(self, arrays=cut, ts=self.ts[part], available_at=known, decided_at=decided)

    def hidden(self, cut: int) -> npt.NDArray[np.bool_]:
        """Rows not known at the decision of row `cut`: later ones, and those that came late."""
        later = np.arange(len(self)) > cut
        if self.available_at is None or self.decided_at is None:
            return later
        return np.asarray(later | (self.available_at > self.decided_at[cut]))

    def first_known(self) -> npt.NDArray[np.int64]:
        """The first row of each symbol on which anything is known of it, shape (symbol,)."""
        first = np.full(len(self.symbols), len(self), dtype=np.int64)
        for array in self.arrays.values():
            if self.has_symbols(array) and array.dtype.kind == "f":
                if np.isfinite(array[0]).all():
                    return np.zeros(len(self.symbols), dtype=np.int64)
                known = np.isfinite(array)
                rows = np.where(known.any(axis=0), known.argmax(axis=0), len(self))
                first = np.minimum(first, rows)
        return first

    def has_symbols(self, array: Array) -> bool:
        """Whether an array has one column per symbol."""
        return array.ndim == 2 and array.shape[1] == len(self.symbols) > 0

    def select(self, chosen: npt.NDArray[np.bool_]) -> "Sample":
        """The symbols of a mask."""
        cut = {n: a[:, chosen] if self.has_symbols(a) else a for n, a in self.arrays.items()}
        names = tuple(s for s, kept in zip(self.symbols, chosen, strict=True) if kept)
        return replace(self, arrays=cut, symbols=names)


def sample_of(data: Any, *, decided_at: Instants | None = None) -> Sample:
    """A sample of a `BarPanel`, `FeatureInputs`, pandas frame or series, array, or dict of arrays.

    decided_at : when each decision was taken, for bars. By default a decision does not wait for a
    late bar beyond the moment at which a later bar is known; so nothing is late where all bars
    come with the same delay.
    """
    if isinstance(data, BarPanel):
        return _of_bars(data, decided_at)
    if decided_at is not None:
        raise ConfigError(f"decided_at belongs to bars; the data are a {type(data).__name__}")
    if isinstance(data, FeatureInputs):
        return _of_features(data)
    if isinstance(data, pd.DataFrame | pd.Series):
        return _of_frame(data)
    if isinstance(data, np.ndarray):
        return _of_arrays({"values": data}, lambda arrays: arrays["values"])
    if isinstance(data, Mapping):
        return _of_arrays({str(name): np.asarray(a) for name, a in data.items()}, dict)
    raise ConfigError(
        f"a {type(data).__name__} cannot be cut: give bars, feature inputs, a frame with one row "
        "per time, an array or a dict of arrays"
    )


def _of_bars(bars: BarPanel, decided_at: Instants | None) -> Sample:
    if decided_at is None:
        decided_at = np.minimum.accumulate(bars.available_at[::-1])[::-1]
    if decided_at.shape != bars.ts.shape or (decided_at[1:] < decided_at[:-1]).any():
        raise DataError(f"decided_at must be {len(bars)} moments that do not decrease")

    def build(arrays: Arrays, symbols: tuple[str, ...]) -> BarPanel:
        """As a panel that another process sent: made of good ones, it is not looked over again."""
        found = BarPanel.__new__(BarPanel)
        found.__setstate__(
            {
                **{name: arrays[name] for name in FIELDS},
                "ts": arrays[TS],
                "symbols": symbols,
                "bar_length": bars.bar_length,
                "available_at": arrays[KNOWN],
                "extras": {name: arrays[name] for name in bars.extras},
                "sessions": bars.sessions,
                "universe": universe and replace(universe, members=arrays[MEMBERS]),
            }
        )
        return found

    universe = bars.universe
    arrays: dict[str, Array] = {**bars.columns(), TS: bars.ts, KNOWN: bars.available_at}
    if universe is not None:
        arrays[MEMBERS] = universe.members
    clocks = bars.available_at, decided_at
    return Sample(arrays, build, bars.ts, bars.symbols, *clocks, read_only=True)


def _of_features(inputs: FeatureInputs) -> Sample:
    arrays = {
        f.name: getattr(inputs, f.name)
        for f in fields(inputs)
        if isinstance(getattr(inputs, f.name), np.ndarray)
    }

    index = pd.DatetimeIndex(inputs.ts)

    def build(arrays: Arrays, symbols: tuple[str, ...]) -> FeatureInputs:
        moments = pd.DatetimeIndex(arrays[TS])
        zoned = moments if index.tz is None else moments.tz_localize("UTC").tz_convert(index.tz)
        series: dict[str, Any] = {n: array for n, array in arrays.items() if n != TS}
        return replace(inputs, ts=zoned, symbols=symbols, **series)

    ts = (index if index.tz is None else index.tz_convert("UTC").tz_localize(None)).to_numpy()
    return Sample({**arrays, TS: ts}, build, ts, inputs.symbols)


def _of_frame(data: pd.DataFrame | pd.Series) -> Sample:
    frame = data.to_frame() if isinstance(data, pd.Series) else data
    index = data.index
    if isinstance(index, pd.DatetimeIndex) and not (
        index.is_monotonic_increasing and index.is_unique
    ):
        raise DataError(
            "the index of the frame must increase, one row per time: sort it, and give bars of "
            "several symbols as a BarPanel"
        )
    positions = np.arange(len(index))
    names = tuple(str(column) for column in frame.columns)
    columns = {f"{place}": frame.iloc[:, place].to_numpy() for place in range(len(names))}

    def build(arrays: Arrays, symbols: tuple[str, ...]) -> pd.DataFrame | pd.Series:
        del symbols
        rows = index[arrays["index"]]
        if isinstance(data, pd.Series):
            return pd.Series(arrays["0"], index=rows, name=data.name)
        made = {n: arrays[f"{n}"] for n in range(len(names))}
        made_frame = pd.DataFrame(made, index=rows)
        made_frame.columns = frame.columns
        return made_frame

    return Sample({**columns, "index": positions}, build, index.to_numpy(), ())


def _of_arrays(arrays: dict[str, Array], make: Callable[[Any], Any]) -> Sample:
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) != 1:
        raise DataError(f"arrays must share axis 0, time; they have {lengths} rows")
    n_times = next(iter(lengths.values()))
    widths = {array.shape[1] for array in arrays.values() if array.ndim == 2}
    width = widths.pop() if len(widths) == 1 else 0
    names = tuple(f"{column}" for column in range(width))
    ts = arrays.get(TS, np.arange(n_times))
    return Sample(arrays, lambda a, _: make(a), ts, names)
