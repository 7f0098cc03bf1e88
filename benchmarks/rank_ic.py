"""Rank information coefficient and quantile returns over three horizons: ours against pandas."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks._peers import require_equal, timed
from benchmarks.page import Row
from quant_assets.quant.statistics.information_coefficient import rank_ic_decay

TITLE = "Rank information coefficient over 1, 5 and 21 days, with quintile returns, one thread"
TARGET = "500 instruments, 2,520 days in at most 0.35 of pandas' time"
SIZE, QUICK_SIZE = (2_520, 500), (300, 20)  # days, instruments
HORIZONS, QUANTILES = (1, 5, 21), 5
OURS, PANDAS = "ours", "pandas, ranks and corrwith on wide frames"
Floats = npt.NDArray[np.float64]


def measure(folder: Path, *, quick: bool) -> list[Row]:  # noqa: ARG001 - writes nothing
    size = QUICK_SIZE if quick else SIZE
    rng = np.random.default_rng(0)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.02, size), axis=0))
    ahead = np.zeros(size)
    ahead[:-1] = close[1:] / close[:-1] - 1.0
    signal = ahead + rng.normal(0.0, 0.4, size)
    frames = pd.DataFrame(signal), pd.DataFrame(close)
    ways: dict[str, Callable[[], tuple[Floats, Floats]]] = {
        OURS: lambda: _ours(signal, close),
        PANDAS: lambda: _pandas(*frames),
    }
    for what, mine, theirs in zip(("IC", "return"), ways[OURS](), ways[PANDAS](), strict=True):
        for horizon, one, other in zip(HORIZONS, mine, theirs, strict=True):
            require_equal(f"{what} over {horizon} days", one.sum(), other.sum())
    timings = timed(ways, 1 if quick else 5)
    return [
        {
            "way": name,
            "days x instruments": f"{size[0]:,} x {size[1]:,}",
            "best s": min(timing.wall),
            "median CPU s": timing.typical,
            "extra peak MB": timing.megabytes,
            "times pandas": timing.typical / timings[PANDAS].typical,
        }
        for name, timing in timings.items()
    ]


def _ours(signal: Floats, close: Floats) -> tuple[Floats, Floats]:
    """Mean IC of each horizon, and the mean return of each quintile, (horizon, quintile)."""
    decay = rank_ic_decay(signal, close, HORIZONS, n_quantiles=QUANTILES)
    return decay.mean_ic, decay.pooled_quantile_returns


def _pandas(signal: Any, close: Any) -> tuple[Floats, Floats]:
    ranks = signal.rank(axis=1)
    quintile = np.minimum(((ranks - 1) * QUANTILES // signal.shape[1]).to_numpy(), QUANTILES - 1)
    ics, returns = [], []
    for horizon in HORIZONS:
        change = close.shift(-horizon) / close - 1.0
        ics.append(ranks.corrwith(change.rank(axis=1), axis=1).mean())
        values = change.to_numpy()
        returns.append([np.nanmean(values[quintile == q]) for q in range(QUANTILES)])
    return np.array(ics), np.array(returns)
