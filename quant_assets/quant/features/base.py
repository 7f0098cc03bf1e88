"""What a feature is, and the trailing windows that features are made of.

The missing-bar rule of this package: nothing is filled. A feature made of returns (volatility,
beta) is NaN while its window misses a single one; a feature made of two closes (momentum,
reversal) reads only these; a feature made of a whole window of prices (trend, drawdown, 52-week
high) leaves missing bars out, and is NaN when its own close or more than 5 % of the window is
missing.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.quant.market.panel import Floats

Bools = npt.NDArray[np.bool_]
MIN_PRESENT = 0.95
# A variance below this share of the mean square is rounding: the series is flat.
FLAT = 1e-12


@dataclass(frozen=True)
class Months:
    """A lookback in feature months, whose length in bars is a venue's setting."""

    count: int

    def bars(self, month_bars: int) -> int:
        """Rows before the current one."""
        return self.count * month_bars


@dataclass(frozen=True)
class Bars:
    """A lookback in bars."""

    count: int

    def bars(self, month_bars: int) -> int:  # noqa: ARG002 - same signature as Months
        """Rows before the current one."""
        return self.count


@dataclass(frozen=True)
class FeatureInputs:
    """Arrays on common axes, float64, NaN where missing; features must not write to them.

    open, high, low, close, volume, returns : (time, symbol); a venue that publishes closes alone
        has NaN in the others.
    market : (time,), equal-weight mean of the returns present.
    spot_close : close of the spot instrument that a perpetual is written on, NaN without one.
    funding_rate : sum of the settlements that became known with the bar, NaN when none did.
    open_interest : the latest snapshot known with the bar, NaN when it is over a day old.
    liquidated_longs, liquidated_shorts : quote notional of the forced sales and purchases that
        became known with the bar, 0 when none did.
    """

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    returns: Floats
    market: Floats
    spot_close: Floats
    funding_rate: Floats
    open_interest: Floats
    liquidated_longs: Floats
    liquidated_shorts: Floats
    month_bars: int
    bars_per_year: int
    ts: pd.DatetimeIndex
    symbols: tuple[str, ...]

    @classmethod
    def of(cls, *, close: Floats, returns: Floats, market: Floats, **known: Any) -> Self:
        """Inputs of which only some series are known: the others are NaN, liquidations 0."""
        unknown = np.full(close.shape, np.nan)
        panels = dict.fromkeys(("open", "high", "low", "volume", "spot_close"), unknown)
        panels |= dict.fromkeys(("funding_rate", "open_interest"), unknown)
        panels |= dict.fromkeys(("liquidated_longs", "liquidated_shorts"), np.zeros(close.shape))
        return cls(**{**panels, "close": close, "returns": returns, "market": market, **known})

    def tail(self, n_rows: int) -> Self:
        """Keep the last `n_rows` rows (all, when there are fewer)."""
        rows = slice(max(0, len(self.ts) - n_rows), None)
        panels: dict[str, Any] = {
            field.name: getattr(self, field.name)[rows]
            for field in fields(self)
            if isinstance(getattr(self, field.name), np.ndarray)
        }
        return replace(self, ts=self.ts[rows], **panels)


class Feature(ABC):
    """One number per bar and symbol, from that bar and earlier ones only.

    Subclass in an own file with a lower-case `name` and a `lookback`: the number of rows before
    the current one that a value may depend on, which is also the number of warm-up rows. The
    common checks find the file and try it with a changed and with a missing future.

    `direction` says whether a higher value is better across instruments (+1), worse (-1), or
    whether the literature gives no answer (0, the default: the signal `rank` leaves it out).
    """

    name: ClassVar[str]
    lookback: ClassVar[Months | Bars]
    direction: ClassVar[int] = 0

    @abstractmethod
    def compute(self, inputs: FeatureInputs) -> Floats:
        """Values (time, symbol), finite or NaN; NaN in the first `lookback` rows."""


def lagged(values: Floats, n_rows: int) -> Floats:
    """`values[t - n_rows]` at row t; NaN in the first `n_rows` rows."""
    shifted = np.full(values.shape, np.nan)
    if n_rows < len(values):
        shifted[n_rows:] = values[: len(values) - n_rows]
    return shifted


