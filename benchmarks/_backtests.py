"""Bars to backtest on, costs, and vectorbt where it is installed."""

import importlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import numpy as np

from benchmarks._peers import START, Timing
from benchmarks.page import Row
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.simulation.execution.defaults import frictionless
from quant_assets.quant.simulation.execution.terms import ExecutionTerms

FEE, SLIPPAGE, CASH = 5e-4, 2e-4, 1e6
YEAR = timedelta(days=365.25)


def random_bars(n_symbols: int, n_bars: int, step: timedelta) -> BarPanel:
    """Random walks with 15 to 80 % volatility a year, seed 0; no bar is absent."""
    rng = np.random.default_rng(0)
    spread = rng.uniform(0.15, 0.80, n_symbols) * np.sqrt(step / YEAR)
    shape = (n_bars, n_symbols)
    close = rng.standard_normal(shape)
    close *= spread
    np.cumsum(close, axis=0, out=close)
    np.exp(close, out=close)
    close *= 100.0
    start = np.vstack([np.full((1, n_symbols), 100.0), close[:-1]])
    start *= 1.0 + 0.1 * spread * rng.standard_normal(shape)
    wick = 0.5 * spread * np.abs(rng.standard_normal(shape))
    high = np.maximum(start, close) * (1.0 + wick)
    low = np.minimum(start, close) * (1.0 - wick)
    ts = START + np.arange(n_bars) * np.timedelta64(step)
    names = [f"s{i:03d}" for i in range(n_symbols)]
    volume = np.full(shape, 1e6)
    return BarPanel.from_arrays(
        ts, names, step, open=start, high=high, low=low, close=close, volume=volume
    )


def costs(bars: BarPanel) -> ExecutionTerms:
    """Fills at the next open, 5 bps of commission and 2 bps of slippage."""
    terms = frictionless(bars)
    return terms._replace(
        slippage=terms.slippage._replace(fixed=SLIPPAGE),
        commission=terms.commission._replace(taker=FEE, maker=FEE),
    )


def vectorbt_or_reason() -> tuple[Any, str]:
    """The module and ''; or None and why there is no comparison."""
    try:
        return importlib.import_module("vectorbt"), ""
    except ImportError:
        return None, "skipped: vectorbt is not installed (pip install vectorbt)"


def require_same(what: str, ours: float, theirs: float) -> None:
    """Raise when two ways did not trade the same: then their times mean nothing."""
    if not np.isclose(ours, theirs, rtol=1e-9):
        raise RuntimeError(f"{what}: ours gives {ours!r}, the other {theirs!r}")


def rows(
    case: str,
    timings: Mapping[str, Timing],
    answers: Mapping[str, tuple[int, float]],
    reason: str,
    *,
    against: str = "vectorbt",
    counted: str = "orders",
) -> list[Row]:
    """A row a way; ratios of the best processor times. counted : what answers count."""
    peer = min(timings[against].cpu) if against in timings else 0.0
    return [
        {
            "case": case,
            "way": way,
            counted: answers[way][0],
            "equity": round(answers[way][1], 2),
            "best CPU ms": 1e3 * min(timing.cpu),
            "extra peak MB": timing.megabytes,
            f"times {against}": min(timing.cpu) / peer if peer else reason,
        }
        for way, timing in timings.items()
    ]
