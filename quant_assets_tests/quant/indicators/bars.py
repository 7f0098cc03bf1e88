"""Price series to try indicators on."""

from collections.abc import Mapping

import numpy as np

Arrays = dict[str, np.ndarray]


def random_bars(
    n_times: int = 200, n_symbols: int | None = None, *, seed: int = 0, step: float = 0.02
) -> Arrays:
    """Open, high, low, close and volume of random walks, (time,) or (time, symbol)."""
    generator = np.random.default_rng(seed)
    shape = (n_times,) if n_symbols is None else (n_times, n_symbols)
    close = 100.0 * np.exp(np.cumsum(generator.normal(0.0, step, shape), axis=0))
    first = np.full((min(1, n_times), *shape[1:]), 100.0)
    start = np.concatenate([first, close[:-1]])
    wick = np.abs(generator.normal(0.0, step / 2.0, (2, *shape)))
    return {
        "open": start,
        "high": np.maximum(start, close) * (1.0 + wick[0]),
        "low": np.minimum(start, close) * (1.0 - wick[1]),
        "close": close,
        "volume": np.round(generator.lognormal(10.0, 1.0, shape)) + 1.0,
    }


def coarse_bars(n_times: int = 400) -> Arrays:
    """Prices of one decimal: many equal highs, lows and closes."""
    bars = random_bars(n_times, seed=3, step=0.004)
    return {
        name: np.round(values, 1) if name != "volume" else values for name, values in bars.items()
    }


def with_holes(bars: Mapping[str, np.ndarray], share: float, *, seed: int = 5) -> Arrays:
    """The same bars, each number missing with probability `share`, and three rows in a row."""
    generator = np.random.default_rng(seed)
    holed = {name: values.copy() for name, values in bars.items()}
    for values in holed.values():
        values[generator.random(values.shape) < share] = np.nan
        values[len(values) // 2 : len(values) // 2 + 3] = np.nan
    return holed
