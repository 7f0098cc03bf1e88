"""Block-bootstrap p-values of many small cells, and symmetric splits of 1,000 backtests."""

from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks._peers import require_equal, timed
from benchmarks.page import Row
from quant_assets.quant.model_selection.overfitting import probability_of_backtest_overfitting
from quant_assets.quant.statistics.bootstrap import bootstrap_p_values

TITLE = "Block bootstrap of 2,400 cells (500 draws); 12,870 splits of 1,000 backtests; one thread"
TARGET = "p-values in at most 0.45 of numpy's time per cell"
CELLS, QUICK_CELLS, NUMPY_CELLS = 2_400, 40, 60
BACKTESTS, QUICK_BACKTESTS, NUMPY_SPLITS = (2_520, 1_000), (64, 20), 60
DRAWS = 500
Floats = npt.NDArray[np.float64]


def measure(folder: Path, *, quick: bool) -> list[Row]:  # noqa: ARG001 - writes nothing
    values, sizes = cells(QUICK_CELLS if quick else CELLS)
    returns = np.random.default_rng(0).normal(size=QUICK_BACKTESTS if quick else BACKTESTS)
    n_splits = 4 if quick else 16
    part = sizes[: min(NUMPY_CELLS, len(sizes))]
    head = values[: part.sum()]
    require_close(mine(values, sizes)[: len(part)], with_numpy(head, part))
    splits = list(combinations(range(n_splits), n_splits // 2))
    few = splits[:NUMPY_SPLITS]
    ours = probability_of_backtest_overfitting(returns, n_splits)
    require_equal("Sharpe", ours.sharpe_outside[: len(few)].sum(), plain(returns, few).sum())
    ways: dict[str, tuple[int, Callable[[], object]]] = {
        "p-values, ours": (len(sizes), lambda: mine(values, sizes)),
        "p-values, numpy fancy indexing": (len(part), lambda: with_numpy(head, part)),
        "splits, ours": (
            len(splits),
            lambda: probability_of_backtest_overfitting(returns, n_splits),
        ),
        "splits, numpy": (len(few), lambda: plain(returns, few)),
    }
    timings = timed({name: way for name, (_, way) in ways.items()}, 1 if quick else 5)
    each = {name: timing.typical / ways[name][0] for name, timing in timings.items()}
    peers = {name.split(",", maxsplit=1)[0]: time for name, time in each.items() if "numpy" in name}
    return [
        {
            "way": name,
            "units": ways[name][0],
            "best s": min(timing.wall),
            "median CPU s": timing.typical,
            "CPU µs per unit": 1e6 * each[name],
            "extra peak MB": timing.megabytes,
            "times numpy": each[name] / peers[name.split(",", maxsplit=1)[0]],
        }
        for name, timing in timings.items()
    ]


def cells(count: int) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Outcomes of `count` cells of 30 to 170 events."""
    rng = np.random.default_rng(0)
    sizes = rng.integers(30, 170, size=count)
    return rng.standard_t(4, size=int(sizes.sum())) * 0.01, sizes


def mine(values: Floats, sizes: npt.NDArray[np.int64]) -> Floats:
    return bootstrap_p_values(values, sizes, n_draws=DRAWS, rng=np.random.default_rng(0))


def with_numpy(values: Floats, sizes: npt.NDArray[np.int64]) -> Floats:
    rng = np.random.default_rng(0)
    p = []
    for y in np.split(values, np.cumsum(sizes)[:-1]):
        n = len(y)
        block = int(np.ceil(n ** (1 / 3)))
        starts = rng.integers(0, n, (DRAWS, -(-n // block)))
        rows = ((starts[:, :, None] + np.arange(block)) % n).reshape(DRAWS, -1)[:, :n]
        means = (y - y.mean())[rows].mean(axis=1)
        p.append((1 + np.count_nonzero(np.abs(means) >= abs(y.mean()))) / (1 + DRAWS))
    return np.array(p)


def plain(returns: Floats, splits: list[tuple[int, ...]]) -> Floats:
    """Sharpe ratio outside of the best strategy inside, one split at a time."""
    n_blocks = max(max(chosen) for chosen in splits) + 1
    n_blocks = max(n_blocks, 2 * len(splits[0]))
    blocks = np.split(returns[len(returns) % n_blocks :], n_blocks)
    ratios = []
    for chosen in splits:
        inside = np.concatenate([blocks[k] for k in chosen])
        outside = np.concatenate([blocks[k] for k in range(n_blocks) if k not in chosen])
        best = np.argmax(inside.mean(axis=0) / inside.std(axis=0, ddof=1))
        ratios.append(outside[:, best].mean() / outside[:, best].std(ddof=1))
    return np.array(ratios)


def require_close(ours: Floats, theirs: Floats) -> None:
    """Raise when two bootstraps disagree by more than their draws explain."""
    error = np.sqrt(2.0 * 0.25 / DRAWS)
    if np.abs(ours - theirs).max() > 5.0 * error:
        raise RuntimeError(f"p-values differ by up to {np.abs(ours - theirs).max():.3f}")
