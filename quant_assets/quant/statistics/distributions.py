"""Tails and quantiles of the normal and Student's t distribution, elementwise, NaN in NaN out.

scipy.special is loaded on first use: it costs more than the rest of this package together.
"""

from typing import Literal

import numpy as np
import numpy.typing as npt

from quant_assets.quant.market.panel import Floats

Tail = Literal["t", "normal"]


def normal_cdf(z: npt.ArrayLike) -> Floats:
    """Probability that a standard normal variable is at most `z`."""
    from scipy.special import ndtr

    return np.asarray(ndtr(np.asarray(z, dtype=np.float64)))


def normal_quantile(probability: npt.ArrayLike) -> Floats:
    """Inverse of `normal_cdf`; -inf and inf at 0 and 1."""
    from scipy.special import ndtri

    return np.asarray(ndtri(np.asarray(probability, dtype=np.float64)))


def two_sided_p_value(t_value: npt.ArrayLike, freedom: npt.ArrayLike, tail: Tail) -> Floats:
    """Probability of a value at least as far from 0 as `t_value`.

    freedom : degrees of freedom of tail `t`, broadcast; not looked at for `normal`. NaN where it
    is not positive.
    """
    from scipy.special import ndtr, stdtr

    beyond = -np.abs(np.asarray(t_value, dtype=np.float64))
    if tail == "normal":
        return np.asarray(2.0 * ndtr(beyond))
    degrees = np.asarray(freedom, dtype=np.float64)
    usable = degrees > 0.0
    return np.asarray(np.where(usable, 2.0 * stdtr(np.where(usable, degrees, 1.0), beyond), np.nan))
