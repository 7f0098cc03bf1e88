"""Bars of one length become longer bars: label left, closed left, nothing invented.

A bar takes the first open, highest high, lowest low, last close and summed volume of its rows;
fields that are NaN in a row are passed over. Rows without close are gaps and add nothing: a bar
of gaps only is a gap, a bar without any row does not exist. `available_at` is that of the row known
last; a bar that lacks rows is not known before its own end, since until then one could still come.
`completeness` is n_rows / the rows of a whole bar.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.market.bars import (
    Instants,
    instants,
    microseconds,
    sealed,
    to_column,
)

if TYPE_CHECKING:
    from quant_assets.quant.market.resample_kernel import Clock, Codes, Fields, Keys, Stamps

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
DAY, WEEK = timedelta(days=1), timedelta(days=7)
FIELDS = ("open", "high", "low", "close", "volume")
MONDAY = np.datetime64("1970-01-05", "D")
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class BarLength:
    """How long rows become how long bars, and where those begin.

    bars, rows : the two lengths. Bars shorter than a day divide it and begin anew with every
        session; longer ones are whole days, those of seven days begin on Monday, other counts of
        days at 1970-01-01.
    time_zone, anchor : a session begins on every calendar day of the zone at `anchor` after local
        midnight (negative: on the evening before); sessions across a change of clocks have 23 or
        25 hours. A local time that the change skips is moved behind it, one that comes twice is
        the earlier.
    rows_per_bar : rows of a whole bar where trading stops (390 minutes of a US session); None:
        trading never stops, and each bar has its own span / `rows`.
    """

    bars: timedelta
    rows: timedelta
    time_zone: str = "UTC"
    anchor: timedelta = timedelta(0)
    rows_per_bar: int | None = None

    def __post_init__(self) -> None:
        if self.rows <= timedelta(0) or self.bars % self.rows or self.bars < self.rows:
            raise ConfigError(
                f"rows of {self.rows} do not make bars of {self.bars}: the bars must be a whole "
                "multiple of positive rows. Choose another length."
            )
        if (self.bars % DAY) if self.bars > DAY else (DAY % self.bars):
            raise ConfigError(
                f"bars of {self.bars} neither divide a day nor are whole days, so they would begin "
                "at other times on every day. Choose for example 5m, 4h, 1d or 7d."
            )
        if abs(self.anchor) >= DAY:
            raise ConfigError(f"anchor {self.anchor} is a day or more away from local midnight")
        if self.rows_per_bar is not None and self.rows_per_bar < 1:
            raise ConfigError(f"rows_per_bar {self.rows_per_bar} must be at least 1")
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise ConfigError(
                f"time zone {self.time_zone!r} is unknown; write an IANA name such as UTC or "
                "America/New_York"
            ) from None

    def session_starts(self, first: np.datetime64, last: np.datetime64) -> Instants:
        """UTC starts of the sessions from the one that holds `first` to the one after `last`."""
        days = np.arange(
            first.astype("datetime64[D]") - 2, last.astype("datetime64[D]") + 3, dtype="M8[D]"
        )
        if self.bars > DAY:
            count = self.bars // DAY
            origin = MONDAY if self.bars == WEEK else np.datetime64(0, "D")
            begin = days[0] - (days[0] - origin).astype(np.int64) % count
            days = np.arange(begin, days[-1] + count + 1, count, dtype="M8[D]")
        local = pd.DatetimeIndex(days.astype("datetime64[us]") + np.timedelta64(self.anchor))
        moments = local.tz_localize(
            self.time_zone, ambiguous=np.ones(len(local), bool), nonexistent="shift_forward"
        )
        starts: Instants = moments.tz_convert("UTC").tz_localize(None).to_numpy("datetime64[us]")
        inside = slice(
            int(np.searchsorted(starts, first, side="right")) - 1,
            int(np.searchsorted(starts, last, side="right")) + 1,
        )
        return starts[inside]

    def ends(self, begins: Instants) -> Instants:
        """Ends of the bars that begin at `begins`, shape (n_bars,)."""
        if len(begins) == 0:
            return begins
        starts = self.session_starts(begins.min(), begins.max())
        ends = starts[np.searchsorted(starts, begins, side="right")]
        if self.bars < DAY:
            ends = np.minimum(ends, begins + np.timedelta64(self.bars))
        return ends

    def whole_rows(self, begins: Instants) -> Integers:
        """Rows of the whole bars that begin at `begins`, shape (n_bars,)."""
        if self.rows_per_bar is not None or len(begins) == 0:
            return np.full(len(begins), self.rows_per_bar or 1, dtype=np.int64)
        row = np.timedelta64(self.rows)
        return np.asarray((self.ends(begins) - begins + row // 2) // row)

    def clock(self, first: np.datetime64, last: np.datetime64) -> "Clock":
        """What the kernel needs for rows from `first` to `last`."""
        from quant_assets.quant.market.resample_kernel import Clock

        intraday = self.bars < DAY
        return Clock(
            starts=microseconds(self.session_starts(first, last)),
            step=(self.bars if intraday else 2 * self.bars) // _MICROSECOND,
            row_length=self.rows // _MICROSECOND,
            reach=self.rows // _MICROSECOND if self.rows < DAY else 0,
            rows_per_bar=self.rows_per_bar or 0,
        )


@dataclass(frozen=True)
class BarArrays:
    """Bars as arrays, open to close and volume as float64.

    Panels: `ts` and `available_at` are (time,), the fields (time, symbol) or, for one symbol,
    (time,). Long rows: everything is (row,). A missing price is NaN, a row without close a gap.
    """

    ts: Instants
    available_at: Instants
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats

    def __post_init__(self) -> None:
        shape = self.close.shape
        for name in FIELDS:
            values = getattr(self, name)
            if (
                values.shape != shape
                or values.dtype != np.float64
                or values.shape[:1] != (len(self.ts),)
            ):
                raise DataError(
                    f"{name} is {values.dtype} {values.shape}, expected float64 {shape} with "
                    f"{len(self.ts)} rows as ts has"
                )
        if self.available_at.shape != self.ts.shape:
            raise DataError(
                f"available_at has shape {self.available_at.shape}, ts {self.ts.shape}: "
                "each row needs the instant at which it could be known"
            )


@dataclass(frozen=True)
class ResampledBars(BarArrays):
    """Longer bars; `n_rows` and `completeness` have the shape of the fields.

    `codes` tells the symbol of each long row; it is 0 for panels.
    """

    codes: npt.NDArray[np.integer]
    n_rows: npt.NDArray[np.int32]
    length: BarLength

    @property
    def completeness(self) -> Floats:
        """Share of a whole bar's rows that had a close."""
        whole = self.length.whole_rows(self.ts)
        return np.asarray(self.n_rows / whole.reshape(-1, *(1 for _ in self.n_rows.shape[1:])))

    @property
    def is_gap(self) -> npt.NDArray[np.bool_]:
        """True where no row of the bar had a close."""
        return np.asarray(self.n_rows == 0)


