"""All that the backtester has at once, beside the lean path of the same signals."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks._backtests import CASH, costs, random_bars
from benchmarks._peers import timed
from benchmarks.backtest_single import AverageCross
from benchmarks.page import Row
from quant_assets import backtest
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.risk import (
    CoolDown,
    DailyLoss,
    DrawdownCut,
    DrawdownHalt,
    MaxGross,
    MaxHeat,
    MaxNet,
    MaxPosition,
    MaxPositions,
    StopLoss,
    TakeProfit,
    TimeStop,
    TrailingStop,
)
from quant_assets.quant.simulation.execution.engine import advance
from quant_assets.quant.simulation.execution.ledger import N_FILLS
from quant_assets.quant.simulation.execution.model import ExecutionModel
from quant_assets.quant.simulation.execution.preparation import new_book, prepare
from quant_assets.quant.simulation.execution.results import BacktestResult
from quant_assets.quant.simulation.lean.account import simulate_lean
from quant_assets.quant.simulation.lean.backtests import LeanBacktestResult
from quant_assets.quant.simulation.lean.terms import Accounts
from quant_assets.quant.sizing.entry import VolatilityTarget
from quant_assets.quant.strategies import StrategyBuilder
from quant_assets.quant.strategies.regimes import MovingAverageTrend

TITLE = "Every stage, every cost and the trade log, beside the lean path; one thread"
TARGET = "at most 5 times the lean path of the same signals (sized: with its sizes and stops)"
SIZED = "lean path, sized and stopped"
CASES = {
    "1 symbol, 1,000,000 minutes": (1, 1_000_000, timedelta(minutes=1), 3),
    "1 symbol, 100,000 minutes": (1, 100_000, timedelta(minutes=1), 9),
    "20 symbols, 26,208 bars": (20, 26_208, timedelta(minutes=15), 5),
}
QUICK_CASES = {"2 symbols, 2,000 minutes": (2, 2_000, timedelta(minutes=1), 1)}
EXECUTION: dict[str, Any] = {
    "fill_model": {"realistic_volume": {"participation": 0.1}},
    "slippage_model": [
        {"fixed": {"bps": 2.0}},
        "half_spread",
        "sqrt_volume",
        {"volume_share": {"price_impact": 0.1, "volume_limit": 0.1}},
    ],
    "commission_model": {"interactive_brokers": {"plan": "tiered"}},
    "borrow_model": {"annual_rate": {"rate": 0.01}},
    "margin_model": "leverage",
    "instrument_model": {"grid": {"lot": 1.0, "tick": 0.01, "least_notional": 100.0}},
    "cash_rate": 0.02,
    "debit_rate": 0.05,
}
STOPS = (StopLoss(pct=0.05), TrailingStop(pct=0.03), TakeProfit(pct=0.2))
RISK = (
    *(*STOPS, TimeStop(bars=500)),
    *(MaxPosition(pct=0.5), MaxGross(pct=1.5), MaxNet(pct=1.5), MaxPositions(count=15)),
    *(MaxHeat(pct=0.5), DrawdownCut(pct=0.5), DrawdownHalt(pct=0.9), DailyLoss(pct=0.2)),
    CoolDown(bars=5),
)


def measure(folder: Path, *, quick: bool) -> list[Row]:  # noqa: ARG001 - writes nothing
    table: list[Row] = []
    for case, (n_symbols, n_bars, step, repeats) in (QUICK_CASES if quick else CASES).items():
        bars = with_spread(random_bars(n_symbols, n_bars, step))
        funding, model = settlements(bars), ExecutionModel.from_settings(EXECUTION)
        ways: dict[str, Callable[[], Any]] = {
            "lean path": lambda bars=bars: lean(bars),
            "backtest(), lean by itself": lambda bars=bars: backtest(
                AverageCross(), bars, costs(bars), initial_capital=CASH
            ),
            "lean path, every event": lambda bars=bars: every_event(bars),
            SIZED: lambda bars=bars: sized(bars),
            "every stage and cost": lambda bars=bars, m=model, f=funding: full(bars, m, f),
            "every stage and cost, trade log": lambda bars=bars, m=model, f=funding: logged(
                full(bars, m, f)
            ),
        }
        timings = timed(ways, repeats)
        plain, stopped = (min(timings[way].cpu) for way in ("lean path", SIZED))
        table += [
            {
                "case": case,
                "way": way,
                "fills": n_fills(ways[way]()),
                "best CPU ms": 1e3 * min(timing.cpu),
                "extra peak MB": timing.megabytes,
                "times lean": min(timing.cpu) / plain,
                "times sized": min(timing.cpu) / stopped,
            }
            for way, timing in timings.items()
        ]
    return table


def with_spread(bars: BarPanel) -> BarPanel:
    """The bars with a spread of 1 to 5 bps."""
    spread = np.random.default_rng(1).uniform(1e-4, 5e-4, bars.close.shape)
    prices = {name: bars[name] for name in ("open", "high", "low", "close", "volume")}
    return BarPanel.from_arrays(
        bars.ts, bars.symbols, bars.bar_length, extras={"spread": spread}, **prices
    )


def settlements(bars: BarPanel) -> pd.DataFrame:
    """Funding of every symbol each eight hours."""
    first, last = (pd.Timestamp(bars.ts[place], tz="UTC") for place in (0, -1))
    ts = pd.date_range(first.ceil("8h"), last, freq="8h")
    parts = [
        pd.DataFrame({"ts": ts, "symbol": symbol, "rate": 1e-5, "mark_price": np.nan})
        for symbol in bars.symbols
    ]
    return pd.concat(parts).sort_values(["ts", "symbol"], ignore_index=True)


def lean(bars: BarPanel) -> Any:
    accounts = Accounts(initial_capital=CASH)
    return simulate_lean(AverageCross(), bars, costs(bars), accounts=accounts)


def every_event(bars: BarPanel) -> BacktestResult:
    """The lean path's run with all its logs, by the event kernel."""
    strategy, terms = AverageCross(), costs(bars)
    signals, plan = strategy.signals(bars), strategy.plan(bars)
    preparation = prepare(bars, terms, signals=signals, plan=plan)
    book, _ = advance(preparation, new_book(preparation.market, CASH))
    return BacktestResult(
        preparation=preparation,
        book=book,
        initial_capital=CASH,
        periods_per_year=1.0,
        form="vector",
    )


