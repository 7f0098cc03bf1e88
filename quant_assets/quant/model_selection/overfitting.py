"""How likely the best of many backtests is the best by luck: combinatorial cross-validation."""

from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.market.panel import Floats

__all__ = ["BacktestOverfitting", "probability_of_backtest_overfitting"]

_MAX_SPLITS = 200_000  # S = 20 has 184,756


@dataclass(frozen=True)
class BacktestOverfitting:
    """Outcome of combinatorially symmetric cross-validation, arrays of shape (split,).

    probability : share of splits whose best strategy in sample ranks in the lower half outside
    logits : `log(w / (1 - w))`, w = rank outside / (N + 1); <= 0 counts as overfit
    best : column of the best strategy in sample
    sharpe_inside, sharpe_outside : its per-period Sharpe ratios
    n_rows_dropped : leading rows that fill no block
    """

    probability: float
    logits: Floats
    best: npt.NDArray[np.int64]
    sharpe_inside: Floats
    sharpe_outside: Floats
    n_rows_dropped: int

    @property
    def probability_of_loss(self) -> float:
        """Share of splits in which the chosen strategy loses outside."""
        return float((self.sharpe_outside < 0.0).mean())

    @property
    def degradation(self) -> tuple[float, float]:
        """Intercept and slope of the Sharpe ratio outside on the one inside, by least squares.

        NaN when the one inside never varies.
        """
        centred = self.sharpe_inside - self.sharpe_inside.mean()
        energy = float(centred @ centred)
        if energy == 0.0:
            return float("nan"), float("nan")
        slope = float(centred @ self.sharpe_outside) / energy
        return float(self.sharpe_outside.mean() - slope * self.sharpe_inside.mean()), slope


def probability_of_backtest_overfitting(
    returns: npt.ArrayLike, n_splits: int = 16
) -> BacktestOverfitting:
    """Choose the best strategy on every half of the history and rank it on the other half.

    Rows are cut into `n_splits` blocks of equal length (leading rows that are left over are
    dropped); each of the `C(S, S/2)` choices of half the blocks is in sample once. Performance is
    the Sharpe ratio, ddof 1; a strategy whose returns do not vary in a half has 0 there. Ties in
    sample go to the first column; tied ranks are averaged. Bailey, Borwein, Lopez de Prado & Zhu
    (2015).

    Parameters
    ----------
    returns : shape (time, strategy)
        Simple returns of at least two strategies on the same rows, all finite.
    n_splits : int
        S, even.
    """
    from quant_assets.quant.model_selection import overfitting_kernel as kernel

    values = np.asarray(returns, dtype=np.float64)
    _check(values, n_splits)
    rows, dropped = divmod(len(values), n_splits)
    used = values[dropped:]
    shape = (n_splits, values.shape[1])
    blocks = kernel.Blocks(np.empty(shape), np.empty(shape), used.mean(axis=0), rows)
    kernel.block_sums(np.require(used, requirements=["C", "W"]), blocks)
    splits = np.array(list(combinations(range(n_splits), n_splits // 2)), dtype=np.int64)
    n = len(splits)
    ranking = kernel.Ranking(np.empty(n, dtype=np.int64), np.empty(n), np.empty(n), np.empty(n))
    kernel.rank_splits(splits, blocks, ranking)
    share = ranking.rank / (values.shape[1] + 1.0)
    logits = np.log(share / (1.0 - share))
    return BacktestOverfitting(
        probability=float((share <= 0.5).mean()),
        logits=logits,
        best=ranking.best,
        sharpe_inside=ranking.inside,
        sharpe_outside=ranking.outside,
        n_rows_dropped=dropped,
    )


def _check(values: Floats, n_splits: int) -> None:
    if n_splits < 2 or n_splits % 2 or comb(n_splits, n_splits // 2) > _MAX_SPLITS:
        raise ConfigError(f"n_splits {n_splits} must be even and between 2 and 20")
    if values.ndim != 2 or values.shape[1] < 2:
        raise DataError(f"returns have shape {values.shape}: expected (time, >= 2 strategies)")
    if len(values) < 2 * n_splits:
        raise DataError(f"{len(values)} rows are fewer than 2 for each of {n_splits} blocks")
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        row, column = bad[0]
        raise DataError(
            f"row {row} of strategy {column} is not finite ({len(bad)} values are): compare "
            "strategies on the rows that all of them have"
        )
