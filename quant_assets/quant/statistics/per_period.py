"""Per-period Sharpe ratio, skewness and kurtosis: the kernels that inference builds on.

Input is simple returns of shape (time,) or (time, strategy); the result has shape () or
(strategy,). NaN rows are left out, column by column. NaN where the statistic is undefined: too
few rows, or a column that is constant up to rounding. Nothing is annualised.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from quant_assets.quant.market.panel import Floats


class _Deviations(NamedTuple):
    """Columns centred and scaled to a largest deviation of 1; `scale` undoes it."""

    values: Floats
    mean: Floats
    scale: Floats
    rows: Floats


def _deviations(returns: npt.ArrayLike) -> _Deviations:
    array = np.asarray(returns, dtype=np.float64)
    present = ~np.isnan(array)
    count = np.asarray(present.sum(axis=0), dtype=np.float64)
    filled = np.where(present, array, 0.0)
    mean = filled.sum(axis=0) / np.maximum(count, 1.0)
    centred = np.where(present, array - mean, 0.0)
    largest = np.abs(centred).max(axis=0, initial=0.0)
    # Judged by the range, not by deviations: the mean of a constant is itself rounded.
    highest = np.where(present, array, -np.inf).max(axis=0, initial=-np.inf)
    lowest = np.where(present, array, np.inf).min(axis=0, initial=np.inf)
    rounding = np.finfo(np.float64).eps * np.abs(filled).max(axis=0, initial=0.0)
    scale = np.where((count > 0) & (highest - lowest > rounding), largest, np.nan)
    return _Deviations(centred / scale, np.asarray(mean), scale, count)


def _moment(deviations: _Deviations, power: int) -> Floats:
    total = np.sum(deviations.values**power, axis=0)
    return np.asarray(total / np.where(deviations.rows > 0, deviations.rows, np.nan))


def sharpe(returns: npt.ArrayLike) -> Floats:
    """Mean over standard deviation (ddof 1), per period; NaN for fewer than 2 rows."""
    deviations = _deviations(returns)
    freedom = np.where(deviations.rows > 1, deviations.rows - 1.0, np.nan)
    variance = np.sum(deviations.values**2, axis=0) / freedom
    return np.asarray(deviations.mean / (deviations.scale * np.sqrt(variance)))


def skewness(returns: npt.ArrayLike) -> Floats:
    """Biased skewness `m3 / m2^1.5` with central moments divided by n."""
    deviations = _deviations(returns)
    return np.asarray(_moment(deviations, 3) / _moment(deviations, 2) ** 1.5)


def kurtosis(returns: npt.ArrayLike) -> Floats:
    """Biased excess kurtosis `m4 / m2^2 - 3` with central moments divided by n."""
    deviations = _deviations(returns)
    return np.asarray(_moment(deviations, 4) / _moment(deviations, 2) ** 2 - 3.0)
