"""Bars that are stored and odd: stale prices, spikes, and jumps by the ratio of a split.

Every flag reads its own row and earlier ones only: more data never change a flag of the past.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.quant.market.bars import instants, to_column
from quant_assets.quant.market.flagged import flagged, united
from quant_assets.quant.market.panel import Floats
from quant_assets.quant.market.quality import SPIKE, STALE

RATIO_JUMP = "ratio jump"
RATIOS = (2.0, 3.0, 5.0, 10.0, 1000.0)
PRICES = ("open", "high", "low", "close")
DATASET = "bars"
Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]


@dataclass(frozen=True)
class FlagLimits:
    """When a stored bar is odd.

    stale_bars : this many bars in a row with equal prices and some volume are stale from there on.
    spike_z, spike_move : robust z and log move that both must be passed by close, high or low.
    scale_rows, least_rows : log returns before the row that its scale comes from, at most and at
        least; scale_floor is the least scale.
    ratio_tolerance : log distance between an open and a split ratio of the close before it;
        ratio_range is that of the close, so that a bar that comes back is no jump.
    """

    stale_bars: int = 6
    spike_z: float = 20.0
    spike_move: float = 0.10
    scale_rows: int = 288
    least_rows: int = 30
    scale_floor: float = 1e-4
    ratio_tolerance: float = 0.03
    ratio_range: float = 0.20


def flag_bars(
    bars: pd.DataFrame,
    *,
    adjustments: pd.DataFrame | None = None,
    limits: FlagLimits | None = None,
) -> pd.DataFrame:
    """Flags `stale`, `spike` and `ratio jump` of `Bars`, as `Doubts`.

    bars : one or more windows in time; gap rows may be among them.
    adjustments : factors of unadjusted prices; a jump that one of them explains is none, if it was
        known when the bar was. `value` is the run of equal bars, the robust z, or the ratio.
    """
    limits = limits or FlagLimits()
    present = np.flatnonzero(~np.isnan(bars["close"].to_numpy(dtype=np.float64)))
    if len(present) == 0:
        return flagged(DATASET, bars.iloc[:0], np.empty(0, dtype=np.str_), np.empty(0))
    series = _Series(bars, present, adjustments)
    runs = series.runs()
    z, references, is_spike = series.spikes(limits)
    ratio = np.log(np.where(np.isnan(series.open), series.close, series.open) / references)
    is_jump = _is_jump(ratio, np.log(series.close / references), limits)
    return united(
        [
            series.flagged(runs >= limits.stale_bars, STALE, runs.astype(np.float64)),
            series.flagged(is_spike, SPIKE, z),
            series.flagged(is_jump, RATIO_JUMP, np.exp(ratio)),
        ]
    )


def _is_jump(ratio: Floats, level: Floats, limits: FlagLimits) -> Mask:
    """Whether the open stands at a split ratio of the close before, and the close stays there."""
    jump = np.zeros(len(ratio), dtype=bool)
    for known in np.log(RATIOS):
        for sign in (1.0, -1.0):
            jump |= (np.abs(ratio - sign * known) < limits.ratio_tolerance) & (
                np.abs(level - sign * known) < limits.ratio_range
            )
    return jump


class _Series:
    """Rows with a close, symbol after symbol and each in time."""

    def __init__(self, bars: pd.DataFrame, present: Rows, adjustments: pd.DataFrame | None) -> None:
        codes, self.symbols = pd.factorize(bars["symbol"], sort=True)
        every = np.argsort(codes, kind="stable")
        place = np.empty(len(bars), dtype=np.int64)  # of a row among all rows of all symbols
        place[every] = np.arange(len(bars))
        self.rows = every[np.isin(every, present, assume_unique=True)]
        self.bars, self.codes = bars, codes[self.rows]
        self.ts = instants(bars["ts"])[self.rows]
        self.known = instants(bars["available_at"])[self.rows]
        self.open, self.high, self.low, self.close = (
            bars[name].to_numpy(dtype=np.float64)[self.rows] for name in PRICES
        )
        self.volume = bars["volume"].to_numpy(dtype=np.float64)[self.rows]
        same = np.r_[False, self.codes[1:] == self.codes[:-1]]
        self.joined = same & (np.diff(place[self.rows], prepend=-2) == 1)
        self.begins = np.r_[np.flatnonzero(~same), len(self.rows)].astype(np.int64)
        self.factor = self._factors(adjustments)

    def _factors(self, adjustments: pd.DataFrame | None) -> Floats:
        """Product of the factors that take effect after the row before, by row."""
        factor = np.ones(len(self.rows))
        if adjustments is None or adjustments.empty:
            return factor
        codes = pd.Index(self.symbols).get_indexer(adjustments["symbol"])
        effective, known = instants(adjustments["ts"]), instants(adjustments["available_at"])
        values = adjustments["price_factor"].to_numpy(dtype=np.float64)
        for event in np.flatnonzero(codes >= 0):
            first, after = np.searchsorted(self.codes, [codes[event], codes[event] + 1])
            row = first + np.searchsorted(self.ts[first:after], effective[event])
            if row < after and known[event] <= self.known[row]:
                factor[row] *= values[event]
        return factor

    def runs(self) -> Rows:
        """How many bars in a row, with volume, had the same prices, up to each row."""
        traded = self.volume != 0.0
        equal = self.joined & traded & np.r_[False, traded[:-1]]
        for values in (self.open, self.high, self.low, self.close):
            before = np.r_[np.nan, values[:-1]]
            equal &= (values == before) | (np.isnan(values) & np.isnan(before))
        rows = np.arange(len(equal))
        return rows - np.maximum.accumulate(np.where(equal, -1, rows)) + 1

    def spikes(self, limits: FlagLimits) -> tuple[Floats, Floats, Mask]:
        """See `flag_kernel.spikes`."""
        from quant_assets.quant.market import flag_kernel

        return flag_kernel.spikes(
            (self.low, self.close, self.high, self.factor),
            self.joined,
            self.begins,
            (limits.scale_rows, limits.least_rows),
            (limits.spike_z, limits.spike_move, limits.scale_floor),
        )

    def flagged(self, mask: Mask, reason: str, values: Floats) -> pd.DataFrame:
        """Flags of the rows of `mask`."""
        found = np.flatnonzero(mask)
        found = found[np.argsort(self.rows[found])]
        rows = self.bars.iloc[self.rows[found]]
        return flagged(DATASET, rows, np.full(len(found), reason), values[found])


def warm_up() -> None:
    """Compile the kernel: two bars of one symbol."""
    ts = to_column(np.array([0, 1], dtype="datetime64[us]"))
    frame = pd.DataFrame(
        {"ts": ts, "available_at": ts, "symbol": pd.Series(["a", "a"], dtype="str")}
    )
    flag_bars(frame.assign(**dict.fromkeys((*PRICES, "volume"), 1.0), is_gap=False))
