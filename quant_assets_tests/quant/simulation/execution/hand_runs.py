"""Small bars written by hand, and strategies that decide what a test says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import numpy as np

from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.data_window import DataWindow
from quant_assets.quant.risk.terms import ExitTerms
from quant_assets.quant.simulation.execution.defaults import frictionless
from quant_assets.quant.simulation.execution.results import BacktestResult
from quant_assets.quant.simulation.execution.runs import backtest
from quant_assets.quant.simulation.execution.terms import ExecutionTerms
from quant_assets.quant.sizing.entry.units import EntrySizes
from quant_assets.quant.strategies.base import Account, BarStrategy, VectorStrategy
from quant_assets.quant.strategies.orders import Order
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.signals import Signals

NAN = float("nan")


def hand_bars(
    *rows: tuple[float, float, float, float], volume: Any = None, start: str = "2024-01-01"
) -> BarPanel:
    """Daily bars of symbol A from (open, high, low, close)."""
    columns = np.array(rows, dtype=np.float64).T
    return daily(
        {name: values[:, None] for name, values in zip(PRICES, columns, strict=True)},
        volume=None if volume is None else np.array(volume, dtype=np.float64)[:, None],
        start=start,
    )


PRICES = ("open", "high", "low", "close")


def daily(prices: Mapping[str, Any], *, volume: Any = None, start: str = "2024-01-01") -> BarPanel:
    """Daily bars of arrays (time, symbol); symbols are A, B, …"""
    n, width = prices["close"].shape
    ts = np.datetime64(start, "us") + np.arange(n) * np.timedelta64(1, "D")
    more = {} if volume is None else {"volume": volume}
    names = [chr(ord("A") + i) for i in range(width)]
    return BarPanel.from_arrays(ts, names, timedelta(days=1), **prices, **more)


def flat_bars(n: int, price: float = 100.0, symbols: int = 1, **more: Any) -> BarPanel:
    """Bars on which nothing moves."""
    return daily({"close": np.full((n, symbols), price)}, **more)


@dataclass(frozen=True, kw_only=True)
class Told(VectorStrategy):
    """Decides what it is told."""

    name = "told"
    decisions: Signals
    goes_with: Plan = field(default_factory=Plan)
    warm_up_bars: int = 0

    @property
    def warm_up(self) -> int:
        return self.warm_up_bars

    def signals(self, bars: BarPanel) -> Signals:
        return self.decisions

    def plan(self, bars: BarPanel) -> Plan:
        return self.goes_with


@dataclass(frozen=True, kw_only=True)
class Places(BarStrategy):
    """Places orders at the closes of the bars that it is told."""

    name = "places"
    orders: Mapping[int, Sequence[Order]]
    seen: list[Any] = field(default_factory=list)

    def on_bar(self, window: DataWindow, account: Account) -> Sequence[Order] | None:
        self.seen.append((account.cash, account.equity, account.position.copy()))
        return self.orders.get(len(window) - 1)


def at(bars: BarPanel, *rows: int, column: int | None = None) -> Any:
    """Flags (time, symbol) that are set at these bars."""
    flags = np.zeros(bars.close.shape, dtype=np.bool_)
    flags[list(rows), slice(None) if column is None else column] = True
    return flags


def units(amount: float, bars: BarPanel) -> EntrySizes:
    return EntrySizes(np.full((1, len(bars.symbols)), amount), 0)


def exits(bars: BarPanel, **levels: float) -> ExitTerms:
    """Protective exits by name of their kind, the same for all symbols."""
    kinds = {"stop": 0, "stop_price": 1, "trail": 2, "trail_price": 3}
    kinds |= {"target": 4, "target_price": 5, "after": 6}
    level = [np.full((1, len(bars.symbols)), value) for value in levels.values()]
    return ExitTerms(np.array([kinds[name] for name in levels], dtype=np.int8), np.stack(level))


def place(bars: BarPanel, orders: Mapping[int, Sequence[Order]], **more: Any) -> BacktestResult:
    """Run orders without costs."""
    terms = more.pop("terms", frictionless(bars))
    more.setdefault("initial_capital", 1_000_000.0)
    return backtest(Places(orders=orders), bars, terms, **more)


def tell(
    bars: BarPanel,
    decisions: Signals,
    *,
    plan: Plan | None = None,
    terms: ExecutionTerms | None = None,
    **more: Any,
) -> BacktestResult:
    """Run signals without costs, 10 units an entry."""
    strategy = Told(decisions=decisions, goes_with=plan or Plan(sizes=units(10.0, bars)))
    return backtest(strategy, bars, terms or frictionless(bars), **more)


def changed(bars: BarPanel, **parts: Mapping[str, Any]) -> ExecutionTerms:
    """Neutral terms with fields of some parts changed: `slippage={"fixed": 1e-3}`."""
    terms = frictionless(bars)
    new = {name: getattr(terms, name)._replace(**values) for name, values in parts.items()}
    return terms._replace(**new)
