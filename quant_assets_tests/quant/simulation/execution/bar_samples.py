"""Small bars for the tests of plug-ins."""

from datetime import timedelta

import numpy as np

from quant_assets.quant.market.bar_panel import BarPanel

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def clock(n_bars, length=DAY, start="2024-01-01"):
    return np.datetime64(start, "us") + np.arange(n_bars) * np.timedelta64(length)


def random_bars(n_bars=300, n_symbols=4, *, seed=0, missing=0.0, length=DAY, symbols=None):
    rng = np.random.default_rng(seed)
    shape = (n_bars, n_symbols)
    scale = 0.01 * (1.0 + np.arange(n_symbols))
    close = 100.0 * np.exp(np.cumsum(0.001 + scale * rng.normal(size=shape), axis=0))
    spread = np.abs(rng.normal(0.0, 0.01, (2, *shape)))
    columns = {
        "open": close * (1.0 + spread[0] - spread[1]) / (1.0 + spread[0]),
        "high": close * (1.0 + spread[0]),
        "low": close * (1.0 - spread[1] / 2),
        "close": close,
        "volume": rng.lognormal(10.0, 1.0, shape),
    }
    gaps = rng.random(shape) < missing
    for values in columns.values():
        values[gaps] = np.nan
    names = symbols or tuple(f"S{column}" for column in range(n_symbols))
    extras = {"spread": rng.lognormal(-7.0, 0.5, shape)}
    return BarPanel.from_arrays(clock(n_bars, length), names, length, extras=extras, **columns)


def flat_bars(n_bars, symbols=("A",), *, price=100.0, length=DAY, start="2024-01-01"):
    close = np.full((n_bars, len(symbols)), price)
    return BarPanel.from_arrays(clock(n_bars, length, start), symbols, length, close=close)


def spanned(finer, n_bars, length):
    """The bars of a longer clock that these finer bars lie in."""
    ts = clock(n_bars, length)
    parts = [(finer.ts >= begin) & (finer.ts < begin + np.timedelta64(length)) for begin in ts]
    columns = {
        "open": np.stack([finer.open[part][0] for part in parts]),
        "high": np.stack([finer.high[part].max(axis=0) for part in parts]),
        "low": np.stack([finer.low[part].min(axis=0) for part in parts]),
        "close": np.stack([finer.close[part][-1] for part in parts]),
    }
    return BarPanel.from_arrays(ts, finer.symbols, length, **columns)
