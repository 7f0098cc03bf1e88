"""What the last rows say of each symbol, however many of them are known.

Row t of every result uses rows up to t alone. Unknown rows (NaN) are passed over: the statistic is
that of the known ones among the last n, NaN with fewer than two (a mean: than one). Nothing is
filled.
"""

import numpy as np

from quant_assets.quant.indicators.rolling import rolling_sum
from quant_assets.quant.market.bar_panel import Floats


def bar_returns(close: Floats) -> Floats:
    """Simple returns from row to row `(time, symbol)`; NaN in row 0 and beside a gap."""
    returns = np.full_like(close, np.nan)
    if len(close) > 1:
        np.divide(close[1:], close[:-1], out=returns[1:])
        returns[1:] -= 1.0
    return returns


def past_sum(values: Floats, n: int) -> Floats:
    """Sum of the known values among the last n rows, 0 without any."""
    padded = np.concatenate([np.zeros((n - 1, values.shape[1])), np.nan_to_num(values, nan=0.0)])
    return np.ascontiguousarray(rolling_sum(padded, n)[n - 1 :])


def past_count(values: Floats, n: int) -> Floats:
    """How many of the last n rows are known."""
    return past_sum((~np.isnan(values)).astype(np.float64), n)


def past_mean(values: Floats, n: int) -> Floats:
    """Mean of the known values among the last n rows."""
    count = past_count(values, n)
    return past_sum(values, n) / np.where(count > 0.0, count, np.nan)


def past_variance(returns: Floats, n: int) -> Floats:
    """Sample variance (ddof 1) of the known returns among the last n rows.

    By sums of squares, which is exact enough for returns: their mean is small beside their spread.
    What is below the rounding of those sums is 0.
    """
    count = past_count(returns, n)
    known = np.where(count > 1.0, count, np.nan)
    squares = past_sum(returns * returns, n)
    total = past_sum(returns, n)
    spread = squares - total * total / known
    noise = 64.0 * np.finfo(np.float64).eps * squares
    return np.where(spread > noise, spread, 0.0 * spread) / (known - 1.0)


def past_volatility(close: Floats, n: int) -> Floats:
    """Standard deviation (ddof 1) of the simple returns among the last n rows, per bar."""
    return np.sqrt(past_variance(bar_returns(close), n))


def before(values: Floats) -> Floats:
    """The row before: what was known when the bar opened; NaN in row 0."""
    earlier = np.full_like(values, np.nan)
    earlier[1:] = values[:-1]
    return earlier