def to_blocks(values: Floats, n_rows: int) -> Floats:
    """(block, row, column): consecutive blocks of `n_rows` rows, the last one padded with NaN."""
    n_blocks = -(-len(values) // n_rows)
    padded = np.full((n_blocks * n_rows, values.shape[1]), np.nan)
    padded[: len(values)] = values
    return padded.reshape(n_blocks, n_rows, values.shape[1])


def centred_blocks(values: Floats, n_rows: int) -> tuple[Floats, Floats]:
    """Blocks minus a level that each trailing window knows: `(older, newer)` for `trailing`.

    A window that begins in block b is centred on the mean of block b, which has ended by then;
    so sums of squares lose no digits to the level, and nothing looks ahead.
    """
    blocks = to_blocks(values, n_rows)
    present = ~np.isnan(blocks)
    total = np.where(present, blocks, 0.0).sum(axis=1, keepdims=True)
    level = total / np.maximum(present.sum(axis=1, keepdims=True), 1)
    before = np.concatenate([level[:1], level[:-1]])
    return blocks - level, blocks - before


def window_starts(scan: Floats, n_times: int) -> Floats:
    """Scan from a block's end back to the first row of each whole window; `scan` runs backwards."""
    flat = scan[:, ::-1].reshape(-1, scan.shape[2])
    return flat[: n_times - scan.shape[1] + 1]


def window_ends(scan: Floats, n_times: int) -> Floats:
    """Scan from a block's start up to the last row of each whole window."""
    return scan.reshape(-1, scan.shape[2])[scan.shape[1] - 1 : n_times]


def trailing(ufunc: np.ufunc, older: Floats, newer: Floats, n_times: int) -> Floats:
    """`ufunc` over every whole window of n rows, shape (n_times - n + 1, column), in O(n_times).

    older, newer : (block, n, column), the values as counted by windows that begin in the same
    block and in the block before. A window is the end of one block and the start of the next
    (van Herk 1992; Gil & Werman 1993), so nothing is ever subtracted and an outlier or a NaN is
    forgotten with the window.
    """
    n_rows = older.shape[1]
    first = window_starts(ufunc.accumulate(older[:, ::-1], axis=1), n_times)
    result = ufunc(first, window_ends(ufunc.accumulate(newer, axis=1), n_times))
    result[::n_rows] = first[::n_rows]
    return np.asarray(result, dtype=np.float64)


def rows_from(windows: Floats, n_times: int) -> Floats:
    """Windows' values on the rows where they end, shape (n_times, column); NaN before."""
    values = np.full((n_times, windows.shape[1]), np.nan)
    values[n_times - len(windows) :] = windows
    return values


def trailing_variance(values: Floats, n_rows: int) -> Floats:
    """Variance (ddof 1) of the last `n_rows` rows; NaN in warm-up and when one is missing."""
    n_times = len(values)
    if n_times < n_rows or n_rows < 2:
        return np.full(values.shape, np.nan)
    older, newer = centred_blocks(values, n_rows)
    total = trailing(np.add, older, newer, n_times)
    squares = trailing(np.add, older * older, newer * newer, n_times)
    scatter = squares - total * total / n_rows
    variance = np.where(scatter > FLAT * squares, scatter, 0.0 * scatter) / (n_rows - 1)
    return rows_from(variance, n_times)


def window_is_present(values: Floats, n_rows: int) -> Bools:
    """Whether a row has a value and at least 95 % of its window of `n_rows` rows; False before."""
    n_times = len(values)
    present = ~np.isnan(values)
    enough = np.zeros(values.shape, dtype=bool)
    if n_times < n_rows:
        return enough
    if present.all():
        enough[n_rows - 1 :] = True
        return enough
    blocks = to_blocks(present.astype(np.float64), n_rows)
    count = trailing(np.add, blocks, blocks, n_times)
    enough[n_rows - 1 :] = (count >= MIN_PRESENT * n_rows) & present[n_rows - 1 :]
    return enough
