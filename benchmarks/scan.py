"""A scan of 60,000 event hypotheses with calendar-time errors: ours against polars and numpy."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks._peers import polars_or_reason, require_equal, timed
from benchmarks.page import Row
from quant_assets.quant.statistics.event_effects import (
    OutcomeWindows,
    ScanEvents,
    ScanPanel,
    scan_events,
)
from quant_assets.quant.statistics.multiplicity import benjamini_hochberg

TITLE = "60,000 event hypotheses: means, Newey-West in calendar time, BH at 5 %, one thread"
TARGET = "at most 0.20 of polars' time, the same discoveries"
SIZE, QUICK_SIZE = (50, 100_000), (2, 5_000)  # symbols, bars
HORIZONS = np.array([1, 3, 6, 12, 24, 48])
KINDS, BUCKETS, LEAST = 20, 10, 30
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Found:
    """Per (cell, horizon): events, mean, t-value; NaN where there are none."""

    n: Floats
    mean: Floats
    t: Floats

    def discoveries(self) -> int:
        """Hypotheses that survive Benjamini-Hochberg at 5 %, normal tails."""
        from scipy.special import ndtr

        p = np.where(self.n >= LEAST, 2.0 * ndtr(-np.abs(self.t)), np.nan)
        return benjamini_hochberg(p, fdr=0.05).n_rejected


@dataclass(frozen=True)
class Workload:
    """Log prices and volatility deciles (time, symbol), events sorted by symbol, kind and bar."""

    panel: ScanPanel
    events: ScanEvents

    @property
    def cell(self) -> npt.NDArray[np.int64]:
        """Symbol, kind and bucket of each event, as one number."""
        bucket = self.panel.conditions[self.events.bar, self.events.symbol].astype(np.int64)
        return (self.events.symbol.astype(np.int64) * KINDS + self.events.kind) * BUCKETS + bucket


def measure(folder: Path, *, quick: bool) -> list[Row]:  # noqa: ARG001 - writes nothing
    polars, reason = polars_or_reason()
    work = workload(*(QUICK_SIZE if quick else SIZE))
    ways: dict[str, Callable[[], tuple[Found, int]]] = {
        "ours": lambda: judged(ours(work)),
        "numpy, bincount on a long table": lambda: judged(with_numpy(work)),
    }
    if polars is not None:
        frame = long_frame(polars, work)
        ways["polars, group_by and shifted pairs"] = lambda: judged(with_polars(polars, frame))
    results = {name: way() for name, way in ways.items()}
    mine, found = results["ours"]
    for theirs, theirs_found in results.values():
        require_equal("events", mine.n.sum(), theirs.n.sum())
        enough = mine.n >= LEAST
        require_equal("sum of |t|", np.abs(mine.t[enough]).sum(), np.abs(theirs.t[enough]).sum())
        require_equal("discoveries", found, theirs_found)
    timings = timed(ways, 1 if quick else 5)
    peers = [timing.typical for name, timing in timings.items() if name.startswith("polars")]
    return [
        {
            "way": name,
            "cells": mine.n.size,
            "discoveries": found,
            "best s": min(timing.wall),
            "median CPU s": timing.typical,
            "extra peak MB": timing.megabytes,
            "times polars": timing.typical / min(peers) if peers else reason,
        }
        for name, timing in timings.items()
    ]


def judged(found: Found) -> tuple[Found, int]:
    return found, found.discoveries()


def workload(n_symbols: int, n_bars: int) -> Workload:
    """Random walks with slow volatility; four kinds of events are followed by a small drift."""
    rng = np.random.default_rng(0)
    prices = np.empty((n_symbols, n_bars))
    buckets = np.empty((n_symbols, n_bars), dtype=np.int8)
    rows: list[tuple[int, int, npt.NDArray[np.int64]]] = []
    for symbol in range(n_symbols):
        noise = np.cumsum(rng.standard_normal(n_bars + 500))
        volatility = 0.002 * np.exp((noise[500:] - noise[:-500]) / np.sqrt(500) * 0.3)
        returns = volatility * rng.standard_normal(n_bars)
        for kind in range(KINDS):
            bars = np.flatnonzero(rng.random(n_bars) < 0.01)
            rows.append((symbol, kind, bars))
            for ahead in range(1, 7) if kind < 4 else ():
                near = bars[bars + ahead < n_bars] + ahead
                returns[near] += 0.1 * volatility[near] * (1 if kind % 2 else -1)
        prices[symbol] = np.cumsum(returns)
        rank = np.argsort(np.argsort(volatility))
        buckets[symbol] = rank * BUCKETS // n_bars
    sizes = [len(bars) for _, _, bars in rows]
    symbols, kinds = (np.repeat([row[k] for row in rows], sizes).astype(np.int32) for k in (0, 1))
    bars = np.concatenate([row[2] for row in rows]).astype(np.int32)
    panel = ScanPanel(prices.T, buckets.T, np.arange(n_bars) // 288)
    return Workload(panel, ScanEvents(symbols, kinds, bars))


def ours(work: Workload) -> Found:
    windows = OutcomeWindows(HORIZONS, lags=HORIZONS - 1, delay_bars=0)
    scan = scan_events(work.panel, work.events, windows, min_events=LEAST, tail="normal")
    cells = (
        field.swapaxes(2, 3).reshape(-1, len(HORIZONS))
        for field in (scan.n_events.astype(np.float64), scan.mean, scan.t_value)
    )
    return Found(*cells)


def with_numpy(work: Workload) -> Found:
    """Sums by bincount; pairs closer than the horizon by shifting the sorted table."""
    cell, bar, symbol = work.cell, work.events.bar.astype(np.int64), work.events.symbol
    order = np.lexsort((bar, cell))
    cell, bar, symbol = cell[order], bar[order], symbol[order]
    prices = np.asarray(work.panel.log_prices)
    size = prices.shape[1] * KINDS * BUCKETS
    columns: list[tuple[Floats, Floats, Floats]] = []
    for horizon in HORIZONS:
        known = bar + horizon < len(prices)
        c, t, s = cell[known], bar[known], symbol[known]
        y = prices[t + horizon, s] - prices[t, s]
        n = np.bincount(c, minlength=size).astype(np.float64)
        mean = np.bincount(c, y, size) / np.maximum(n, 1.0)
        u = y - mean[c]
        variance = np.bincount(c, u * u, size)
        shift = 1
        while True:
            gap = t[shift:] - t[:-shift]
            near = np.flatnonzero((c[shift:] == c[:-shift]) & (gap < horizon))
            if near.size == 0:
                break
            weight = 2.0 * (1.0 - gap[near] / horizon)
            variance += np.bincount(c[near], weight * u[near] * u[near + shift], size)
            shift += 1
        columns.append((n, mean, _t_value(n, mean, variance)))
    return Found(*(np.stack(column, axis=1) for column in zip(*columns, strict=True)))


def _t_value(n: Floats, mean: Floats, variance: Floats) -> Floats:
    usable = variance > 0.0
    t = mean * n / np.sqrt(np.where(usable, variance, 1.0))
    return np.asarray(np.where(usable, t, np.nan))


@dataclass(frozen=True)
class LongFrame:
    """Events and prices as polars likes them: rows sorted, forward prices already joined."""

    events: Any
    prices: Any
    n_bars: int
    n_cells: int


def long_frame(polars: Any, work: Workload) -> LongFrame:
    prices = np.ascontiguousarray(np.asarray(work.panel.log_prices).T)
    symbols = np.repeat(np.arange(len(prices), dtype=np.int32), prices.shape[1])
    table = polars.DataFrame({"symbol": symbols, "now": prices.ravel()}).with_columns(
        polars.col("now").shift(-int(h)).over("symbol").alias(f"ahead{h}") for h in HORIZONS
    )
    events = polars.DataFrame(
        {"cell": work.cell, "symbol": work.events.symbol, "bar": work.events.bar}
    )
    return LongFrame(events, table, prices.shape[1], len(prices) * KINDS * BUCKETS)


def with_polars(polars: Any, frame: LongFrame) -> Found:
    """Group means and sums of squares, then sums of products with the k-th next event."""
    col = polars.col
    events = frame.events.sort("cell", "bar")
    row = events["symbol"].cast(polars.Int64) * frame.n_bars + events["bar"]
    now = frame.prices["now"].gather(row)
    events = events.with_columns(
        *[(frame.prices[f"ahead{h}"].gather(row) - now).alias(f"y{h}") for h in HORIZONS]
    )
    demeaned = (
        events.lazy()
        .with_columns(
            *[
                (col(f"y{h}") - col(f"y{h}").mean().over("cell")).fill_null(0.0).alias(f"u{h}")
                for h in HORIZONS
            ]
        )
        .collect()
    )
    sums = (
        demeaned.lazy()
        .group_by("cell")
        .agg(
            *[col(f"y{h}").count().alias(f"n{h}") for h in HORIZONS],
            *[col(f"y{h}").mean().alias(f"m{h}") for h in HORIZONS],
            *[(col(f"u{h}") ** 2).sum().alias(f"v{h}") for h in HORIZONS],
        )
        .collect()
    )
    place = sums["cell"].to_numpy()

    def spread(name: str, values: Any) -> Floats:
        whole = np.full(frame.n_cells, 0.0 if name != "m" else np.nan)
        whole[place] = values.to_numpy()
        return whole

    variance = [spread("v", sums[f"v{h}"]) for h in HORIZONS]
    shift = 1
    while True:
        gap = (col("bar").shift(-shift) - col("bar")).alias("gap")
        pairs = (
            demeaned.lazy()
            .with_columns(
                gap,
                *[(col(f"u{h}") * col(f"u{h}").shift(-shift)).alias(f"z{h}") for h in HORIZONS],
                (col("cell").shift(-shift) == col("cell")).alias("same"),
            )
            .filter(col("same") & (col("gap") < int(HORIZONS[-1])))
            .group_by("cell")
            .agg(
                *[
                    (2.0 * (1.0 - col("gap") / int(h)).clip(lower_bound=0.0) * col(f"z{h}"))
                    .sum()
                    .alias(f"w{h}")
                    for h in HORIZONS
                ]
            )
            .collect()
        )
        if len(pairs) == 0:
            break
        for total, h in zip(variance, HORIZONS, strict=True):
            total[pairs["cell"].to_numpy()] += pairs[f"w{h}"].to_numpy()
        shift += 1
    n = [spread("n", sums[f"n{h}"]) for h in HORIZONS]
    mean = [spread("m", sums[f"m{h}"]) for h in HORIZONS]
    t = [_t_value(*of) for of in zip(n, mean, variance, strict=True)]
    return Found(*(np.stack(column, axis=1) for column in (n, mean, t)))
