"""What a leak check costs beside the run that it checks, over the library of strategies."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any, ClassVar

import numpy as np

from benchmarks._backtests import random_bars
from benchmarks._peers import timed
from benchmarks.page import Row
from quant_assets import backtest
from quant_assets.quant.leaks import check_strategy
from quant_assets.quant.market.bar_panel import FIELDS, BarPanel
from quant_assets.quant.strategies import (
    PairStrategy,
    Signals,
    VectorStrategy,
    library_strategies,
    make_strategy,
)
from quant_assets.quant.strategies.base import Strategy
from quant_assets.quant.strategies.plan import Plan

TITLE = "Leak checks of the library beside one run: a backtest, its trades and its figures"
TARGET = "at most 2 runs from 1,000 bars of 4 symbols up; below, some 10 ms"
CASES = {"1,000 x 4": (1_000, 4, 5), "5,000 x 10": (5_000, 10, 3), "26,208 x 10": (26_208, 10, 1)}
QUICK_CASES = {"1,000 x 4": (1_000, 4, 1)}
QUICK = ("basis", "buy_and_hold", "moving_average_cross")
HOURLY = frozenset({"opening_range"})
EXECUTION = {"preset": "optimistic", "funding_model": "assume_zero"}


@dataclass(frozen=True, kw_only=True)
class ArraysOnly(VectorStrategy):
    """A strategy without its bar form: nothing is called for each bar."""

    name: ClassVar[str] = "arrays_only"
    inner: Any

    @property
    def warm_up(self) -> int:
        """See the base class."""
        return int(self.inner.warm_up)

    def plan(self, bars: BarPanel) -> Plan:
        """See the base class."""
        found: Plan = self.inner.plan(bars)
        return found

    def signals(self, bars: BarPanel) -> Signals:
        """See the base class."""
        found: Signals = self.inner.signals(bars)
        return found


def measure(folder: Path, *, quick: bool) -> list[Row]:  # noqa: ARG001 - writes nothing
    names = QUICK if quick else tuple(sorted(library_strategies()))
    table: list[Row] = [{"strategy": name} for name in names]
    for case, (n_bars, n_symbols, repeats) in (QUICK_CASES if quick else CASES).items():
        clocks = {hours: market(n_bars, n_symbols, timedelta(hours=hours)) for hours in (1, 24)}
        for row, name in zip(table, names, strict=True):
            strategy = make_strategy(name, {})
            bars = clocks[1 if name in HOURLY else 24]
            if isinstance(strategy, PairStrategy):
                bars = bars.select(bars.symbols[:2])
            row |= {f"{case}: {what}": value for what, value in of(strategy, bars, repeats).items()}
    ratios = [column for column in table[0] if column.endswith("check / run")]
    for what, of_all in (("median", median), ("largest", max)):
        end: Row = dict.fromkeys(table[0], "")
        end |= {
            name: of_all([float(str(row[name])) for row in table[: len(names)]]) for name in ratios
        }
        table.append(end | {"strategy": what})
    return table


def of(strategy: Strategy, bars: BarPanel, repeats: int) -> Row:
    """Processor time of a run and of a check, in ms, and rows computed for the check."""
    alone = ArraysOnly(inner=strategy)
    report = check_strategy(alone, bars)
    if report.leaks:
        raise RuntimeError(str(report))
    ways: dict[str, Callable[[], object]] = {
        "run": lambda: run(alone, bars),
        "check": lambda: check_strategy(alone, bars),
    }
    took = {name: 1e3 * min(timing.cpu) for name, timing in timed(ways, repeats).items()}
    return {
        "run, CPU ms": took["run"],
        "check, CPU ms": took["check"],
        "check / run": took["check"] / took["run"],
        "rows / run": 1.0 + report.cost,
    }


def run(strategy: Strategy, bars: BarPanel) -> object:
    """What a user asks for: the simulation, its trades, its table of figures."""
    result = backtest(strategy, bars, EXECUTION)
    return result.trades, result.metrics


def market(n_bars: int, n_symbols: int, step: timedelta) -> BarPanel:
    """Random walks, the second beside the first as a pair, with all that strategies read."""
    bars, rng = random_bars(n_symbols, n_bars, step), np.random.default_rng(1)
    shape = bars.close.shape
    fields: dict[str, Any] = {name: bars[name].copy() for name in FIELDS}
    beside = np.exp(rng.normal(0.0, 0.01, n_bars))
    for name in FIELDS[:4]:
        fields[name][:, 1] = fields[name][:, 0] * beside
    extras = {
        "funding_rate": rng.normal(1e-4, 2e-4, shape),
        "liquidated_long": rng.exponential(1e5, shape) ** 2 / 1e5,
        "liquidated_short": rng.exponential(1e5, shape) ** 2 / 1e5,
    }
    names = ("ABC/USD", "ABC/USD:USD", *bars.symbols[2:])
    return BarPanel.from_arrays(bars.ts, names, step, extras=extras, **fields)
