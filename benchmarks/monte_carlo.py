"""Four figures of 1,000 resampled histories of a daily record, per entrant."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks._peers import timed
from benchmarks.page import Row
from quant_assets.quant.statistics.bootstrap import Resampling, stationary_bootstrap
from quant_assets.quant.statistics.monte_carlo import path_figures

TITLE = "Wealth, growth, Sharpe ratio and drawdown of 1,000 resampled histories; one thread"
TARGET = "20 entrants of 2,500 days in less than 0.5 s"
ENTRANTS, QUICK_ENTRANTS, NUMPY_ENTRANTS = 20, 2, 2
SHAPE, QUICK_SHAPE = (2_500, 1_000), (60, 20)
BLOCK = 3.0  # what Politis & White's rule gives for daily returns without memory is 1 to 5
Floats = npt.NDArray[np.float64]


def measure(folder: Path, *, quick: bool) -> list[Row]:  # noqa: ARG001 - writes nothing
    n_days, n_paths = QUICK_SHAPE if quick else SHAPE
    n_entrants = QUICK_ENTRANTS if quick else ENTRANTS
    records = np.random.default_rng(0).normal(0.0004, 0.01, (n_entrants, n_days))
    part = records[:NUMPY_ENTRANTS]
    np.testing.assert_allclose(mine(part, n_paths), with_numpy(part, n_paths), rtol=1e-9)
    ways: dict[str, tuple[int, Callable[[], object]]] = {
        "histories, ours": (len(records), lambda: mine(records, n_paths)),
        "histories, numpy": (len(part), lambda: with_numpy(part, n_paths)),
    }
    timings = timed({name: way for name, (_, way) in ways.items()}, 1 if quick else 5)
    each = {name: timing.typical / ways[name][0] for name, timing in timings.items()}
    return [
        {
            "way": name,
            "entrants": ways[name][0],
            "best s": min(timing.wall),
            "median CPU s": timing.typical,
            "CPU ms per entrant": 1e3 * each[name],
            "extra peak MB": timing.megabytes,
            "times numpy": each[name] / each["histories, numpy"],
        }
        for name, timing in timings.items()
    ]


def mine(records: Floats, n_paths: int) -> Floats:
    """Figures (entrant, figure, draw)."""
    how = Resampling(BLOCK, n_paths)
    return np.array([path_figures(record, how, np.random.default_rng(0)) for record in records])


def with_numpy(records: Floats, n_paths: int) -> Floats:
    """The same from whole arrays of histories (draw, day)."""
    figures = []
    for record in records:
        rows = stationary_bootstrap(
            len(record), mean_block=BLOCK, n_draws=n_paths, rng=np.random.default_rng(0)
        )
        drawn = record[rows]
        wealth = np.cumprod(1.0 + drawn, axis=1)
        peak = np.maximum.accumulate(np.maximum(wealth, 1.0), axis=1)
        loss = np.minimum((wealth / peak).min(axis=1) - 1.0, 0.0)
        ratio = drawn.mean(axis=1) / drawn.std(axis=1, ddof=1)
        growth = np.log(wealth[:, -1])
        figures.append([wealth[:, -1], growth / len(record), ratio, loss])
    return np.array(figures)
