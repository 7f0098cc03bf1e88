"""Small runs on bars made by hand."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd

from quant_assets import backtest
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.risk.trailing_stop import TrailingStop
from quant_assets.quant.simulation.execution.model import ExecutionModel
from quant_assets.quant.simulation.execution.results import BacktestResult
from quant_assets.quant.strategies.base import BarStrategy, Strategy
from quant_assets.quant.strategies.builder import StrategyBuilder
from quant_assets.quant.strategies.composed import Pipeline
from quant_assets.quant.strategies.orders import Cancel, Order
from quant_assets.quant.strategies.rules import MaCrossDown, MaCrossUp, RsiOversold
from quant_assets.quant.strategies.tester import hand_made_bars
from quant_assets.reporting.strategy.inputs import RunFacts, StrategyReport

FREE = ExecutionModel(
    slippage_model="none", commission_model="none", borrow_model="none", cash_rate=0.0
)


def random_bars(symbols: tuple[str, ...] = ("AAA", "BBB"), n: int = 260) -> BarPanel:
    """Daily bars with highs and lows; every second symbol lacks every fortieth bar."""
    rng = np.random.default_rng(11)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.02, (n, len(symbols))), axis=0))
    opened = np.vstack([close[:1], close[:-1]]) * np.exp(rng.normal(0, 0.004, close.shape))
    high, low = np.maximum(opened, close) * 1.004, np.minimum(opened, close) * 0.996
    series = {
        symbol: list(zip(*(v[:, i] for v in (opened, high, low, close)), strict=True))
        for i, symbol in enumerate(symbols)
    }
    panel = hand_made_bars(series)
    holes = {name: panel[name].copy() for name in ("open", "high", "low", "close")}
    for values in holes.values():
        values[40::40, 1::2] = np.nan
    return replace(panel, **holes)


def crossing(stop: float = 0.04) -> Pipeline:
    """A cross of averages with a trailing stop; reads an oscillator, too."""
    return (
        StrategyBuilder("crossing")
        .with_signals(
            entry_long=MaCrossUp(fast=3, slow=12),
            exit_long=MaCrossDown(fast=3, slow=12),
            entry_short=[MaCrossDown(fast=3, slow=12), ~RsiOversold(threshold=20.0)],
            exit_short=MaCrossUp(fast=3, slow=12),
        )
        .with_risk(TrailingStop(pct=stop))
        .build()
    )


def run(
    strategy: Strategy | None = None, bars: BarPanel | None = None, **more: object
) -> BacktestResult:
    """The crossing strategy without costs."""
    panel = bars if bars is not None else random_bars()
    return backtest(strategy or crossing(), panel, FREE, **more)


@dataclass(frozen=True, kw_only=True)
class Bracketed(BarStrategy):
    """Buys a dip with a bracket; a trailing order of its own after the entry."""

    name: ClassVar[str] = "bracketed"

    def on_bar(self, window, account):
        price = float(window["close", -1][0]) * 0.99
        if account.position_of("AAA") == 0.0:
            prices = {"limit": price, "stop_loss": 0.96 * price, "take_profit": 1.03 * price}
            entry = Order(symbol="AAA", quantity=100, kind="limit", **prices, tag="in")
            return [Cancel(tag="in", part="orders"), entry]
        if account.bars_held[0] == 0:
            trail = {"trail": 0.05, "trail_fraction": True, "reduce_only": True}
            return [Order(symbol="AAA", quantity=-100, kind="trailing_stop", tag="t", **trail)]
        return []


def report(**more: object) -> StrategyReport:
    """A report of that run."""
    strategy = crossing()
    result = run(strategy, more.pop("bars", None), benchmark=more.pop("benchmark", None))
    facts = {
        "name": "crossing",
        "version": "1.0.0",
        "source": "a test",
        "universe": "by hand",
        "bar_length": "1d",
        "stamps": ("SIMULATED: by hand",),
        "execution": FREE.settings(),
        "hashes": {"run": "r" * 64, "result": result.hash()},
        **more.pop("facts", {}),
    }
    return StrategyReport(facts=RunFacts(**facts), result=result, strategy=strategy, **more)


def trials() -> pd.DataFrame:
    """Two parameters, one of three trials refused."""
    return pd.DataFrame(
        {
            "trial_number": [1, 2, 3, 4],
            "param_fast": [5, 5, 10, 10],
            "param_slow": [20, 30, 20, 30],
            "param_same": [1, 1, 1, 1],
            "param_hash": ["a", "b", "c", "d"],
            "objective_value": [0.5, -1.0, np.nan, 2.0],
        }
    )


def surface() -> pd.DataFrame:
    """A cost surface of two fees, two slippages and two delays."""
    places = [(f, s, d) for f in (0.0, 2.0) for s in (1.0, 4.0) for d in (0, 1)]
    frame = pd.DataFrame(places, columns=["fee", "slippage", "delay"])
    return frame.assign(size=1.0, total_return=np.linspace(0.4, -0.3, 8))


def walked() -> pd.DataFrame:
    """Two windows of a walk-forward run."""
    return pd.DataFrame(
        {
            "test_start": pd.to_datetime(["2024-03-01", "2024-05-01"], utc=True),
            "test_end": pd.to_datetime(["2024-05-01", "2024-07-01"], utc=True),
            "in_sample": [2.0, 1.0],
            "out_of_sample": [1.0, -0.5],
            "degradation": [0.5, 1.5],
            "parameters": ['{"fast":5}', '{"fast":10}'],
        }
    )
