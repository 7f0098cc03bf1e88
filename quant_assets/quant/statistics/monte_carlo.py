"""Figures of many resampled histories of a return series, without keeping the histories."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import DataError
from quant_assets.quant.market.panel import Floats
from quant_assets.quant.statistics.bootstrap import Resampling, checked_rows

__all__ = ["PathFigures", "path_figures"]


class PathFigures(NamedTuple):
    """One value per drawn history, each of shape (draw,).

    terminal_wealth : of 1 invested at the start; 0 after a loss of everything
    growth_rate : mean log return per period; -inf after a loss of everything
    sharpe : mean over standard deviation (ddof 1), per period; NaN where nothing moves
    max_drawdown : deepest loss from a peak, negative; wealth starts at a peak of 1
    """

    terminal_wealth: Floats
    growth_rate: Floats
    sharpe: Floats
    max_drawdown: Floats


def path_figures(
    returns: npt.ArrayLike, resampling: Resampling, rng: np.random.Generator
) -> PathFigures:
    """Figures of `resampling.n_draws` histories, each as long as `returns` (row,), simple returns.

    The rows are those that `stationary_bootstrap` (or `circular_block_bootstrap`) draws from the
    same generator. A return below -1 counts as the loss of everything. NaN or no rows is a
    `DataError`.
    """
    from quant_assets.quant.statistics import bootstrap_kernel as kernel

    values = checked_rows(returns)
    if values.ndim != 1:
        raise DataError(f"returns have shape {values.shape}: pass one series, (row,)")
    resampling.checked()
    with np.errstate(divide="ignore"):
        logs = np.log1p(np.maximum(values, -1.0))
    mean = values.mean()
    drawn = np.empty((resampling.n_draws, 4))
    seed = np.uint64(rng.integers(0, 2**64, dtype=np.uint64))
    block = float(resampling.block)
    kernel.draw_paths(seed, block, resampling.log_stay, values - mean, logs, drawn)
    growth, total, squares, drawdown = drawn.T
    n = len(values)
    variance = np.maximum(squares - total * total / n, 0.0) / max(n - 1, 1)
    moves = variance > (16.0 * np.finfo(np.float64).eps * np.abs(values).max()) ** 2
    deviation = np.sqrt(np.where(moves, variance, np.nan))
    with np.errstate(over="ignore"):
        wealth = np.exp(growth)
    return PathFigures(wealth, growth / n, (mean + total / n) / deviation, np.expm1(drawdown))
