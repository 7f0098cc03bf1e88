"""Figures beside a benchmark, over the rows where both are known: formulas over the sums.

x and b are the strategy's and the benchmark's returns in excess of the risk-free one; r and m the
plain ones.
"""

import numpy as np

from quant_assets.quant.analytics.series import RESOLUTION
from quant_assets.quant.analytics.table_metrics import Metric, growth_rate, quotient
from quant_assets.quant.analytics.totals import BENCHMARK, OWN, Totals, positive
from quant_assets.quant.market.panel import Floats


def _free(t: Totals) -> Floats:
    """Sum of squares of the benchmark, NaN when it is constant: nothing to regress on."""
    return np.where(t.pairs.spread_b > RESOLUTION, t.pairs.bb, np.nan)


def _beta(t: Totals) -> Floats:
    return t.pairs.xb / _free(t)


def _intercept(t: Totals) -> Floats:
    return t.pairs.mean - _beta(t) * t.pairs.mean_b


def _alpha(t: Totals) -> Floats:
    grown: Floats = (1.0 + _intercept(t)) ** t.periods_per_year - 1.0
    return grown


def _residual_variance(t: Totals) -> Floats:
    """With ddof 2; exactly 0 when the line leaves nothing but rounding."""
    left = np.where(t.pairs.spread_left > RESOLUTION, t.pairs.left2, 0.0)
    return np.where(t.pairs.spread_b > RESOLUTION, left, np.nan) / positive(t.pairs.n - 2.0)


def _alpha_t(t: Totals) -> Floats:
    spread = 1.0 / positive(t.pairs.n) + t.pairs.mean_b**2 / _free(t)
    return quotient(_intercept(t), np.sqrt(_residual_variance(t) * spread))


def _correlation(t: Totals) -> Floats:
    own = np.where(t.pairs.spread > RESOLUTION, t.pairs.xx, np.nan)
    return t.pairs.xb / np.sqrt(own * _free(t))


def _active_mean(t: Totals) -> Floats:
    return np.where(t.pairs.n > 0.0, t.pairs.mean - t.pairs.mean_b, np.nan)


def _active_deviation(t: Totals) -> Floats:
    moving = t.pairs.spread_active > RESOLUTION
    return np.sqrt(np.where(moving, t.pairs.active2, 0.0) / positive(t.pairs.n - 1.0))


def _excess_cagr(t: Totals) -> Floats:
    years = t.pairs.n / t.periods_per_year
    return growth_rate(t.pairs.log_x, years) - growth_rate(t.pairs.log_b, years)


def _capture(t: Totals, rows: Floats, own: Floats, market: Floats) -> Floats:
    years = rows / t.periods_per_year
    return quotient(growth_rate(own, years), growth_rate(market, years))


def _up(t: Totals) -> Floats:
    return _capture(t, t.pairs.up_rows, t.pairs.up_x, t.pairs.up_b)


def _down(t: Totals) -> Floats:
    return _capture(t, t.pairs.down_rows, t.pairs.down_x, t.pairs.down_b)


def _modigliani_excess(t: Totals) -> Floats:
    own = np.where(t.pairs.spread > RESOLUTION, t.pairs.xx, np.nan)
    scaled = t.pairs.mean * np.sqrt(t.pairs.bb / own) - t.pairs.mean_b
    return scaled * t.periods_per_year


def _modigliani(t: Totals) -> Floats:
    """Over all rows of the strategy for the risk-free rate, over common rows for the rest."""
    free = t.own.mean - t.own.excess_mean
    return _modigliani_excess(t) + (t.pairs.mean_b + free) * t.periods_per_year


_NEEDS = frozenset({OWN, BENCHMARK})

RELATIVE_METRICS = [
    Metric("beta", "number", "cov(x, b) / var(b)", _beta, _NEEDS),
    Metric("alpha", "per year", "(1 + mean(x) - beta × mean(b))^ppy - 1", _alpha, _NEEDS),
    Metric(
        "jensen_alpha",
        "per year",
        "(mean(x) - beta × mean(b)) × ppy",
        lambda t: _intercept(t) * t.periods_per_year,
        _NEEDS,
    ),
    Metric("alpha_t_value", "number", "least-squares t-value of the intercept", _alpha_t, _NEEDS),
    Metric("correlation", "-1 to 1", "cov(x, b) / √(var(x) var(b))", _correlation, _NEEDS),
    Metric("r_squared", "0 to 1", "correlation²", lambda t: _correlation(t) ** 2, _NEEDS),
    Metric(
        "residual_volatility",
        "per year",
        "√(Σ residual² / (n - 2)) × √ppy",
        lambda t: np.sqrt(_residual_variance(t)) * t.root,
        _NEEDS,
    ),
    Metric(
        "appraisal_ratio",
        "per √year",
        "jensen_alpha / residual_volatility",
        lambda t: quotient(_intercept(t), np.sqrt(_residual_variance(t))) * t.root,
        _NEEDS,
    ),
    Metric(
        "active_return",
        "per year",
        "mean(r - m) × ppy",
        lambda t: _active_mean(t) * t.periods_per_year,
        _NEEDS,
    ),
    Metric(
        "tracking_error",
        "per year",
        "std(r - m, ddof 1) × √ppy",
        lambda t: _active_deviation(t) * t.root,
        _NEEDS,
    ),
    Metric(
        "information_ratio",
        "per √year",
        "active_return / tracking_error",
        lambda t: quotient(_active_mean(t), _active_deviation(t)) * t.root,
        _NEEDS,
    ),
    Metric("excess_cagr", "per year", "cagr(r) - cagr(m)", _excess_cagr, _NEEDS),
    Metric(
        "treynor_ratio",
        "per year",
        "mean(x) × ppy / beta",
        lambda t: quotient(t.pairs.mean, _beta(t)) * t.periods_per_year,
        _NEEDS,
    ),
    Metric(
        "modigliani",
        "per year",
        "(mean(x) × std(b) / std(x) + mean(rf)) × ppy",
        _modigliani,
        _NEEDS,
    ),
    Metric(
        "modigliani_excess",
        "per year",
        "(mean(x) × std(b) / std(x) - mean(b)) × ppy",
        _modigliani_excess,
        _NEEDS,
    ),
    Metric("up_capture", "number", "growth a year of r over that of m where m > 0", _up, _NEEDS),
    Metric(
        "down_capture", "number", "growth a year of r over that of m where m < 0", _down, _NEEDS
    ),
    Metric(
        "capture_ratio",
        "number",
        "up_capture / down_capture",
        lambda t: quotient(_up(t), _down(t)),
        _NEEDS,
    ),
    Metric(
        "batting_average",
        "share",
        "share of rows with r > m",
        lambda t: t.pairs.better / positive(t.pairs.n),
        _NEEDS,
    ),
]
