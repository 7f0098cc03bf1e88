"""Whether the best of many models beats the benchmark, after having looked at all of them.

`excess` holds performance over the benchmark, higher is better: (row,) or (row, model), finite.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.market.panel import Floats
from quant_assets.quant.statistics.bootstrap import Resampling, bootstrap_means, checked_rows
from quant_assets.quant.statistics.multiplicity import Mask

__all__ = ["Superiority", "reality_check", "superior_models", "superior_predictive_ability"]

_MIN_ROWS = 3  # log(log(T)) must be positive
_COLUMNS = 64  # of which autocovariances are held at a time


@dataclass(frozen=True)
class Superiority:
    """P-values of the hypothesis that no model is better than the benchmark.

    lower, consistent, upper : poor models count as far below the benchmark, are dropped when they
        are, or count as equal to it; `consistent` is the one to report
    statistic : that of the best model; best : its column
    """

    lower: float
    consistent: float
    upper: float
    statistic: float
    best: int


@dataclass(frozen=True)
class _Draws:
    """Statistics of the models, and their draws under three ways to centre them, (draw, model)."""

    observed: Floats
    lower: Floats
    consistent: Floats
    upper: Floats


def superior_predictive_ability(
    excess: npt.ArrayLike,
    resampling: Resampling,
    rng: np.random.Generator,
    *,
    studentize: bool = True,
) -> Superiority:
    """Hansen's (2005) test of whether the best model beats the benchmark.

    Statistic: largest mean over its long-run standard error (over 1 unless `studentize`), p-value:
    share of draws above it. The long-run variance is that of the stationary bootstrap with the
    same mean block. A model that does not vary is a `DataError` where it has to be studentized.
    """
    draws = _simulate(_models(excess), resampling, rng, studentize=studentize)
    best = int(np.argmax(draws.observed))
    largest = draws.observed[best]
    lower, consistent, upper = (
        float((simulated.max(axis=1) > largest).mean())
        for simulated in (draws.lower, draws.consistent, draws.upper)
    )
    return Superiority(lower, consistent, upper, float(largest), best)


def reality_check(excess: npt.ArrayLike, resampling: Resampling, rng: np.random.Generator) -> float:
    """P-value of White (2000): the largest mean against draws in which all models are centred.

    Poor models make it conservative; `superior_predictive_ability` mends that.
    """
    return superior_predictive_ability(excess, resampling, rng, studentize=False).upper


def superior_models(
    excess: npt.ArrayLike,
    resampling: Resampling,
    rng: np.random.Generator,
    *,
    fwer: float = 0.05,
    studentize: bool = True,
) -> Mask:
    """Which models beat the benchmark, with probability `fwer` of any error. Shape (model,).

    StepM of Romano & Wolf (2005): models above the critical value of the largest are accepted,
    then the rest is judged among itself, until none is added. Draws are centred as in
    `consistent`.
    """
    if not 0.0 < fwer < 1.0:
        raise ConfigError(f"fwer {fwer} must lie between 0 and 1")
    draws = _simulate(_models(excess), resampling, rng, studentize=studentize)
    superior = np.zeros(len(draws.observed), dtype=np.bool_)
    while not superior.all():
        largest = draws.consistent[:, ~superior].max(axis=1)
        better = ~superior & (draws.observed > np.quantile(largest, 1.0 - fwer))
        if not better.any():
            break
        superior |= better
    return superior


def _models(excess: npt.ArrayLike) -> Floats:
    values = checked_rows(excess)
    table = values[:, None] if values.ndim == 1 else values
    if len(table) < _MIN_ROWS or table.shape[1] == 0:
        raise DataError(f"excess has shape {table.shape}: expected >= 3 rows and >= 1 model")
    return table


def _simulate(
    excess: Floats, resampling: Resampling, rng: np.random.Generator, *, studentize: bool
) -> _Draws:
    mean, variance = excess.mean(axis=0), _long_run_variance(excess, resampling.block)
    scale = np.ones_like(mean)
    if studentize:
        still = np.flatnonzero(variance <= 0.0)
        if still.size:
            raise DataError(f"model {still[0]} does not vary against the benchmark: leave it out")
        scale = np.sqrt(variance / len(excess))
    means = bootstrap_means(excess, resampling, rng)
    # Far below the benchmark, by the law of the iterated logarithm: irrelevant to the best.
    bound = -np.sqrt(np.maximum(variance, 0.0) / len(excess) * 2.0 * np.log(np.log(len(excess))))
    centres = (np.maximum(mean, 0.0), np.where(mean >= bound, mean, 0.0), mean)
    lower, consistent, upper = ((means - centre) / scale for centre in centres)
    return _Draws(mean / scale, lower, consistent, upper)


def _long_run_variance(excess: Floats, block: float) -> Floats:
    """Variance of sqrt(T) times the mean under the stationary bootstrap, shape (model,).

    `g_0 + 2 sum over i of ((1 - i/T)(1 - p)^i + i/T (1 - p)^(T - i)) g_i`, p = 1 / block. Politis
    & Romano (1994), lemma 1. Autocovariances by Fourier transform.
    """
    n_rows = len(excess)
    lag = np.arange(1, n_rows)
    stay = 1.0 - 1.0 / block
    weight = (1.0 - lag / n_rows) * stay**lag + lag / n_rows * stay ** (n_rows - lag)
    weights = np.concatenate([[1.0], 2.0 * weight]) / n_rows
    demeaned = excess - excess.mean(axis=0)
    constant = np.ptp(excess, axis=0) <= 16.0 * np.finfo(np.float64).eps * np.abs(excess).max(
        axis=0
    )
    demeaned[:, constant] = 0.0
    variances = np.empty(excess.shape[1])
    size = 1 << (2 * n_rows - 1).bit_length()
    for first in range(0, excess.shape[1], _COLUMNS):
        part = demeaned[:, first : first + _COLUMNS]
        spectrum = np.fft.rfft(part, size, axis=0)
        covariance = np.fft.irfft(np.abs(spectrum) ** 2, size, axis=0)[:n_rows]
        variances[first : first + _COLUMNS] = weights @ covariance
    return variances
