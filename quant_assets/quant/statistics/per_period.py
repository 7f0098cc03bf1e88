"""Per-period Sharpe ratio, skewness and kurtosis: the kernels that inference builds on.

Input is simple returns of shape (time,) or (time, strategy); the result has shape () or
(strategy,). NaN rows are left out, column by column. NaN where the statistic is undefined: too
few rows, or a column that is constant up to rounding. Nothing is annualised.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from quant_assets.quant.market.panel import Floats

__all__ = ["kurtosis", "sharpe", "skewness"]


class _Deviations(NamedTuple):
    """Series centred and scaled to a largest deviation of 1; `scale` undoes it.

    `values` are `(time,)` or `(strategy, time)`, C-ordered: sums run along the series as they lie
    in memory, so that a series has the same figure to the bit alone and beside others.
    """

    values: Floats
    mean: Floats
    scale: Floats
    rows: Floats


def _deviations(returns: npt.ArrayLike) -> _Deviations:
    array = np.array(np.asarray(returns, dtype=np.float64).T, order="C")
    present = ~np.isnan(array)
    count = np.asarray(present.sum(axis=-1), dtype=np.float64)
    filled = np.where(present, array, 0.0)
    mean = np.asarray(filled.sum(axis=-1) / np.maximum(count, 1.0))
    centred = np.where(present, array - mean[..., None], 0.0)
    largest = np.abs(centred).max(axis=-1, initial=0.0)
    # Judged by the range, not by deviations: the mean of a constant is itself rounded.
    highest = np.where(present, array, -np.inf).max(axis=-1, initial=-np.inf)
    lowest = np.where(present, array, np.inf).min(axis=-1, initial=np.inf)
    rounding = np.finfo(np.float64).eps * np.abs(filled).max(axis=-1, initial=0.0)
    scale = np.where((count > 0) & (highest - lowest > rounding), largest, np.nan)
    return _Deviations(centred / scale[..., None], mean, scale, count)


def _moment(deviations: _Deviations, power: int) -> Floats:
    values = deviations.values
    squares = values * values
    powers = {2: squares, 3: squares * values, 4: squares * squares}[power]
    total = powers.sum(axis=-1)
    return np.asarray(total / np.where(deviations.rows > 0, deviations.rows, np.nan))


def sharpe(returns: npt.ArrayLike) -> Floats:
    """Mean over standard deviation (ddof 1), per period; NaN for fewer than 2 rows."""
    deviations = _deviations(returns)
    freedom = np.where(deviations.rows > 1, deviations.rows - 1.0, np.nan)
    variance = np.sum(deviations.values * deviations.values, axis=-1) / freedom
    return np.asarray(deviations.mean / (deviations.scale * np.sqrt(variance)))


def skewness(returns: npt.ArrayLike) -> Floats:
    """Biased skewness `m3 / m2^1.5` with central moments divided by n."""
    deviations = _deviations(returns)
    return np.asarray(_moment(deviations, 3) / _moment(deviations, 2) ** 1.5)


def kurtosis(returns: npt.ArrayLike) -> Floats:
    """Biased excess kurtosis `m4 / m2^2 - 3` with central moments divided by n."""
    deviations = _deviations(returns)
    return np.asarray(_moment(deviations, 4) / _moment(deviations, 2) ** 2 - 3.0)
