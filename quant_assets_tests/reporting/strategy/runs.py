"""Small runs on bars made by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd

from quant_assets import backtest
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.risk.trailing_stop import TrailingStop
from quant_assets.quant.simulation.execution.model import ExecutionModel
from quant_assets.quant.simulation.execution.results import BacktestResult
from quant_assets.quant.strategies.builder import StrategyBuilder
from quant_assets.quant.strategies.composed import Pipeline
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


def run(strategy: Pipeline | None = None, bars: BarPanel | None = None) -> BacktestResult:
    """The crossing strategy without costs."""
    return backtest(strategy or crossing(), bars if bars is not None else random_bars(), FREE)


def report(**more: object) -> StrategyReport:
    """A report of that run."""
    strategy = crossing()
    result = run(strategy, more.pop("bars", None))
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
