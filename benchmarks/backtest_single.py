"""One symbol, a cross of two averages: ours against vectorbt, the lean and the event kernel."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from benchmarks._backtests import (
    CASH,
    FEE,
    SLIPPAGE,
    costs,
    random_bars,
    require_same,
    rows,
    vectorbt_or_reason,
)
from benchmarks._peers import timed
from benchmarks.page import Row
from quant_assets import backtest
from quant_assets.quant.indicators.averages import Sma
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.simulation.execution.engine import advance
from quant_assets.quant.simulation.execution.preparation import new_book, prepare
from quant_assets.quant.simulation.execution.terms import ExecutionTerms
from quant_assets.quant.simulation.lean.account import simulate_lean
from quant_assets.quant.simulation.lean.backtests import LeanBacktestResult
from quant_assets.quant.simulation.lean.terms import Accounts
from quant_assets.quant.sizing.entry.units import UNITS, EntrySizes
from quant_assets.quant.strategies.columns import Line
from quant_assets.quant.strategies.crossing import Crossing, CrossingStrategy
from quant_assets.quant.strategies.plan import Plan

TITLE = "One symbol: a cross of two averages with costs, one thread"
TARGET = "1M bars at most 0.10, 1,000 bars at most 0.07 of vectorbt's time, the same orders"
FAST, SLOW, SIZE = 20, 50, 100.0
CASES = {
    "1,000,000 minutes": (1_000_000, timedelta(minutes=1), 7),
    "100,000 minutes": (100_000, timedelta(minutes=1), 15),
    "1,000 days": (1_000, timedelta(days=1), 60),
}
QUICK_CASES = {"1,000 days": (1_000, timedelta(days=1), 3)}
Answer = tuple[int, float]


@dataclass(frozen=True, kw_only=True)
class AverageCross(CrossingStrategy):
    """Long 100 units between the crosses of two simple averages."""

    name: ClassVar[str] = "benchmark_average_cross"
    fast: int = FAST
    slow: int = SLOW

    def crossing(self) -> Crossing:
        """See the base class."""
        return Crossing(fast=Line(Sma(self.fast)), slow=Line(Sma(self.slow)))

    def plan(self, bars: BarPanel) -> Plan:
        """See the base class."""
        return Plan(sizes=EntrySizes(np.full((1, len(bars.symbols)), SIZE), UNITS))


def measure(folder: Path, *, quick: bool) -> list[Row]:  # noqa: ARG001 - writes nothing
    vectorbt, reason = vectorbt_or_reason()
    table: list[Row] = []
    for case, (n_bars, step, repeats) in (QUICK_CASES if quick else CASES).items():
        bars = random_bars(1, n_bars, step)
        priced = (bars, costs(bars))
        ways: dict[str, Callable[[], Answer]] = {
            "ours, lean": lambda priced=priced: lean(*priced),
            "ours, backtest()": lambda priced=priced: by_the_door(*priced),
            "ours, every event": lambda priced=priced: every_event(*priced),
        }
        if vectorbt is not None:
            index = pd.DatetimeIndex(bars.ts)
            prices = [pd.Series(bars[name][:, 0], index) for name in ("open", "close")]
            ways["vectorbt"] = lambda prices=prices: with_vectorbt(vectorbt, *prices)
        answers = {way: run() for way, run in ways.items()}
        for orders, equity in answers.values():
            require_same("orders", answers["ours, lean"][0], orders)
            require_same("equity", answers["ours, lean"][1], equity)
        table += rows(case, timed(ways, repeats), answers, reason)
    return table


def lean(bars: BarPanel, terms: ExecutionTerms) -> Answer:
    accounts = Accounts(initial_capital=CASH)
    found = simulate_lean(AverageCross(), bars, terms, accounts=accounts)
    if found is None:
        raise RuntimeError("the lean kernel refused the case")
    return len(found.orders.bar), float(found.final_equity[0])


def by_the_door(bars: BarPanel, terms: ExecutionTerms) -> Answer:
    """As a user calls it; it takes the lean kernel by itself."""
    found = backtest(AverageCross(), bars, terms, initial_capital=CASH)
    if not isinstance(found, LeanBacktestResult):
        raise TypeError("the lean kernel refused the case")
    return len(found.filled.bar), found.final_equity


def every_event(bars: BarPanel, terms: ExecutionTerms) -> Answer:
    """The same by the event kernel: with orders, trades and vetoes in its logs."""
    strategy = AverageCross()
    signals, plan = strategy.signals(bars), strategy.plan(bars)
    preparation = prepare(bars, terms, signals=signals, plan=plan)
    book, _ = advance(preparation, new_book(preparation.market, CASH))
    return int(book.counters[4]), float(book.rows[-1, 1])


def with_vectorbt(vectorbt: Any, start: pd.Series, close: pd.Series) -> Answer:
    fast, slow = vectorbt.MA.run(close, FAST), vectorbt.MA.run(close, SLOW)
    enter = fast.ma_crossed_above(slow).vbt.signals.fshift(1)
    leave = fast.ma_crossed_below(slow).vbt.signals.fshift(1)
    cost = {"fees": FEE, "slippage": SLIPPAGE, "init_cash": CASH}
    made = vectorbt.Portfolio.from_signals(close, enter, leave, price=start, size=SIZE, **cost)
    return int(made.orders.count()), float(made.value().iloc[-1])
