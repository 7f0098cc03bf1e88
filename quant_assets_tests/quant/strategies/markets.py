"""Bars for tests of strategies."""

from datetime import timedelta

import numpy as np

from quant_assets.quant.market.bar_panel import BarPanel


def random_bars(rows=250, symbols=("A", "B", "C"), *, seed=3, days=1.0, holes=0.0):
    """Random walks with ranges and volume; a share of `holes` has no bar."""
    rng = np.random.default_rng(seed)
    shape = (rows, len(symbols))
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.02, shape), axis=0))
    opened = close * np.exp(rng.normal(0.0, 0.005, shape))
    spread = np.exp(np.abs(rng.normal(0.0, 0.01, shape)))
    high, low = np.maximum(opened, close) * spread, np.minimum(opened, close) / spread
    volume = rng.lognormal(8.0, 0.5, shape)
    gone = rng.random(shape) < holes
    for values in (close, opened, high, low):
        values[gone] = np.nan
    volume[gone] = 0.0
    step = timedelta(days=days)
    ts = np.datetime64("2022-01-03", "us") + np.arange(rows) * np.timedelta64(step)
    prices = {"open": opened, "high": high, "low": low, "close": close, "volume": volume}
    return BarPanel.from_arrays(ts, symbols, step, **prices)
