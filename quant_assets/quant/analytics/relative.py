"""Figures beside a benchmark, one function each; `performance_table` has them all at once.

`returns` are `(time,)` or `(time, strategy)`, `benchmark` is `(time,)`; rows where either is NaN
are left out. `risk_free` is a yearly rate or one return per row. A figure over 0 is NaN, as beside
a constant benchmark. `alpha`, `beta` and `information_ratio` are in `metrics`.
"""

import numpy as np
import numpy.typing as npt

from quant_assets.quant.analytics.series import Figure, as_figure
from quant_assets.quant.analytics.table import performance_table

__all__ = [
    "active_return",
    "batting_average",
    "capture_ratio",
    "correlation",
    "down_capture",
    "excess_cagr",
    "jensen_alpha",
    "modigliani",
    "r_squared",
    "tracking_error",
    "treynor_ratio",
    "up_capture",
]


def _figure(
    name: str,
    returns: npt.ArrayLike,
    benchmark: npt.ArrayLike,
    periods_per_year: float = 1.0,
    risk_free: npt.ArrayLike = 0.0,
) -> Figure:
    values = np.asarray(returns, dtype=np.float64)
    table = performance_table(
        values,
        periods_per_year=periods_per_year,
        risk_free=risk_free,
        benchmark=benchmark,
        metrics=[name],
    )
    return as_figure(values, table[name].to_numpy())


def jensen_alpha(
    returns: npt.ArrayLike,
    benchmark: npt.ArrayLike,
    periods_per_year: float,
    risk_free: npt.ArrayLike = 0.0,
) -> Figure:
    """Intercept per period × ppy: what the model of Jensen (1968) leaves of the mean return."""
    return _figure("jensen_alpha", returns, benchmark, periods_per_year, risk_free)


def treynor_ratio(
    returns: npt.ArrayLike,
    benchmark: npt.ArrayLike,
    periods_per_year: float,
    risk_free: npt.ArrayLike = 0.0,
) -> Figure:
    """Annual mean excess return over beta [Treynor 1965]."""
    return _figure("treynor_ratio", returns, benchmark, periods_per_year, risk_free)


def modigliani(
    returns: npt.ArrayLike,
    benchmark: npt.ArrayLike,
    periods_per_year: float,
    risk_free: npt.ArrayLike = 0.0,
) -> Figure:
    """M²: annual mean return at the benchmark's volatility [Modigliani & Modigliani 1997].

    (mean excess × benchmark's over own standard deviation + mean risk-free return) × ppy.
    """
    return _figure("modigliani", returns, benchmark, periods_per_year, risk_free)


def correlation(returns: npt.ArrayLike, benchmark: npt.ArrayLike) -> Figure:
    """Correlation of the returns with the benchmark's."""
    return _figure("correlation", returns, benchmark)


def r_squared(returns: npt.ArrayLike, benchmark: npt.ArrayLike) -> Figure:
    """Share of the variance that the benchmark explains."""
    return _figure("r_squared", returns, benchmark)


def active_return(
    returns: npt.ArrayLike, benchmark: npt.ArrayLike, periods_per_year: float
) -> Figure:
    """Mean of r - benchmark, times ppy; over `tracking_error` it is the information ratio."""
    return _figure("active_return", returns, benchmark, periods_per_year)


def excess_cagr(
    returns: npt.ArrayLike, benchmark: npt.ArrayLike, periods_per_year: float
) -> Figure:
    """`cagr` less that of the benchmark on the same rows."""
    return _figure("excess_cagr", returns, benchmark, periods_per_year)


def tracking_error(
    returns: npt.ArrayLike, benchmark: npt.ArrayLike, periods_per_year: float
) -> Figure:
    """Standard deviation (ddof 1) of r - benchmark, times sqrt(ppy)."""
    return _figure("tracking_error", returns, benchmark, periods_per_year)


def up_capture(returns: npt.ArrayLike, benchmark: npt.ArrayLike, periods_per_year: float) -> Figure:
    """`cagr` of the rows where the benchmark rises, over the benchmark's in these rows."""
    return _figure("up_capture", returns, benchmark, periods_per_year)


def down_capture(
    returns: npt.ArrayLike, benchmark: npt.ArrayLike, periods_per_year: float
) -> Figure:
    """`cagr` of the rows where the benchmark falls, over the benchmark's in these rows."""
    return _figure("down_capture", returns, benchmark, periods_per_year)


def capture_ratio(
    returns: npt.ArrayLike, benchmark: npt.ArrayLike, periods_per_year: float
) -> Figure:
    """`up_capture` over `down_capture`."""
    return _figure("capture_ratio", returns, benchmark, periods_per_year)


def batting_average(returns: npt.ArrayLike, benchmark: npt.ArrayLike) -> Figure:
    """Share of the rows in which the strategy beats the benchmark."""
    return _figure("batting_average", returns, benchmark)