def _fields(bars: BarArrays) -> "Fields":
    from quant_assets.quant.market.resample_kernel import Fields

    return Fields(*(sealed(getattr(bars, name)).reshape(-1) for name in FIELDS))


def _clock(firsts: Integers, lasts: Integers, length: BarLength) -> "Clock":
    """The clock of all these instants, which need not be in order."""
    both = np.append(firsts, lasts)
    ends = (int(both.min()), int(both.max())) if len(both) else (0, 0)
    return length.clock(*(np.datetime64(moment, "us") for moment in ends))


def _keys(bars: BarArrays, codes: npt.NDArray[np.integer]) -> "Keys":
    from quant_assets.quant.market.resample_kernel import Keys

    return Keys(sealed(codes), microseconds(bars.ts), microseconds(bars.available_at))


def _outputs(n_bars: int, n_cells: int, codes: "Codes") -> tuple["Stamps", "Fields"]:
    """Room for the bars; the symbols of long rows have the type that they came in."""
    from quant_assets.quant.market.resample_kernel import Fields, Stamps

    ts, available_at = np.empty(n_bars, dtype=np.int64), np.empty(n_bars, dtype=np.int64)
    stamps = Stamps(np.empty_like(codes, shape=n_bars), ts, available_at, np.empty(n_cells, "i4"))
    return stamps, Fields(*(np.empty(n_cells) for _ in FIELDS))


