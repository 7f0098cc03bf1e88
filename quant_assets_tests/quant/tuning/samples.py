"""Bars, strategies and by-hand simulations for the tests of tuning."""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

import numpy as np

from quant_assets.core.errors import ConfigError
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.strategies.base import VectorStrategy
from quant_assets.quant.strategies.signals import Signals

FREE = {
    "slippage_model": "none",
    "commission_model": "none",
    "borrow_model": "none",
}


def market(rows=400, *, seed=0, symbols=("A",), drift=0.0005, volatility=0.015, hours=24.0):
    rng = np.random.default_rng(seed)
    shape = (rows, len(symbols))
    close = 100.0 * np.exp(np.cumsum(drift + volatility * rng.normal(size=shape), axis=0))
    opened = np.vstack([np.full((1, len(symbols)), 100.0), close[:-1]])
    opened = opened * np.exp(0.2 * volatility * rng.normal(size=shape))
    step = timedelta(hours=hours)
    ts = np.datetime64("2020-01-01", "us") + np.arange(rows) * np.timedelta64(step)
    return BarPanel.from_arrays(
        ts,
        symbols,
        step,
        open=opened,
        high=np.maximum(opened, close) * 1.001,
        low=np.minimum(opened, close) * 0.999,
        close=close,
        volume=np.full(shape, 1e6),
    )


def averages(close, window):
    """Simple moving average along the first axis, NaN before it is known."""
    known = np.lib.stride_tricks.sliding_window_view(close, window).mean(axis=1)
    return np.r_[np.full(window - 1, np.nan), known]


@dataclass(frozen=True, kw_only=True)
class Cross(VectorStrategy):
    """Long while the average of `fast` closes stands above that of `slow`."""

    name: ClassVar[str] = "cross"
    fast: int = 3
    slow: int = 8

    def __post_init__(self):
        if self.fast >= self.slow:
            raise ConfigError(f"fast {self.fast} must be less than slow {self.slow}")

    @property
    def warm_up(self):
        return self.slow - 1

    def signals(self, bars):
        lines = [
            np.stack([averages(column, n) for column in bars.close.T], axis=1)
            for n in (self.fast, self.slow)
        ]
        return Signals(entry_long=lines[0] > lines[1], exit_long=lines[0] < lines[1])


def by_hand(opened, close, wanted, *, capital=100_000.0, units=0.0):
    """Equity of one symbol without costs: `wanted[t]` (1 in, 0 out, NaN as before) fills at t + 1.

    Returns equity `(time,)` and the cash and units at the end.
    """
    cash, equity, pending = capital, np.empty(len(close)), np.nan
    for t in range(len(close)):
        if pending == 1 and units == 0:
            units, cash = cash / opened[t], 0.0
        elif pending == 0 and units > 0:
            units, cash = 0.0, cash + units * opened[t]
        equity[t] = cash + units * close[t]
        pending = wanted[t]
    return equity
