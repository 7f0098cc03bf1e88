"""Figures of the last `window` rows, at every row: causal, in the shape of `returns`.

`returns` are `(time,)` or `(time, strategy)`. NaN in warm-up (the first window - 1 rows) and where
a row of the window is NaN; a figure over 0 is NaN. Each window is as exact as if it were computed
on its own (see `rolling_kernel`), and later rows change no earlier value.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import DataError
from quant_assets.quant.analytics.series import (
    RESOLUTION,
    aligned,
    as_columns,
    risk_free_rows,
)
from quant_assets.quant.market.panel import Floats

__all__ = [
    "rolling_alpha",
    "rolling_beta",
    "rolling_correlation",
    "rolling_hit_rate",
    "rolling_information_ratio",
    "rolling_max_drawdown",
    "rolling_sharpe",
    "rolling_sortino",
    "rolling_total_return",
    "rolling_tracking_error",
    "rolling_volatility",
]

BLOCK_BYTES = 8 << 20
RECOVERED = -1e-12


class _Pairs:
    """Moments of x and b in each window, `(time, strategy)`; squares of a constant are NaN."""

    def __init__(self, fields: Floats, window: int) -> None:
        self.window = window
        self.mean, self.mean_b = fields[..., 0].T, fields[..., 1].T
        xx, bb, self.xb = fields[..., 2].T, fields[..., 3].T, fields[..., 4].T
        self.constant = fields[..., 5].T <= RESOLUTION
        self.xx = np.where(self.constant, np.nan, xx)
        self.bb = np.where(fields[..., 6].T <= RESOLUTION, np.nan, bb)

    @property
    def sharpe(self) -> Floats:
        """Mean over standard deviation (ddof 1) of x."""
        return self.mean / np.sqrt(self.xx / (self.window - 1))

    @property
    def deviation(self) -> Floats:
        """Standard deviation (ddof 1) of x; 0 for a constant."""
        flat = self.constant & ~np.isnan(self.mean)
        return np.where(flat, 0.0, np.sqrt(self.xx / (self.window - 1)))

    @property
    def quotient(self) -> Floats:
        """Mean of x over mean of b; NaN over 0."""
        return self.mean / np.where(self.mean_b != 0.0, self.mean_b, np.nan)


def _rolled(
    window: int,
    x: Floats,
    b: Floats,
    figure: Callable[[_Pairs], Floats],
    least: int = 2,
) -> Floats:
    """`figure` of each window of the columns of x and b, in blocks of strategies."""
    from quant_assets.quant.analytics.rolling_kernel import rolling_pairs

    _require_window(window, least)
    rolled = np.empty(x.shape)
    width = max(1, BLOCK_BYTES // (8 * 7 * max(1, len(x))))
    for first in range(0, x.shape[1], width):
        part = slice(first, first + width)
        rows, others = (np.array(columns[:, part].T, order="C") for columns in (x, b))
        fields = np.full((*rows.shape, 7), np.nan)
        rolling_pairs(rows, others, window, fields)
        rolled[:, part] = figure(_Pairs(fields, window))
    return rolled


def _require_window(window: int, least: int) -> None:
    if window < least:
        raise DataError(f"a rolling window needs {least} rows or more, found {window}")


def _paths(returns: npt.ArrayLike, window: int) -> tuple[Floats, Floats]:
    """Growth and deepest loss of each window."""
    from quant_assets.quant.analytics.rolling_kernel import rolling_paths

    _require_window(window, 1)
    columns = as_columns(returns)
    growth, loss = np.empty(columns.shape), np.empty(columns.shape)
    width = max(1, BLOCK_BYTES // (16 * max(1, len(columns))))
    for first in range(0, columns.shape[1], width):
        part = slice(first, first + width)
        rows = np.array(columns[:, part].T, order="C")
        fields = np.full((*rows.shape, 2), np.nan)
        rolling_paths(rows, window, fields)
        growth[:, part], loss[:, part] = fields[..., 0].T, fields[..., 1].T
    loss = np.where(loss > RECOVERED, 0.0, loss)
    return growth, np.where(np.isnan(growth), np.nan, loss)


def _shaped(returns: npt.ArrayLike, rolled: Floats) -> Floats:
    return rolled.reshape(np.shape(returns))


def rolling_total_return(returns: npt.ArrayLike, window: int) -> Floats:
    """Compounded return of the window, prod(1 + r) - 1."""
    return _shaped(returns, _paths(returns, window)[0])


def rolling_max_drawdown(returns: npt.ArrayLike, window: int) -> Floats:
    """`max_drawdown` of the window: its equity starts at 1."""
    return _shaped(returns, _paths(returns, window)[1])


def rolling_volatility(returns: npt.ArrayLike, window: int, periods_per_year: float) -> Floats:
    """`annual_volatility` of the window; 0 where it is constant."""
    columns = as_columns(returns)
    deviation = _rolled(window, columns, columns, lambda pairs: pairs.deviation)
    return _shaped(returns, deviation * np.sqrt(periods_per_year))


def rolling_sharpe(
    returns: npt.ArrayLike,
    window: int,
    periods_per_year: float,
    risk_free: npt.ArrayLike = 0.0,
) -> Floats:
    """`sharpe_ratio` of the window; NaN where it is constant."""
    columns = as_columns(returns)
    excess = columns - risk_free_rows(risk_free, len(columns), periods_per_year)
    sharpe = _rolled(window, excess, excess, lambda pairs: pairs.sharpe)
    return _shaped(returns, sharpe * np.sqrt(periods_per_year))


def rolling_sortino(
    returns: npt.ArrayLike, window: int, periods_per_year: float, mar: float = 0.0
) -> Floats:
    """`sortino_ratio` of the window; NaN without a shortfall."""
    above = as_columns(returns) - mar
    shortfall = np.minimum(above, 0.0) ** 2

    def sortino(pairs: _Pairs) -> Floats:
        return pairs.mean / np.sqrt(np.where(pairs.mean_b > 0.0, pairs.mean_b, np.nan))

    rolled = _rolled(window, above, shortfall, sortino, least=1)
    return _shaped(returns, rolled * np.sqrt(periods_per_year))


def rolling_hit_rate(returns: npt.ArrayLike, window: int) -> Floats:
    """`hit_rate` of the window: gains among the rows that are not 0."""
    columns = as_columns(returns)
    unknown = np.isnan(columns)
    gains = np.where(unknown, np.nan, columns > 0.0)
    moves = np.where(unknown, np.nan, columns != 0.0)

    def rate(pairs: _Pairs) -> Floats:  # means times rows are whole numbers up to rounding
        gained, moved = np.rint(pairs.mean * window), np.rint(pairs.mean_b * window)
        return gained / np.where(moved > 0.0, moved, np.nan)

    return _shaped(returns, _rolled(window, gains, moves, rate, least=1))


def _beside(
    returns: npt.ArrayLike,
    benchmark: npt.ArrayLike,
    free: Floats | float,
) -> tuple[Floats, Floats]:
    columns, market = aligned(returns, benchmark)
    return columns - free, np.broadcast_to(market - free, columns.shape)


def rolling_beta(
    returns: npt.ArrayLike,
    benchmark: npt.ArrayLike,
    window: int,
    periods_per_year: float,
    risk_free: npt.ArrayLike = 0.0,
) -> Floats:
    """Slope on the benchmark `(time,)` in the window; NaN where the benchmark is constant."""
    free = risk_free_rows(risk_free, len(np.asarray(returns)), periods_per_year)
    x, b = _beside(returns, benchmark, free)
    return _shaped(returns, _rolled(window, x, b, lambda pairs: pairs.xb / pairs.bb))


def rolling_alpha(
    returns: npt.ArrayLike,
    benchmark: npt.ArrayLike,
    window: int,
    periods_per_year: float,
    risk_free: npt.ArrayLike = 0.0,
) -> Floats:
    """Intercept beside the benchmark in the window, annualised geometrically."""
    free = risk_free_rows(risk_free, len(np.asarray(returns)), periods_per_year)
    x, b = _beside(returns, benchmark, free)

    def intercept(pairs: _Pairs) -> Floats:
        return pairs.mean - pairs.xb / pairs.bb * pairs.mean_b

    with np.errstate(over="ignore", invalid="ignore"):
        alpha = (1.0 + _rolled(window, x, b, intercept)) ** periods_per_year - 1.0
    return _shaped(returns, alpha)


def rolling_correlation(returns: npt.ArrayLike, benchmark: npt.ArrayLike, window: int) -> Floats:
    """Correlation with the benchmark `(time,)` in the window; NaN where either is constant."""
    x, b = _beside(returns, benchmark, 0.0)
    return _shaped(
        returns, _rolled(window, x, b, lambda pairs: pairs.xb / np.sqrt(pairs.xx * pairs.bb))
    )


def rolling_tracking_error(
    returns: npt.ArrayLike, benchmark: npt.ArrayLike, window: int, periods_per_year: float
) -> Floats:
    """Annual standard deviation (ddof 1) of r - benchmark in the window."""
    columns, market = aligned(returns, benchmark)
    active = _rolled(window, columns - market, columns - market, lambda pairs: pairs.deviation)
    return _shaped(returns, active * np.sqrt(periods_per_year))


def rolling_information_ratio(
    returns: npt.ArrayLike, benchmark: npt.ArrayLike, window: int, periods_per_year: float
) -> Floats:
    """`information_ratio` of the window; NaN where r - benchmark is constant."""
    columns, market = aligned(returns, benchmark)
    active = _rolled(window, columns - market, columns - market, lambda pairs: pairs.sharpe)
    return _shaped(returns, active * np.sqrt(periods_per_year))
