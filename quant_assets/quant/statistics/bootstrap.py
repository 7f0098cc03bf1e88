"""Resampling in blocks, so that dependence between neighbouring rows survives it.

Every random draw takes a `numpy.random.Generator`; the same generator state gives the same rows,
whichever of these functions draws them. Rows with a NaN are a `DataError`: leaving them out
would join rows that are not neighbours.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.market.panel import Floats
from quant_assets.quant.statistics.distributions import normal_cdf, normal_quantile

__all__ = [
    "BlockLength",
    "Resampling",
    "bootstrap_means",
    "bootstrap_p_values",
    "bootstrap_statistics",
    "circular_block_bootstrap",
    "confidence_interval",
    "optimal_block_length",
    "stationary_bootstrap",
]

Integers = npt.NDArray[np.int64]
Statistic = Callable[[Floats], npt.ArrayLike]
# Row numbers held at a time: 8 MB.
_CHUNK = 1_000_000


@dataclass(frozen=True)
class Resampling:
    """How rows are drawn.

    block : mean length of the blocks; 1 is the independent bootstrap
    n_draws : number of resamples
    scheme : `stationary` blocks have geometric lengths (Politis & Romano 1994), `circular` ones
        a fixed, whole length (Politis & Romano 1992); both wrap around the end
    """

    block: float
    n_draws: int = 1_000
    scheme: Literal["stationary", "circular"] = "stationary"

    def checked(self) -> "Resampling":
        """Itself; `ConfigError` when no rows can be drawn so."""
        if not 1.0 <= self.block < np.inf or self.n_draws < 1:
            raise ConfigError(f"block {self.block} must be >= 1 and n_draws {self.n_draws} >= 1")
        if self.scheme == "circular" and self.block != int(self.block):
            raise ConfigError(f"circular blocks have a whole length, not {self.block}")
        return self

    @property
    def log_stay(self) -> float:
        """Log of the probability that a block goes on; 0 marks blocks of fixed length."""
        fixed = self.scheme == "circular" or self.block == 1.0
        return 0.0 if fixed else float(np.log1p(-1.0 / self.block))


class BlockLength(NamedTuple):
    """Mean block lengths, shape () or (series,)."""

    stationary: Floats
    circular: Floats


def stationary_bootstrap(
    n_rows: int, *, mean_block: float, n_draws: int, rng: np.random.Generator
) -> Integers:
    """Row numbers of shape (draw, row): circular, geometric blocks of mean `mean_block`."""
    return _all_rows(n_rows, Resampling(mean_block, n_draws), rng)


def circular_block_bootstrap(
    n_rows: int, *, block: int, n_draws: int, rng: np.random.Generator
) -> Integers:
    """Row numbers of shape (draw, row): blocks of `block` rows, the last one cut to fit."""
    return _all_rows(n_rows, Resampling(block, n_draws, "circular"), rng)


def _all_rows(n_rows: int, resampling: Resampling, rng: np.random.Generator) -> Integers:
    chunks = list(_rows(n_rows, resampling, rng))
    return np.concatenate(chunks) if chunks else np.empty((resampling.n_draws, 0), dtype=np.int64)


def _rows(n_rows: int, how: Resampling, rng: np.random.Generator) -> Iterator[Integers]:
    """Row numbers, some draws at a time."""
    from quant_assets.quant.statistics import bootstrap_kernel as kernel

    state = _seed(how, rng)
    per_chunk = max(1, _CHUNK // max(n_rows, 1))
    for first in range(0, how.n_draws if n_rows else 0, per_chunk):
        rows = np.empty((min(per_chunk, how.n_draws - first), n_rows), dtype=np.int64)
        state = np.uint64(kernel.draw_rows(state, float(how.block), how.log_stay, rows))
        yield rows


def _seed(how: Resampling, rng: np.random.Generator) -> np.uint64:
    how.checked()
    return np.uint64(rng.integers(0, 2**64, dtype=np.uint64))


def bootstrap_means(x: npt.ArrayLike, resampling: Resampling, rng: np.random.Generator) -> Floats:
    """Means of resampled rows: (draw,) for `x` of shape (row,), (draw, series) for (row, series).

    Equal, up to rounding, to the means of the rows that `stationary_bootstrap` or
    `circular_block_bootstrap` draws, without making them: a block costs two prefix sums.
    """
    from quant_assets.quant.statistics import bootstrap_kernel as kernel

    values = checked_rows(x)
    table = values[:, None] if values.ndim == 1 else values
    centre, sums = np.empty(table.shape[1]), np.empty((table.shape[0] + 1, table.shape[1]))
    kernel.prefix_sums(np.require(table, requirements=["C", "W"]), centre, sums)
    totals = np.empty((resampling.n_draws, table.shape[1]))
    seed = _seed(resampling, rng)
    kernel.draw_sums(seed, float(resampling.block), resampling.log_stay, sums, totals)
    means = centre + totals / len(table)
    return np.asarray(means[:, 0] if values.ndim == 1 else means)


def bootstrap_statistics(
    x: npt.ArrayLike, statistic: Statistic, resampling: Resampling, rng: np.random.Generator
) -> Floats:
    """`statistic` of resampled rows, shape (draw, ...).

    x : (row,) or (row, series). statistic : maps an array like `x` to a number or an array.
    """
    values = checked_rows(x)
    chunks = _rows(len(values), resampling, rng)
    draws = [np.asarray(statistic(values[row])) for rows in chunks for row in rows]
    return np.asarray(draws, dtype=np.float64)


def bootstrap_p_values(
    values: npt.ArrayLike, sizes: npt.ArrayLike, *, n_draws: int, rng: np.random.Generator
) -> Floats:
    """Two-sided p-values of the hypothesis that the mean is 0, for many cells at once.

    values : (row,), cell after cell; sizes : (cell,), rows of each. Circular blocks of
    `ceil(n^(1/3))` rows of the demeaned cell: `(1 + draws with |mean| >= |mean of the cell|) /
    (1 + n_draws)`. NaN for a cell without rows.
    """
    from quant_assets.quant.statistics import bootstrap_kernel as kernel

    flat, rows = np.asarray(values, dtype=np.float64), np.asarray(sizes, dtype=np.int64)
    if flat.ndim != 1 or rows.ndim != 1 or (rows < 0).any() or rows.sum() != len(flat):
        raise DataError(f"sizes add up to {rows.sum()}, values have shape {flat.shape}")
    if not np.isfinite(flat).all():
        raise DataError(f"value {int(np.flatnonzero(~np.isfinite(flat))[0])} is not finite")
    if n_draws < 1:
        raise ConfigError(f"n_draws {n_draws} must be >= 1")
    counts = np.empty(len(rows), dtype=np.int64)
    seeds = rng.integers(0, 2**64, size=len(rows), dtype=np.uint64)
    starts = np.concatenate([[0], np.cumsum(rows)])
    kernel.exceedances(np.require(flat, requirements=["C", "W"]), starts, seeds, n_draws, counts)
    return np.asarray(np.where(rows > 0, (1.0 + counts) / (1.0 + n_draws), np.nan))


def confidence_interval(
    x: npt.ArrayLike,
    statistic: Statistic,
    resampling: Resampling,
    rng: np.random.Generator,
    *,
    level: float = 0.95,
    method: Literal["percentile", "basic", "bca"] = "percentile",
) -> tuple[Floats, Floats]:
    """Lower and upper bound of `statistic`, each of its shape, with coverage `level`.

    percentile : quantiles of the draws. basic : reflected at the estimate. bca : bias-corrected
    and accelerated, by the share of draws below the estimate and a jackknife over rows (Efron
    1987). Quantiles are linearly interpolated. NaN where all draws lie on one side of the
    estimate, so that bca is not defined.
    """
    if not 0.0 < level < 1.0:
        raise ConfigError(f"level {level} must lie between 0 and 1")
    values = checked_rows(x)
    draws = bootstrap_statistics(values, statistic, resampling, rng)
    tails = np.array([(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    if method == "bca":
        return _bca(values, statistic, draws, tails)
    low, high = np.quantile(draws, tails, axis=0)
    if method == "percentile":
        return np.asarray(low), np.asarray(high)
    estimate = np.asarray(statistic(values), dtype=np.float64)
    return np.asarray(2.0 * estimate - high), np.asarray(2.0 * estimate - low)


def _bca(
    values: Floats, statistic: Statistic, draws: Floats, tails: Floats
) -> tuple[Floats, Floats]:
    estimate = np.asarray(statistic(values), dtype=np.float64)
    bias = normal_quantile((draws < estimate).mean(axis=0))
    rows = np.arange(len(values))
    without = np.array([statistic(values[rows != row]) for row in rows], dtype=np.float64)
    skew = without.mean(axis=0) - without
    squares = (skew**2).sum(axis=0)
    acceleration = (skew**3).sum(axis=0) / (6.0 * np.where(squares > 0, squares, np.nan) ** 1.5)
    flat = draws.reshape(len(draws), -1)
    bounds = []
    for z in normal_quantile(tails):
        with np.errstate(invalid="ignore"):
            shifted = bias + (bias + z) / (1.0 - acceleration * (bias + z))
        at = normal_cdf(shifted).ravel()
        bound = [
            np.quantile(column, share) if np.isfinite(share) else np.nan
            for column, share in zip(flat.T, at, strict=True)
        ]
        bounds.append(np.array(bound).reshape(estimate.shape))
    return bounds[0], bounds[1]


def optimal_block_length(x: npt.ArrayLike) -> BlockLength:
    """Mean block length with the least error of the mean's variance, for each scheme.

    x : (row,) or (row, series). `b = (2 g^2 / d)^(1/3) n^(1/3)` with flat-top weighted
    autocovariances, at most `ceil(min(3 sqrt(n), n / 3))`; NaN for a constant series. Politis &
    White (2004) with the correction of Patton, Politis & White (2009).
    """
    values = checked_rows(x)
    columns = values[:, None] if values.ndim == 1 else values
    lengths = np.array([_optimal(column) for column in columns.T]).reshape(-1, 2)
    chosen = lengths[0] if values.ndim == 1 else lengths.T
    return BlockLength(np.asarray(chosen[0]), np.asarray(chosen[1]))


def _optimal(x: Floats) -> tuple[float, float]:
    n = len(x)
    if n < 2 or np.ptp(x) <= 16.0 * np.finfo(np.float64).eps * np.abs(x).max():
        return float("nan"), float("nan")
    e = x - x.mean()
    run = max(5, int(np.log10(n)))
    longest = min(int(np.ceil(np.sqrt(n))) + run, n - 1)
    products = np.array([e[lag:] @ e[: n - lag] for lag in range(longest + 1)])
    ahead = np.cumsum(e[::-1] ** 2)[::-1]  # squares from each row on
    behind = np.cumsum(e**2)  # squares up to each row
    lags = np.arange(longest + 1)
    scale = np.sqrt(np.append(ahead[1:], 0.0)[lags] * np.append(0.0, behind)[n - 1 - lags])
    small = np.abs(products) < 2.0 * np.sqrt(np.log10(n) / n) * scale
    quiet = [lag for lag in range(longest - run + 1) if small[lag : lag + run].all()]
    m = min(2 * max(quiet[0], 1), longest) if quiet else longest
    lag = np.arange(1, m + 1)
    weight = np.minimum(1.0, 2.0 * (1.0 - lag / m)) * products[1 : m + 1] / n
    g, variance = 2.0 * float(weight @ lag), products[0] / n + 2.0 * float(weight.sum())
    bound = np.ceil(min(3.0 * np.sqrt(n), n / 3.0))
    root = (g * g / (variance * variance) * n) ** (1.0 / 3.0)
    return float(min(root, bound)), float(min(1.5 ** (1.0 / 3.0) * root, bound))


def checked_rows(x: npt.ArrayLike) -> Floats:
    """`x` as finite floats of shape (row,) or (row, series) with at least one row."""
    values = np.asarray(x, dtype=np.float64)
    if values.ndim not in {1, 2} or len(values) == 0:
        raise DataError(f"x has shape {values.shape}: expected (row,) or (row, series), not empty")
    if not np.isfinite(values).all():
        row = int(np.argwhere(~np.isfinite(values))[0][0])
        raise DataError(
            f"row {row} of x is not finite: blocks need neighbours; take a stretch without gaps"
        )
    return values