def sized(bars: BarPanel) -> BacktestResult:
    """Signals, sizes by volatility, stops and a target: what the lean kernel does of a pipeline."""
    strategy = (
        StrategyBuilder("sized")
        .with_signals(AverageCross())
        .with_sizing(VolatilityTarget())
        .with_risk(*STOPS)
        .build()
    )
    found = backtest(strategy, bars, costs(bars), initial_capital=CASH)
    if not isinstance(found, LeanBacktestResult):
        raise TypeError("the lean kernel refused the case")
    return found


def full(bars: BarPanel, model: ExecutionModel, funding: pd.DataFrame) -> BacktestResult:
    """Signals of the lean path through every stage, and every cost."""
    strategy = (
        StrategyBuilder("everything")
        .with_signals(AverageCross())
        .with_regime(MovingAverageTrend(fast=20, slow=60))
        .with_sizing(VolatilityTarget())
        .with_risk(*RISK)
        .with_execution(model)
        .build()
    )
    return backtest(strategy, bars, initial_capital=CASH, funding=funding)


def logged(found: BacktestResult) -> BacktestResult:
    """With the frame of all trades."""
    _ = found.trades
    return found


def n_fills(found: Any) -> int:
    """Fills of a run by either kernel."""
    if isinstance(found, LeanBacktestResult):
        return len(found.filled.bar)
    if isinstance(found, BacktestResult):
        return int(found.book.counters[N_FILLS])
    return len(found.orders.bar)
