"""100 symbols, Bollinger bands and RSI with a trailing stop: ours against vectorbt and a loop."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

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
from quant_assets.quant.indicators.base import Floats, Indicator, Program, compute_all
from quant_assets.quant.indicators.base import rows as rows_parameter
from quant_assets.quant.indicators.nodes import Block, Nodes, share
from quant_assets.quant.indicators.rolling import deviation
from quant_assets.quant.indicators.volatility import BollingerBands
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.risk.terms import TRAIL_FRACTION, ExitTerms
from quant_assets.quant.simulation.execution.terms import ExecutionTerms
from quant_assets.quant.simulation.lean.account import simulate_lean
from quant_assets.quant.simulation.lean.terms import Accounts
from quant_assets.quant.sizing.entry.units import UNITS, EntrySizes
from quant_assets.quant.strategies.base import VectorStrategy
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.signals import Signals

TITLE = "100 symbols: Bollinger bands, RSI, trailing stop, sizes by volatility, one thread"
TARGET = "at most 0.15 of vectorbt's time, every order of a plain loop (vectorbt's stops differ)"
N, WIDTH, RSI_ROWS, OVERSOLD = 20, 2.0, 14, 30.0
STOP, MONEY, VOLATILITY, MOST = 0.02, 10_000.0, 0.01, 2.0
STEP = timedelta(minutes=15)
CASES = {"4 years of US hours": (100, 26_208, 5), "4 years day and night": (100, 140_256, 2)}
QUICK_CASES = {"2 symbols": (2, 1_000, 1)}
ACCOUNTS = Accounts(initial_capital=CASH, kind="isolated", rest=1)
Answer = tuple[int, float]


@dataclass(frozen=True)
class PlainRsi(Indicator[Floats]):
    """RSI whose averages start with the first change, as `pandas.ewm(adjust=False)` has it."""

    n: int = rows_parameter(RSI_ROWS)

    @property
    def lookback(self) -> int:
        """See the base class."""
        return 1

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        from quant_assets.quant.indicators.nodes_kernel import smooth

        before = nodes.lag(1)
        up, down = (nodes.add(smooth, nodes.zeros(2), 1, 1.0 / self.n, 0) for _ in range(2))

        def step(x: Block) -> Block:
            change = x - before(x)
            gain = np.maximum(change, 0.0)
            rise, fall = up(gain), down(gain - change)
            return share(rise, rise + fall)

        return step


@dataclass(frozen=True)
class VolatilityUnits(Indicator[Floats]):
    """Units of a position of MONEY at VOLATILITY, at most MOST times MONEY."""

    n: int = rows_parameter(N)

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        before, spread = nodes.lag(1), deviation(nodes, self.n, 0)

        def step(x: Block) -> Block:
            change = x / before(x)
            change -= 1.0
            size: Block = VOLATILITY / spread(change)
            np.minimum(size, MOST, out=size)
            size *= MONEY
            size /= x
            return size

        return step


@dataclass(frozen=True, kw_only=True)
class Reversion(VectorStrategy):
    """Long below the lower band when oversold, out above the upper one or at the trailing stop."""

    name: ClassVar[str] = "benchmark_reversion"
    symbolwise: ClassVar[bool] = True

    def signals(self, bars: BarPanel) -> Signals:
        """See the base class."""
        found = compute_all(
            {"bands": BollingerBands(N, WIDTH), "rsi": PlainRsi()}, {"close": bars.close}
        )
        low = bars.close < found["bands"].lower
        low &= found["rsi"] < OVERSOLD
        return Signals(entry_long=low, exit_long=bars.close > found["bands"].upper)

    def plan(self, bars: BarPanel) -> Plan:
        """Money by the volatility of the last changes; none while it is unknown."""
        size = VolatilityUnits().compute(bars.close)
        level = np.full((1, 1, len(bars.symbols)), STOP)
        return Plan(
            sizes=EntrySizes(size, UNITS),
            exits=ExitTerms(np.array([TRAIL_FRACTION], dtype=np.int8), level),
        )


class Decided(NamedTuple):
    """Entries, exits and sizes `(time, symbol)`."""

    enter: Any
    leave: Any
    size: Any


def measure(folder: Path, *, quick: bool) -> list[Row]:  # noqa: ARG001 - writes nothing
    vectorbt, reason = vectorbt_or_reason()
    table: list[Row] = []
    for case, (n_symbols, n_bars, repeats) in (QUICK_CASES if quick else CASES).items():
        bars = random_bars(n_symbols, n_bars, STEP)
        priced = (bars, costs(bars))
        answers = {"ours, lean": lean(*priced)}
        for mine, theirs in zip(answers["ours, lean"], plain_loop(bars), strict=True):
            require_same("orders and equity", mine, theirs)
        ways: dict[str, Callable[[], Answer]] = {"ours, lean": lambda priced=priced: lean(*priced)}
        if vectorbt is not None:
            frames = {
                name: pd.DataFrame(bars[name], pd.DatetimeIndex(bars.ts))
                for name in ("open", "high", "low", "close")
            }
            ways["vectorbt"] = lambda frames=frames: with_vectorbt(vectorbt, frames)
            answers["vectorbt"] = ways["vectorbt"]()
        timings = timed({"ours, lean": ways["ours, lean"]}, max(3, repeats))
        if "vectorbt" in ways:
            timings |= timed({"vectorbt": ways["vectorbt"]}, repeats)
        table += rows(case, timings, answers, reason)
    return table


def lean(bars: BarPanel, terms: ExecutionTerms) -> Answer:
    found = simulate_lean(Reversion(), bars, terms, accounts=ACCOUNTS)
    if found is None:
        raise RuntimeError("the lean kernel refused the case")
    return len(found.orders.bar), float(found.final_equity.sum())


def decided(close: pd.DataFrame) -> Decided:
    """The decisions by pandas."""
    mean, spread = close.rolling(N).mean(), close.rolling(N).std(ddof=0)
    change = close.diff()
    kinds = {"alpha": 1.0 / RSI_ROWS, "adjust": False}
    rise, fall = (part.clip(lower=0.0).ewm(**kinds).mean() for part in (change, -change))
    rsi = 100.0 - 100.0 / (1.0 + rise / fall)
    volatility = close.pct_change(fill_method=None).rolling(N).std(ddof=0)
    size = MONEY * np.minimum(MOST, VOLATILITY / volatility) / close
    return Decided(
        (close < mean - WIDTH * spread) & (rsi < OVERSOLD), close > mean + WIDTH * spread, size
    )


def plain_loop(bars: BarPanel) -> Answer:
    """Orders and final equity of all accounts by a loop that shares no code with ours."""
    from numba import njit

    loop = njit(_loop)
    orders, equity = 0, 0.0
    for j in range(len(bars.symbols)):
        made = decided(pd.DataFrame(bars.close[:, [j]]))
        arrays = [np.ascontiguousarray(part.to_numpy()[:, 0]) for part in made]
        prices = [np.ascontiguousarray(bars[k][:, j]) for k in ("open", "high", "low", "close")]
        one, money = loop(tuple(prices), tuple(arrays), (FEE, SLIPPAGE, STOP, CASH))
        orders, equity = orders + one, equity + money
    return orders, equity


def _loop(prices: Any, made: Any, terms: Any) -> Answer:
    start, high, low, close = prices
    enter, leave, size = made
    fee, slip, stop, cash = terms
    held, best, orders = 0.0, 0.0, 0
    for i in range(1, len(close)):
        if held == 0.0:
            if enter[i - 1] and size[i - 1] > 0.0:
                price = start[i] * (1.0 + slip)
                held = size[i - 1]
                cash -= held * price * (1.0 + fee)
                best = max(price, high[i])
                orders += 1
            continue
        level = best * (1.0 - stop)
        if leave[i - 1] or low[i] <= level:
            price = (start[i] if leave[i - 1] else min(level, start[i])) * (1.0 - slip)
            cash += held * price * (1.0 - fee)
            held = 0.0
            orders += 1
        best = max(best, high[i])
    return orders, cash + held * close[-1]


def with_vectorbt(vectorbt: Any, frames: dict[str, pd.DataFrame]) -> Answer:
    made = decided(frames["close"])
    cost = {"fees": FEE, "slippage": SLIPPAGE, "init_cash": CASH, "price": frames["open"]}
    bars = {name: frames[name] for name in ("open", "high", "low")}
    found = vectorbt.Portfolio.from_signals(
        frames["close"],
        made.enter.vbt.signals.fshift(1),
        made.leave.vbt.signals.fshift(1),
        size=made.size.shift(1),
        sl_stop=STOP,
        sl_trail=True,
        **cost,
        **bars,
    )
    return int(found.orders.count().sum()), float(found.value().iloc[-1].sum())
