"""Sums over return series that all figures of the performance table are made of.

One pass over the rows of each strategy, and one sort where a percentile is asked for, in blocks
that fit the processor's cache; what is kept is some seventy numbers per strategy.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.quant.analytics.series import RESOLUTION, benchmark_rows, risk_free_rows
from quant_assets.quant.market.panel import Floats

BLOCK_BYTES = 1 << 20
LEAST_BLOCK = 8  # strategies side by side share cache lines of a `(time, strategy)` array

OWN, BENCHMARK, MONTHS, YEARS, TAILS = "own", "benchmark", "months", "years", "tails"


class OwnTotals(NamedTuple):
    """Over the known rows of each strategy, in the order that the kernels fill; `(strategy,)`.

    `m2` to `m4` and `excess_m2` are sums of powers of deviations from the mean; the sizes of
    drawdowns are positive in `under_*` and `episode_*`, negative in `deepest` and `current`.
    """

    n: Floats
    gaps: Floats
    mean: Floats
    low: Floats
    high: Floats
    excess_mean: Floats
    excess_low: Floats
    excess_high: Floats
    excess_m2: Floats
    m2: Floats
    m3: Floats
    m4: Floats
    sizes: Floats
    neighbours: Floats
    gains: Floats
    losses: Floats
    gains2: Floats
    losses2: Floats
    losses3: Floats
    wins: Floats
    falls: Floats
    most_wins: Floats
    most_falls: Floats
    deepest: Floats
    under_sum: Floats
    under_squares: Floats
    under_rows: Floats
    longest: Floats
    episodes: Floats
    episode_sum: Floats
    episode_squares: Floats
    current: Floats
    current_rows: Floats
    log_growth: Floats
    trend_squares: Floats
    trend_products: Floats


class TailTotals(NamedTuple):
    """Percentiles by linear interpolation, and means of what lies at or beyond them."""

    low1: Floats
    low5: Floats
    quarter: Floats
    median: Floats
    three_quarters: Floats
    high5: Floats
    high1: Floats
    mean_low1: Floats
    mean_low5: Floats
    mean_high5: Floats


class RelativeTotals(NamedTuple):
    """Over the rows where strategy x and benchmark b are known, both in excess of risk-free.

    `xx`, `bb`, `xb`, `active2` and `left2` (what the line leaves of x) are sums of squares and
    products of deviations from the mean, `spread_*` highest minus lowest. Log growths (`log_*`;
    `up_*` in rows with b > 0, `down_*` with b < 0) are of the plain returns.
    """

    n: Floats
    mean: Floats
    mean_b: Floats
    spread: Floats
    spread_b: Floats
    spread_active: Floats
    xx: Floats
    bb: Floats
    xb: Floats
    active2: Floats
    left2: Floats
    spread_left: Floats
    log_x: Floats
    log_b: Floats
    up_rows: Floats
    up_x: Floats
    up_b: Floats
    down_rows: Floats
    down_x: Floats
    down_b: Floats
    better: Floats


class CalendarTotals(NamedTuple):
    """Compounded returns of the calendar months or years (`spans`) that have a row."""

    spans: Floats
    gains: Floats
    total: Floats
    best: Floats
    worst: Floats


@dataclass(frozen=True)
class Totals:
    """All sums of one table, `sums[kind]` being `(strategy, field)`.

    Of the kinds only those are there that the table was given inputs for.
    """

    periods_per_year: float
    sums: Mapping[str, Floats]

    @cached_property
    def own(self) -> OwnTotals:
        """Sums over the rows of each strategy."""
        return OwnTotals(*self.sums[OWN].T)

    @cached_property
    def tails(self) -> TailTotals:
        """Percentiles."""
        return TailTotals(*self.sums[TAILS].T)

    @cached_property
    def pairs(self) -> RelativeTotals:
        """Sums beside the benchmark."""
        return RelativeTotals(*self.sums[BENCHMARK].T)

    @cached_property
    def months(self) -> CalendarTotals:
        """Returns of calendar months."""
        return CalendarTotals(*self.sums[MONTHS].T)

    @cached_property
    def years(self) -> CalendarTotals:
        """Returns of calendar years."""
        return CalendarTotals(*self.sums[YEARS].T)

    @cached_property
    def root(self) -> float:
        """Square root of the periods per year."""
        return float(np.sqrt(self.periods_per_year))

    @cached_property
    def deviation(self) -> Floats:
        """Standard deviation per period, ddof 1; exactly 0 for a constant up to rounding."""
        moving = self.own.high - self.own.low > RESOLUTION
        return np.sqrt(np.where(moving, self.own.m2, 0.0) / positive(self.own.n - 1.0))

    @cached_property
    def sharpe(self) -> Floats:
        """Mean over standard deviation of the excess returns, per period; NaN for a constant."""
        moving = self.own.excess_high - self.own.excess_low > RESOLUTION
        squares = np.where(moving, self.own.excess_m2, np.nan)
        return self.own.excess_mean / np.sqrt(squares / positive(self.own.n - 1.0))

    @cached_property
    def skewness(self) -> Floats:
        """m3 / m2^1.5 with moments divided by n; NaN for a constant."""
        scale = np.where(self.deviation > 0.0, self.own.m2 / positive(self.own.n), np.nan)
        return self.own.m3 / positive(self.own.n) / scale**1.5

    @cached_property
    def kurtosis(self) -> Floats:
        """m4 / m2^2 - 3 with moments divided by n; NaN for a constant."""
        scale = np.where(self.deviation > 0.0, self.own.m2 / positive(self.own.n), np.nan)
        excess: Floats = self.own.m4 / positive(self.own.n) / scale**2 - 3.0
        return excess


def positive(values: Floats) -> Floats:
    """Divisor that is NaN where it is not above 0."""
    return np.where(values > 0.0, values, np.nan)


@dataclass(frozen=True)
class Inputs:
    """Returns `(time, strategy)`, and what they are measured against row by row.

    `risk_free` is a yearly rate or `(time,)`; `benchmark` and `ts` are `(time,)` or None.
    """

    returns: Floats
    periods_per_year: float
    risk_free: npt.ArrayLike = 0.0
    benchmark: npt.ArrayLike | None = None
    ts: pd.DatetimeIndex | None = None

    @property
    def kinds(self) -> set[str]:
        """The sums that can be made of these inputs."""
        relative = set() if self.benchmark is None else {BENCHMARK}
        return {OWN, TAILS} | relative | (set() if self.ts is None else {MONTHS, YEARS})


_FIELDS = {
    OWN: OwnTotals._fields,
    BENCHMARK: RelativeTotals._fields,
    MONTHS: CalendarTotals._fields,
    YEARS: CalendarTotals._fields,
    TAILS: TailTotals._fields,
}  # in the order of the passes: the last one sorts the rows


def measure(inputs: Inputs, kinds: set[str]) -> Totals:
    """Sums of every strategy, of the `kinds` that are asked for and can be made of the inputs.

    Works on copies of some strategies at a time, 1 MB or eight strategies, so that memory does not
    grow with their number. Infinite returns are not looked for: they show in `own.low` and `high`.
    """
    returns = inputs.returns
    n_rows, n_strategies = returns.shape
    wanted = {kind: fields for kind, fields in _FIELDS.items() if kind in kinds & inputs.kinds}
    sums = {kind: np.empty((n_strategies, len(fields))) for kind, fields in wanted.items()}
    passes = {kind: _pass(kind, inputs) for kind in wanted}
    width = max(LEAST_BLOCK, BLOCK_BYTES // (8 * max(n_rows, 1)))
    space = np.empty((min(width, n_strategies), n_rows))
    for first in range(0, n_strategies, width):
        part = slice(first, first + width)
        block = space[: min(width, n_strategies - first)]
        np.copyto(block, returns[:, part].T)
        for kind, fill in passes.items():
            fill(block, sums[kind][part])
    return Totals(inputs.periods_per_year, sums)


def _pass(kind: str, inputs: Inputs) -> Callable[[Floats, Floats], None]:
    """Make what fills the sums of one kind from a block `(strategy, time)`."""
    from quant_assets.quant.analytics.totals_kernel import (
        calendar_totals,
        own_totals,
        relative_totals,
    )

    n_rows = len(inputs.returns)
    if kind in (MONTHS, YEARS) and inputs.ts is not None:
        starts = span_starts(inputs.ts, kind)
        return lambda block, out: calendar_totals(block, starts, out)
    if kind == TAILS:
        return _sort_and_fill
    free = risk_free_rows(inputs.risk_free, n_rows, inputs.periods_per_year)[:, 0].copy()
    if kind == OWN or inputs.benchmark is None:
        return lambda block, out: own_totals(block, free, out)
    market = benchmark_rows(inputs.benchmark, n_rows)[:, 0].copy()
    return lambda block, out: relative_totals(block, market, free, out)


def _sort_and_fill(block: Floats, out: Floats) -> None:
    from quant_assets.quant.analytics.totals_kernel import tail_totals

    block.sort(axis=1)
    tail_totals(block, out)


def span_starts(ts: pd.DatetimeIndex, kind: str) -> npt.NDArray[np.int64]:
    """First rows of the UTC months or years in sorted `ts`, and the number of rows."""
    ts = ts if ts.tz is None else ts.tz_convert("UTC")
    codes = ts.year.to_numpy() * 12 + (ts.month.to_numpy() if kind == MONTHS else 0)
    begins = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]][: len(ts)])
    starts: npt.NDArray[np.int64] = np.r_[begins, len(ts)].astype(np.int64)
    return starts
