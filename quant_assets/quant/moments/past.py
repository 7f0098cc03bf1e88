"""What the last rows say of each column, however many of them are known.

Row t of every result uses rows up to t alone. Unknown rows (NaN) are passed over: the statistic is
that of the known ones among the last n. Nothing is filled.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from quant_assets.core.lazy import Deferred
from quant_assets.quant.market.memory import Memory

Floats = npt.NDArray[np.float64]
_kernel = Deferred("quant_assets.quant.moments.past_kernel")


class PastMoments(NamedTuple):
    """`(time, column)`: how many of the last n rows are known, their mean and variance (ddof 1).

    The mean is NaN without a known row, the variance with fewer than two. The variance is taken by
    sums of squares, which is exact enough where the mean is small beside the spread, as in returns.
    """

    known: Floats
    mean: Floats
    variance: Floats


def past_moments(values: Floats, n: int) -> PastMoments:
    """Moments of the last `n` rows of `values` `(time, column)`."""
    found = PastMoments(*(np.empty(values.shape) for _ in PastMoments._fields))
    _kernel.past_moments(np.ascontiguousarray(values), n, *found)
    return found


def past_memory(n: int) -> Memory:
    """Rows before its own that a row of `past_moments` depends on: its sums begin every n rows."""
    return Memory(2 * n, n)


def bar_returns(close: Floats) -> Floats:
    """Simple returns from row to row `(time, symbol)`; NaN in row 0 and beside a gap."""
    returns = np.full_like(close, np.nan)
    if len(close) > 1:
        np.divide(close[1:], close[:-1], out=returns[1:])
        returns[1:] -= 1.0
    return returns


def before(values: Floats) -> Floats:
    """The row before: what was known when the bar opened; NaN in row 0."""
    earlier = np.full_like(values, np.nan)
    earlier[1:] = values[:-1]
    return earlier


def warm_up() -> None:
    """Compile the kernel."""
    past_moments(np.ones((3, 2)), 2)
