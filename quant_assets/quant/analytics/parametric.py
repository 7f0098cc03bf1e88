"""Value at risk of a fitted distribution instead of the observed percentile.

`returns` are `(time,)` or `(time, strategy)`; NaN rows are left out. A loss is negative. `level` is
the probability of the tail. NaN below two rows.
"""

from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import DataError
from quant_assets.quant.analytics.metrics import annual_volatility, kurtosis, skewness
from quant_assets.quant.analytics.series import Figure, as_columns, as_figure
from quant_assets.quant.market.panel import Floats

__all__ = [
    "modified_value_at_risk",
    "parametric_conditional_value_at_risk",
    "parametric_value_at_risk",
]


def parametric_value_at_risk(returns: npt.ArrayLike, level: float = 0.05) -> Figure:
    """`level` point of the normal distribution with the sample's mean and deviation (ddof 1)."""
    mean, deviation = _moments(returns)
    return as_figure(returns, mean + _point(level) * deviation)


def parametric_conditional_value_at_risk(returns: npt.ArrayLike, level: float = 0.05) -> Figure:
    """Mean of that normal distribution below its `level` point: mean - deviation φ(z) / level."""
    mean, deviation = _moments(returns)
    density = NormalDist().pdf(_point(level))
    return as_figure(returns, mean - deviation * density / level)


def modified_value_at_risk(returns: npt.ArrayLike, level: float = 0.05) -> Figure:
    """`parametric_value_at_risk` at the point of Cornish & Fisher (1938), for skewed fat tails.

    z + (z² - 1) s/6 + (z³ - 3z) k/24 - (2z³ - 5z) s²/36, s and k biased, k excess [Favre & Galeano
    2002]. NaN for a constant series. Not monotone in `level` for strong skewness or kurtosis.
    """
    mean, deviation = _moments(returns)
    columns = as_columns(returns)
    s, k = np.asarray(skewness(columns)), np.asarray(kurtosis(columns))
    z = _point(level)
    point = z + (z**2 - 1) * s / 6 + (z**3 - 3 * z) * k / 24 - (2 * z**3 - 5 * z) * s**2 / 36
    return as_figure(returns, mean + point * deviation)


def _point(level: float) -> float:
    if not 0.0 < level < 1.0:
        raise DataError(f"level is the probability of the tail, between 0 and 1; found {level}")
    return NormalDist().inv_cdf(level)


def _moments(returns: npt.ArrayLike) -> tuple[Floats, Floats]:
    columns = as_columns(returns)
    present = ~np.isnan(columns)
    count = present.sum(axis=0)
    mean = np.where(present, columns, 0.0).sum(axis=0) / np.where(count > 0, count, np.nan)
    return mean, np.asarray(annual_volatility(columns, 1.0))
