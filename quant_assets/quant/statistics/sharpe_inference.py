"""How much a Sharpe ratio proves, given its length, its moments and how many were tried.

`returns` are simple, (row,) or (row, strategy), one row per period; NaN rows are left out column
by column; infinite ones are a `DataError`. Sharpe ratios are **per period** (mean over ddof-1
standard deviation), unless the name says otherwise. Results have shape () or (strategy,), NaN
where the Sharpe ratio is undefined.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.market.panel import Floats
from quant_assets.quant.statistics.distributions import normal_cdf, normal_quantile
from quant_assets.quant.statistics.per_period import kurtosis, sharpe, skewness

__all__ = [
    "deflated_sharpe_ratio",
    "expected_maximum_sharpe",
    "minimum_backtest_length",
    "minimum_track_record_length",
    "probabilistic_sharpe_ratio",
    "sharpe_ratio_autocorrelation_adjusted",
    "sharpe_standard_error",
]

_BLOCK = 50_000  # returns that are looked at together


def sharpe_standard_error(returns: npt.ArrayLike) -> Floats:
    """`sqrt((1 - g3 SR + (g4 - 1) / 4 SR^2) / (T - 1))`, g3 skewness, g4 kurtosis (normal: 3).

    Mertens (2002) with the divisor of Bailey & Lopez de Prado (2012).
    """
    return _estimates(returns).error


def probabilistic_sharpe_ratio(
    returns: npt.ArrayLike, *, benchmark_sharpe: npt.ArrayLike = 0.0
) -> Floats:
    """Probability that the true Sharpe ratio exceeds `benchmark_sharpe` (per period).

    `Phi((SR - SR*) / standard error)`. Bailey & Lopez de Prado (2012).
    """
    estimates = _estimates(returns)
    excess = estimates.ratio - np.asarray(benchmark_sharpe, dtype=np.float64)
    return normal_cdf(excess / estimates.error)


def expected_maximum_sharpe(n_trials: npt.ArrayLike, trial_variance: npt.ArrayLike) -> Floats:
    """Largest of `n_trials` Sharpe ratios to be expected when none of the strategies has skill.

    `sqrt(variance) ((1 - g) Z(1 - 1/N) + g Z(1 - 1/(N e)))`, Z the normal quantile, g = 0.5772...
    Trials may be effective, i.e. fractional; 0 where the approximation is not positive, as for a
    single trial. trial_variance : of the trials' Sharpe ratios, ddof 1. Bailey & Lopez de Prado
    (2014).
    """
    trials, variance = np.asarray(n_trials, np.float64), np.asarray(trial_variance, np.float64)
    if np.any(trials < 1.0) or np.any(variance < 0.0):
        raise ConfigError(
            f"n_trials {trials.min()} must be >= 1 and trial_variance {variance.min()} >= 0"
        )
    return np.asarray(np.sqrt(variance) * _expected_maximum(trials))


def deflated_sharpe_ratio(
    returns: npt.ArrayLike, *, n_trials: npt.ArrayLike, trial_variance: npt.ArrayLike
) -> Floats:
    """Probability that the true Sharpe ratio exceeds what the best of the trials shows by luck.

    `probabilistic_sharpe_ratio` against `expected_maximum_sharpe`. Every trial counts, the
    discarded ones first of all; correlated ones by `model_selection.effective_trials`. Bailey &
    Lopez de Prado (2014).
    """
    threshold = expected_maximum_sharpe(n_trials, trial_variance)
    return probabilistic_sharpe_ratio(returns, benchmark_sharpe=threshold)


def minimum_track_record_length(
    returns: npt.ArrayLike, *, benchmark_sharpe: npt.ArrayLike = 0.0, confidence: float = 0.95
) -> Floats:
    """Rows needed for a `probabilistic_sharpe_ratio` of `confidence`, not rounded.

    `1 + (1 - g3 SR + (g4 - 1) / 4 SR^2) (Z / (SR - SR*))^2`; infinite where the Sharpe ratio does
    not exceed the benchmark. Bailey & Lopez de Prado (2012).
    """
    if not 0.5 < confidence < 1.0:
        raise ConfigError(f"confidence {confidence} must lie between 0.5 and 1")
    estimates = _estimates(returns)
    excess = estimates.ratio - np.asarray(benchmark_sharpe, dtype=np.float64)
    needed = normal_quantile(confidence) / np.where(excess > 0.0, excess, 1.0)
    length = 1.0 + estimates.spread * needed**2
    return np.asarray(np.where(excess <= 0.0, np.inf, np.where(np.isnan(excess), excess, length)))


def minimum_backtest_length(
    n_trials: npt.ArrayLike, *, annual_sharpe: npt.ArrayLike = 1.0
) -> Floats:
    """Years below which the best of `n_trials` without skill is expected to show `annual_sharpe`.

    `(((1 - g) Z(1 - 1/N) + g Z(1 - 1/(N e))) / SR)^2`. Bailey, Borwein, Lopez de Prado & Zhu
    (2014).
    """
    trials, target = np.asarray(n_trials, np.float64), np.asarray(annual_sharpe, np.float64)
    if np.any(trials < 1.0) or np.any(target <= 0.0):
        raise ConfigError(
            f"n_trials {trials.min()} must be >= 1 and annual_sharpe {target.min()} > 0"
        )
    return np.asarray((_expected_maximum(trials) / target) ** 2)


def sharpe_ratio_autocorrelation_adjusted(
    returns: npt.ArrayLike, periods_per_year: int, *, max_lag: int | None = None
) -> Floats:
    """Annual Sharpe ratio that allows for autocorrelated returns.

    `SR q / sqrt(q + 2 sum over k < q of (q - k) rho_k)`, q periods a year, rho_k the sample
    autocorrelations (a NaN row drops its products). max_lag : the largest k, at most rows - 1;
    None: all of them. NaN where the implied variance of a year is not positive. Lo (2002).
    """
    values = _checked(returns)
    if periods_per_year < 1 or (max_lag is not None and max_lag < 0):
        raise ConfigError(f"periods_per_year {periods_per_year} >= 1 and max_lag {max_lag} >= 0")
    q = periods_per_year
    reach = min(q - 1, max(len(values) - 1, 0), q - 1 if max_lag is None else max_lag)
    present = ~np.isnan(values)
    filled = np.where(present, values, 0.0)
    mean = filled.sum(axis=0) / np.maximum(present.sum(axis=0), 1)
    demeaned = np.where(present, values - mean, 0.0)
    squares = np.asarray((demeaned**2).sum(axis=0))
    weighted = np.zeros_like(squares)
    for lag in range(1, reach + 1):
        weighted += (q - lag) * (demeaned[lag:] * demeaned[:-lag]).sum(axis=0)
    variance = q + 2.0 * weighted / np.where(squares > 0.0, squares, np.nan)
    return np.asarray(sharpe(values) * q / np.sqrt(np.where(variance > 0.0, variance, np.nan)))


class _Estimates(NamedTuple):
    """Sharpe ratio, its standard error, and the square of that times T - 1, per strategy."""

    ratio: Floats
    error: Floats
    spread: Floats


def _estimates(returns: npt.ArrayLike) -> _Estimates:
    """Computed some strategies at a time: what is in between stays in the cache."""
    values = _checked(returns)
    table = values[:, None] if values.ndim == 1 else values
    columns = np.empty((3, table.shape[1]))
    step = max(1, _BLOCK // max(len(table), 1))
    for first in range(0, table.shape[1], step):
        part = table[:, first : first + step]
        rows = np.asarray((~np.isnan(part)).sum(axis=0), dtype=np.float64)
        ratio = sharpe(part)
        spread = 1.0 - skewness(part) * ratio + (kurtosis(part) + 2.0) / 4.0 * ratio**2
        error = np.sqrt(spread / np.where(rows > 1.0, rows - 1.0, np.nan))
        columns[:, first : first + step] = ratio, error, spread
    return _Estimates(*(np.asarray(column.reshape(values.shape[1:])) for column in columns))


def _expected_maximum(trials: Floats) -> Floats:
    """Expected maximum of `trials` independent standard normal variables."""
    upper = normal_quantile(1.0 - 1.0 / trials)
    further = normal_quantile(1.0 - 1.0 / (trials * np.e))
    positive = (1.0 - np.euler_gamma) * upper + np.euler_gamma * further
    return np.asarray(np.maximum(positive, 0.0))


def _checked(returns: npt.ArrayLike) -> Floats:
    values = np.asarray(returns, dtype=np.float64)
    if values.ndim not in {1, 2}:
        raise DataError(f"returns have shape {values.shape}: expected (row,) or (row, strategy)")
    if np.isinf(values).any():
        raise DataError(f"row {int(np.argwhere(np.isinf(values))[0][0])} of returns is infinite")
    return values
