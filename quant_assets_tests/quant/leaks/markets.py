"""Bars that the leak checks are tried on: four symbols, one listed late, one delisted, gaps."""

from datetime import timedelta

import numpy as np

from quant_assets.quant.market.bar_panel import BarPanel

HOUR = np.timedelta64(3600, "s").astype("timedelta64[us]")
START = np.datetime64("2024-01-01T00:00", "us")
SYMBOLS = ("AAA", "BBB", "CCC", "DDD")


def market(n_bars=480, n_symbols=4, *, seed=0, ragged=True, late=0, funding=True):
    """Hourly bars; `late` rows become known two bars after they ended."""
    rng = np.random.default_rng(seed)
    shape = (n_bars, n_symbols)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, shape), axis=0))
    opened = np.vstack([close[:1], close[:-1]]) * np.exp(rng.normal(0.0, 0.001, shape))
    spread = np.abs(rng.normal(0.0, 0.004, (2, *shape)))
    fields = {
        "open": opened,
        "high": np.maximum(opened, close) * (1.0 + spread[0]),
        "low": np.minimum(opened, close) * (1.0 - spread[1]),
        "close": close,
        "volume": rng.lognormal(8.0, 1.0, shape),
    }
    extras = {"funding": rng.normal(1e-4, 2e-4, shape)} if funding else {}
    if ragged and n_symbols > 2:
        gone = np.zeros(shape, dtype=bool)
        gone[: int(0.35 * n_bars), -1] = True
        gone[int(0.9 * n_bars) :, 1] = True
        gone |= rng.random(shape) < 0.004
        gone[:, 0] = False
        for values in [*fields.values(), *extras.values()]:
            values[gone] = np.nan
    ts = START + np.arange(n_bars) * HOUR
    known = ts + HOUR
    chosen = rng.choice(np.arange(n_bars // 4, n_bars - 4), late, replace=False)
    known[chosen] += 2 * HOUR
    symbols = tuple(f"S{i:03}" for i in range(n_symbols)) if n_symbols != 4 else SYMBOLS
    return BarPanel.from_arrays(
        ts, symbols, timedelta(hours=1), available_at=known, extras=extras, **fields
    )
