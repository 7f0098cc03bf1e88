"""Performance figures of simple returns, as CONVENTIONS.md defines them.

`returns` are `(time,)` or `(time, strategy)`, one row per period; the figure is a float or
`(strategy,)`. `periods_per_year` is explicit. NaN rows are left out, column by column (as in
`quant.statistics.per_period`). A quotient over 0 is NaN, unless the docstring says otherwise.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.quant.analytics.annualisation import check_annualisation
from quant_assets.quant.analytics.drawdown import (
    drawdown_duration,
    drawdown_table,
    max_drawdown,
    underwater,
)
from quant_assets.quant.analytics.holdings import turnover
from quant_assets.quant.analytics.series import (
    Figure,
    aligned,
    as_columns,
    as_figure,
    one_series,
    per_strategy,
    ratio,
    risk_free_rows,
    sharpe_of,
    steady,
)
from quant_assets.quant.market.panel import Floats
from quant_assets.quant.statistics.per_period import kurtosis as kurtosis_of
from quant_assets.quant.statistics.per_period import skewness as skewness_of

__all__ = [
    "AlphaBeta",
    "alpha",
    "alpha_beta",
    "annual_returns",
    "annual_volatility",
    "beta",
    "cagr",
    "calmar_ratio",
    "check_annualisation",
    "conditional_value_at_risk",
    "drawdown_duration",
    "drawdown_table",
    "hit_rate",
    "information_ratio",
    "kurtosis",
    "max_drawdown",
    "monthly_returns",
    "omega_ratio",
    "profit_factor",
    "sharpe_ratio",
    "skewness",
    "sortino_ratio",
    "tail_ratio",
    "total_return",
    "turnover",
    "underwater",
    "value_at_risk",
]


class AlphaBeta(NamedTuple):
    """Regression on the benchmark; `alpha` per year, `beta` a pure number."""

    alpha: Figure
    beta: Figure


def total_return(returns: npt.ArrayLike) -> Figure:
    """Compound all rows: prod(1 + r) - 1; 0 without rows."""
    return per_strategy(returns, lambda series: float(np.prod(1.0 + series)) - 1.0)


def cagr(returns: npt.ArrayLike, periods_per_year: float) -> Figure:
    """Growth per year, prod(1 + r)^(ppy / n_rows) - 1; -1 after a total loss, NaN without rows."""

    def growth(series: Floats) -> float:
        if len(series) == 0:
            return float("nan")
        if series.min() <= -1.0:
            return -1.0
        with np.errstate(over="ignore"):
            return float(np.expm1(np.log1p(series).sum() * (periods_per_year / len(series))))

    return per_strategy(returns, growth)


def annual_volatility(returns: npt.ArrayLike, periods_per_year: float) -> Figure:
    """Annualise the standard deviation (ddof 1) by sqrt(ppy); NaN below two rows."""
    return per_strategy(returns, lambda series: _deviation(series) * np.sqrt(periods_per_year))


def _deviation(series: Floats) -> float:
    """Sample standard deviation; exactly 0 for a series that is constant up to rounding."""
    if len(series) < 2:
        return float("nan")
    return 0.0 if steady(series[:, None])[0] else float(series.std(ddof=1))


def sharpe_ratio(
    returns: npt.ArrayLike, periods_per_year: float, risk_free: npt.ArrayLike = 0.0
) -> Figure:
    """Mean over standard deviation (ddof 1) of the excess returns, times sqrt(ppy).

    `risk_free` is a yearly rate (converted geometrically) or one simple return per row. NaN when
    the excess returns are constant.
    """
    columns = as_columns(returns)
    excess = columns - risk_free_rows(risk_free, len(columns), periods_per_year)
    return as_figure(returns, sharpe_of(excess) * np.sqrt(periods_per_year))


def sortino_ratio(returns: npt.ArrayLike, periods_per_year: float, mar: float = 0.0) -> Figure:
    """Mean of r - mar over sqrt(mean(min(r - mar, 0)^2)) of all rows, times sqrt(ppy).

    `mar` is the minimum acceptable return per period. NaN without a shortfall.
    """

    def sortino(series: Floats) -> float:
        if len(series) == 0:
            return float("nan")
        shortfall = float(np.sqrt((np.minimum(series - mar, 0.0) ** 2).mean()))
        return ratio(float((series - mar).mean()), shortfall) * float(np.sqrt(periods_per_year))

    return per_strategy(returns, sortino)


def calmar_ratio(returns: npt.ArrayLike, periods_per_year: float) -> Figure:
    """`cagr` over the absolute `max_drawdown`; NaN without a drawdown."""

    def calmar(series: Floats) -> float:
        drawdown = float(max_drawdown(series))
        return ratio(float(cagr(series, periods_per_year)), abs(drawdown))

    return per_strategy(returns, calmar)


def _gains_and_losses(series: Floats) -> tuple[float, float]:
    return float(np.maximum(series, 0.0).sum()), float(-np.minimum(series, 0.0).sum())


def omega_ratio(returns: npt.ArrayLike, threshold: float = 0.0) -> Figure:
    """Sum of gains over sum of losses, both against `threshold` per period; NaN without losses."""
    return per_strategy(returns, lambda series: ratio(*_gains_and_losses(series - threshold)))


def profit_factor(returns: npt.ArrayLike) -> Figure:
    """Sum of gains over sum of losses; infinite without losses, NaN without either."""

    def factor(series: Floats) -> float:
        gains, losses = _gains_and_losses(series)
        return float("inf") if gains > 0.0 and losses == 0.0 else ratio(gains, losses)

    return per_strategy(returns, factor)


def hit_rate(returns: npt.ArrayLike) -> Figure:
    """Share of gains among the rows that are not 0; NaN without such rows."""
    return per_strategy(
        returns, lambda series: ratio(float((series > 0.0).sum()), float((series != 0.0).sum()))
    )


def _percentile(series: Floats, level: float) -> float:
    return float(np.percentile(series, 100.0 * level)) if len(series) else float("nan")


def tail_ratio(returns: npt.ArrayLike) -> Figure:
    """Absolute 95th over absolute 5th percentile (linear interpolation)."""
    return per_strategy(
        returns,
        lambda series: ratio(abs(_percentile(series, 0.95)), abs(_percentile(series, 0.05))),
    )


def value_at_risk(returns: npt.ArrayLike, level: float = 0.05) -> Figure:
    """Percentile `level` of the returns, linearly interpolated, signed (a loss is negative)."""
    return per_strategy(returns, lambda series: _percentile(series, level))


def conditional_value_at_risk(returns: npt.ArrayLike, level: float = 0.05) -> Figure:
    """Mean of the returns at or below `value_at_risk`."""

    def tail_mean(series: Floats) -> float:
        tail = series[series <= _percentile(series, level)]
        return ratio(float(tail.sum()), float(len(tail)))

    return per_strategy(returns, tail_mean)


def skewness(returns: npt.ArrayLike) -> Figure:
    """Biased skewness m3 / m2^1.5; NaN for a constant series."""
    columns = as_columns(returns)
    return as_figure(returns, np.where(steady(columns), np.nan, skewness_of(columns)))


def kurtosis(returns: npt.ArrayLike) -> Figure:
    """Biased excess kurtosis m4 / m2^2 - 3; NaN for a constant series."""
    columns = as_columns(returns)
    return as_figure(returns, np.where(steady(columns), np.nan, kurtosis_of(columns)))


def alpha_beta(
    returns: npt.ArrayLike,
    benchmark: npt.ArrayLike,
    periods_per_year: float,
    risk_free: npt.ArrayLike = 0.0,
) -> AlphaBeta:
    """Least squares of excess returns on the benchmark's excess returns `(time,)`.

    The intercept per period is annualised geometrically: (1 + a)^ppy - 1. Rows where either is NaN
    are left out; both are NaN when the benchmark is constant.
    """
    columns, market = aligned(returns, benchmark)
    free = risk_free_rows(risk_free, len(columns), periods_per_year)
    lines = [_line((market - free)[:, 0], column) for column in (columns - free).T]
    intercepts, slopes = np.array(lines, dtype=np.float64).reshape(-1, 2).T
    with np.errstate(over="ignore", invalid="ignore"):
        growth = (1.0 + intercepts) ** periods_per_year - 1.0
    return AlphaBeta(as_figure(returns, growth), as_figure(returns, slopes))


def alpha(
    returns: npt.ArrayLike,
    benchmark: npt.ArrayLike,
    periods_per_year: float,
    risk_free: npt.ArrayLike = 0.0,
) -> Figure:
    """`alpha_beta(…).alpha`: the intercept, annualised geometrically."""
    return alpha_beta(returns, benchmark, periods_per_year, risk_free).alpha


def beta(
    returns: npt.ArrayLike,
    benchmark: npt.ArrayLike,
    periods_per_year: float,
    risk_free: npt.ArrayLike = 0.0,
) -> Figure:
    """`alpha_beta(…).beta`: the slope."""
    return alpha_beta(returns, benchmark, periods_per_year, risk_free).beta


def _line(x: Floats, y: Floats) -> tuple[float, float]:
    """Least-squares intercept and slope over the rows where both are known."""
    both = ~np.isnan(x) & ~np.isnan(y)
    x, y = x[both], y[both]
    if len(x) < 2 or steady(x[:, None])[0]:
        return float("nan"), float("nan")
    centred = x - x.mean()
    slope = float(centred @ (y - y.mean()) / (centred @ centred))
    return float(y.mean()) - slope * float(x.mean()), slope


def information_ratio(
    returns: npt.ArrayLike, benchmark: npt.ArrayLike, periods_per_year: float
) -> Figure:
    """Mean over standard deviation (ddof 1) of r - benchmark `(time,)`, times sqrt(ppy)."""
    columns, other = aligned(returns, benchmark)
    return as_figure(returns, sharpe_of(columns - other) * np.sqrt(periods_per_year))


def monthly_returns(returns: npt.ArrayLike, ts: pd.DatetimeIndex) -> pd.DataFrame:
    """Compound one series per UTC month: index `year`, columns 1 to 12, NaN without rows."""
    values = one_series(returns, len(ts))
    present = ~np.isnan(values)
    values, ts = values[present], ts[present]
    years, months = ts.year.to_numpy(), ts.month.to_numpy()
    index = pd.RangeIndex(years.min(), years.max() + 1) if len(ts) else pd.RangeIndex(0)
    table = np.full((len(index), 12), np.nan)
    for year, month in sorted(set(zip(years.tolist(), months.tolist(), strict=True))):
        rows = (years == year) & (months == month)
        table[year - index.start, month - 1] = np.prod(1.0 + values[rows]) - 1.0
    return pd.DataFrame(table, index=index.rename("year"), columns=range(1, 13))


def annual_returns(returns: npt.ArrayLike, ts: pd.DatetimeIndex) -> pd.Series:
    """Compound one series per UTC year: index `year`, NaN for a year without rows."""
    months = monthly_returns(returns, ts)
    growth = (1.0 + months).prod(axis=1, min_count=1) - 1.0
    return growth.rename("annual_return")