def _runs(keys: "Keys") -> tuple[Integers, Integers, Integers]:
    """First and last `ts` of each symbol, and its number of rows, of rows sorted by (code, ts)."""
    if len(keys.ts) == 0:
        return keys.ts, keys.ts, keys.ts
    symbols = np.arange(int(keys.code[0]), int(keys.code[-1]) + 1).astype(keys.code.dtype)
    edges = np.unique(np.append(np.searchsorted(keys.code, symbols, side="right"), [0, 1]))
    return keys.ts[edges[:-1]], keys.ts[edges[1:] - 1], np.diff(edges)


def _most_bars(runs: tuple[Integers, Integers, Integers], clock: "Clock") -> int:
    """At least the number of bars of sorted runs; memory reserved for more is never touched."""
    firsts, lasts, rows = runs
    sessions = np.searchsorted(clock.starts, lasts) - np.searchsorted(clock.starts, firsts)
    span = np.maximum((lasts - firsts) // clock.step + 2 + sessions, 1)
    return int(np.minimum(span, rows).sum())


def _resampled(
    outputs: tuple["Stamps", "Fields"],
    length: BarLength,
    n_bars: int,
    shape: tuple[int, ...] = (),
) -> ResampledBars:
    """The first `n_bars` bars of the outputs, the cells of each in `shape`."""
    stamps, fields = outputs
    cells = slice(0, n_bars * int(np.prod(shape)))
    return ResampledBars(
        ts=stamps.ts[:n_bars].view("datetime64[us]"),
        available_at=stamps.available_at[:n_bars].view("datetime64[us]"),
        **{name: v[cells].reshape(n_bars, *shape) for name, v in fields._asdict().items()},
        codes=stamps.code[:n_bars],
        n_rows=stamps.n_rows[cells].reshape(n_bars, *shape),
        length=length,
    )


def _refused(bars: BarArrays, row: int, length: BarLength) -> DataError:
    """Why the kernel stopped at `row`."""
    ts = bars.ts[row]
    start, end = length.session_starts(ts, ts)
    if length.bars < DAY:
        step = np.timedelta64(length.bars)
        end = min(start + ((ts - start) // step + 1) * step, end)
    if length.rows < DAY and ts + np.timedelta64(length.rows) > end:
        return DataError(
            f"row {row} begins at {ts} UTC and lasts {length.rows}, beyond the end of its bar of "
            f"{length.bars} at {end} UTC (time zone {length.time_zone}, anchor {length.anchor}). "
            "Choose an anchor on which rows begin, or bars of another length."
        )
    before = bars.ts[row - 1]
    return DataError(
        f"row {row} at {ts} UTC comes after one at {before} UTC: rows must be unique and sorted by "
        "(symbol, ts) or by (ts, symbol). Sort them and remove repeated ones."
    )


def resample_panel(bars: BarArrays, length: BarLength) -> ResampledBars:
    """Bars of `(time,)` or `(time, symbol)` arrays on one clock; `ts` must be increasing.

    A cell of a panel that holds no row of its bar is a gap: NaN prices, volume 0.
    """
    from quant_assets.quant.market import resample_kernel as kernel

    keys = _keys(bars, np.zeros(len(bars.ts), dtype=np.int64))
    clock = _clock(keys.ts[:1], keys.ts[-1:], length)
    n_bars, bad = kernel.count_by_time(keys.code, keys.ts, clock, 1)
    if bad >= 0:
        raise _refused(bars, bad, length)
    shape = bars.close.shape[1:]
    stamps, fields = _outputs(n_bars, n_bars * int(np.prod(shape)), keys.code)
    stamps.code[:] = 0
    kernel.fill_panel(keys, _fields(bars), clock, stamps, fields)
    return _resampled((stamps, fields), length, n_bars, shape)


def resample_rows(
    bars: BarArrays, codes: npt.NDArray[np.integer], length: BarLength
) -> ResampledBars:
    """Bars of long rows, in the order of the rows: sorted by (code, ts) or by (ts, code).

    codes : shape (row,), the symbol of each row as an integer from 0.
    Raises `DataError` where rows repeat, are in neither order, or straddle the end of a bar.
    """
    from quant_assets.quant.market import resample_kernel as kernel

    keys, rows = _keys(bars, codes), _fields(bars)
    runs = _runs(keys)
    clock = _clock(*runs[:2], length)
    most = _most_bars(runs, clock)
    stamps, fields = _outputs(most, most, keys.code)
    n_bars, bad = kernel.fill_by_symbol(keys, rows, clock, stamps, fields)
    if bad < 0:
        return _resampled((stamps, fields), length, n_bars)
    if codes.min() < 0:
        raise DataError(f"row {codes.argmin()} has symbol code {codes.min()}; codes start at 0")
    n_symbols = int(codes.max()) + 1
    clock = _clock(keys.ts[:1], keys.ts[-1:], length)
    n_bars, worse = kernel.count_by_time(keys.code, keys.ts, clock, n_symbols)
    if worse >= 0:
        raise _refused(bars, max(bad, worse), length)
    stamps, fields = _outputs(n_bars, n_bars, keys.code)
    kernel.fill_by_time(keys, rows, clock, n_symbols, stamps, fields)
    return _resampled((stamps, fields), length, n_bars)


def resample_bars(bars: pd.DataFrame, length: BarLength) -> pd.DataFrame:
    """A `Bars` frame of longer bars, sorted by (ts, symbol), with `n_rows` and `completeness`."""
    codes, symbols = pd.factorize(bars["symbol"], sort=True)
    arrays = BarArrays(
        instants(bars["ts"]),
        instants(bars["available_at"]),
        *(bars[name].to_numpy(dtype=np.float64) for name in FIELDS),
    )
    longer = resample_rows(arrays, codes, length)
    frame = {
        "ts": to_column(longer.ts),
        "available_at": to_column(longer.available_at),
        "symbol": pd.Series(symbols.take(longer.codes), dtype="str"),
        **{name: pd.Series(getattr(longer, name)) for name in FIELDS},
        "is_gap": pd.Series(longer.is_gap),
        "n_rows": pd.Series(longer.n_rows.astype(np.int64)),
        "completeness": pd.Series(longer.completeness),
    }
    return pd.DataFrame(frame)


def warm_up() -> None:
    """Compile the kernels: two rows of one symbol, in both orders, and as a panel."""
    minute = timedelta(minutes=1)
    ts = np.array([0, 60], dtype="datetime64[s]").astype("datetime64[us]")
    length = BarLength(5 * minute, minute)
    bars = BarArrays(ts, ts, *(np.ones(2) for _ in FIELDS))
    resample_rows(bars, np.zeros(2, dtype=np.int64), length)
    both = BarArrays(ts[[0, 0, 1]], ts[[0, 0, 1]], *(np.ones(3) for _ in FIELDS))
    resample_rows(both, np.array([0, 1, 0]), length)
    resample_panel(BarArrays(ts, ts, *(np.ones((2, 1)) for _ in FIELDS)), length)
