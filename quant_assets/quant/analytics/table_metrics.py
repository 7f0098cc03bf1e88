"""What the performance table holds: each figure's name, unit and formula over the sums.

A figure is NaN where its divisor is 0. `n` counts the known rows of the strategy, d is the loss
from the peak, sums run over its rows, `ppy` is the number of periods per year.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from quant_assets.quant.analytics.totals import OWN, TAILS, Totals, positive
from quant_assets.quant.market.panel import Floats

NORMAL_5 = -1.6448536269514729  # 5 % point of the normal distribution


@dataclass(frozen=True)
class Metric:
    """One column: `unit` is how its number reads, `needs` names the sums that it is made of."""

    name: str
    unit: str
    formula: str
    value: Callable[[Totals], Floats]
    needs: frozenset[str] = frozenset({OWN})


def quotient(numerator: Floats, denominator: Floats) -> Floats:
    """NaN over 0."""
    return numerator / np.where(denominator != 0.0, denominator, np.nan)


def growth_rate(log_growth: Floats, years: Floats) -> Floats:
    """Growth per year of a sum of log returns; -1 after a total loss."""
    grown: Floats = np.expm1(log_growth / positive(years))
    return grown


def _known(t: Totals, values: Floats) -> Floats:
    """NaN for a strategy without rows."""
    return np.where(t.own.n > 0.0, values, np.nan)


def _mean(t: Totals) -> Floats:
    return _known(t, t.own.mean)


def _cagr(t: Totals) -> Floats:
    return growth_rate(t.own.log_growth, t.own.n / t.periods_per_year)


def _downside(t: Totals) -> Floats:
    return np.sqrt(t.own.losses2 / positive(t.own.n))


def _ulcer(t: Totals) -> Floats:
    return np.sqrt(t.own.under_squares / positive(t.own.n))


def _hit_rate(t: Totals) -> Floats:
    return quotient(t.own.wins, t.own.wins + t.own.falls)


def _average_win(t: Totals) -> Floats:
    return quotient(t.own.gains, t.own.wins)


def _average_loss(t: Totals) -> Floats:
    return -quotient(t.own.losses, t.own.falls)


def _payoff(t: Totals) -> Floats:
    return quotient(_average_win(t), np.abs(_average_loss(t)))


def _sortino(t: Totals) -> Floats:
    return quotient(_mean(t), _downside(t)) * t.root


def _binary_kelly(t: Totals) -> Floats:
    rate = _hit_rate(t)
    return rate - quotient(1.0 - rate, _payoff(t))


def _jarque_bera(t: Totals) -> Floats:
    return t.own.n / 6.0 * (t.skewness**2 + t.kurtosis**2 / 4.0)


def _autocorrelation(t: Totals) -> Floats:
    return t.own.neighbours / np.where(t.deviation > 0.0, t.own.m2, np.nan)


def _gain_to_pain(t: Totals) -> Floats:
    return quotient(t.own.gains - t.own.losses, t.own.losses)


def _kappa_3(t: Totals) -> Floats:
    return quotient(_mean(t), np.cbrt(t.own.losses3 / positive(t.own.n)))


def _profit_factor(t: Totals) -> Floats:
    lossless = (t.own.gains > 0.0) & (t.own.losses == 0.0)
    return np.where(lossless, np.inf, quotient(t.own.gains, t.own.losses))


def _adjusted_sharpe(t: Totals) -> Floats:
    s = t.sharpe
    return s * (1.0 + t.skewness / 6.0 * s - t.kurtosis / 24.0 * s**2) * t.root


def _cornish_fisher(t: Totals) -> Floats:
    """Normal 5 % point corrected for skewness and kurtosis [Zangari 1996; Favre & Galeano 2002]."""
    z = NORMAL_5
    return (
        z
        + (z**2 - 1.0) * t.skewness / 6.0
        + (z**3 - 3.0 * z) * t.kurtosis / 24.0
        - (2.0 * z**3 - 5.0 * z) * t.skewness**2 / 36.0
    )


def _stability(t: Totals) -> Floats:
    moving = np.where(t.deviation > 0.0, t.own.trend_squares, np.nan)
    return t.own.trend_products**2 / (moving * positive(t.own.n * (t.own.n**2 - 1.0) / 12.0))


def _tail_ratio(t: Totals) -> Floats:
    return quotient(np.abs(t.tails.high5), np.abs(t.tails.low5))


def _tail(name: str, unit: str, formula: str, value: Callable[[Totals], Floats]) -> Metric:
    return Metric(name, unit, formula, value, frozenset({OWN, TAILS}))


GROWTH = [
    Metric("n_rows", "rows", "n", lambda t: t.own.n),
    Metric("n_missing", "rows", "NaN rows between the first and last known", lambda t: t.own.gaps),
    Metric("n_years", "years", "n / ppy", lambda t: t.own.n / t.periods_per_year),
    Metric("total_return", "fraction", "Π(1 + r) - 1", lambda t: np.expm1(t.own.log_growth)),
    Metric("cagr", "per year", "Π(1 + r)^(ppy / n) - 1", _cagr),
    Metric("annual_mean", "per year", "mean(r) × ppy", lambda t: _mean(t) * t.periods_per_year),
    Metric("mean_return", "per period", "mean(r)", _mean),
    Metric(
        "geometric_mean",
        "per period",
        "Π(1 + r)^(1 / n) - 1",
        lambda t: growth_rate(t.own.log_growth, t.own.n),
    ),
    Metric("best_return", "per period", "max(r)", lambda t: _known(t, t.own.high)),
    Metric("worst_return", "per period", "min(r)", lambda t: _known(t, t.own.low)),
    Metric("stability", "0 to 1", "R² of log equity on time", _stability),
]

RISK = [
    Metric(
        "annual_volatility", "per year", "std(r, ddof 1) × √ppy", lambda t: t.deviation * t.root
    ),
    Metric(
        "downside_deviation",
        "per year",
        "√mean(min(r, 0)²) × √ppy",
        lambda t: _downside(t) * t.root,
    ),
    Metric(
        "upside_deviation",
        "per year",
        "√mean(max(r, 0)²) × √ppy",
        lambda t: np.sqrt(t.own.gains2 / positive(t.own.n)) * t.root,
    ),
    Metric(
        "mean_absolute_deviation",
        "per period",
        "mean(abs(r - mean(r)))",
        lambda t: t.own.sizes / positive(t.own.n),
    ),
    Metric("skewness", "number", "m3 / m2^1.5", lambda t: t.skewness),
    Metric("kurtosis", "number", "m4 / m2² - 3", lambda t: t.kurtosis),
    Metric("jarque_bera", "χ² with 2", "n/6 (skewness² + kurtosis²/4)", _jarque_bera),
    Metric("autocorrelation", "-1 to 1", "Σ (r_t - m)(r_t-1 - m) / Σ (r - m)²", _autocorrelation),
    Metric(
        "parametric_value_at_risk",
        "per period",
        "mean + z₅ std(ddof 1)",
        lambda t: _mean(t) + NORMAL_5 * t.deviation,
    ),
    Metric(
        "modified_value_at_risk",
        "per period",
        "mean + z std(ddof 1), z by Cornish-Fisher",
        lambda t: _mean(t) + _cornish_fisher(t) * t.deviation,
    ),
]

RATIOS = [
    Metric(
        "sharpe_ratio",
        "per √year",
        "mean / std(ddof 1) of r - rf, × √ppy",
        lambda t: t.sharpe * t.root,
    ),
    Metric(
        "adjusted_sharpe_ratio",
        "per √year",
        "S (1 + skewness S/6 - kurtosis S²/24), × √ppy",
        _adjusted_sharpe,
    ),
    Metric("sortino_ratio", "per √year", "mean(r) / √mean(min(r, 0)²), × √ppy", _sortino),
    Metric(
        "calmar_ratio",
        "number",
        "cagr / abs(max_drawdown)",
        lambda t: quotient(_cagr(t), np.abs(t.own.deepest)),
    ),
    Metric(
        "omega_ratio",
        "number",
        "Σ gains / Σ losses; NaN without losses",
        lambda t: quotient(t.own.gains, t.own.losses),
    ),
    Metric("gain_to_pain_ratio", "number", "Σ r / Σ losses", _gain_to_pain),
    Metric("kappa_3_ratio", "number", "mean(r) / ∛mean(max(-r, 0)³)", _kappa_3),
    Metric(
        "upside_potential_ratio",
        "number",
        "mean(max(r, 0)) / √mean(min(r, 0)²)",
        lambda t: quotient(t.own.gains / positive(t.own.n), _downside(t)),
    ),
    Metric(
        "recovery_factor",
        "number",
        "total_return / abs(max_drawdown)",
        lambda t: quotient(np.expm1(t.own.log_growth), np.abs(t.own.deepest)),
    ),
    Metric(
        "ulcer_performance_index",
        "number",
        "cagr / ulcer_index",
        lambda t: quotient(_cagr(t), _ulcer(t)),
    ),
    Metric(
        "pain_ratio",
        "number",
        "cagr / pain_index",
        lambda t: quotient(_cagr(t), t.own.under_sum / positive(t.own.n)),
    ),
    Metric(
        "burke_ratio",
        "number",
        "cagr / √Σ depth² of all drawdowns",
        lambda t: quotient(_cagr(t), np.sqrt(t.own.episode_squares)),
    ),
    Metric(
        "kelly_continuous",
        "of equity",
        "mean(r - rf) / var(r, ddof 1)",
        lambda t: quotient(t.own.excess_mean, t.deviation**2),
    ),
]

DRAWDOWNS = [
    Metric("max_drawdown", "fraction", "min d", lambda t: _known(t, t.own.deepest)),
    Metric(
        "average_drawdown",
        "fraction",
        "mean depth of all drawdowns",
        lambda t: -quotient(t.own.episode_sum, t.own.episodes),
    ),
    Metric("pain_index", "fraction", "mean(abs(d))", lambda t: t.own.under_sum / positive(t.own.n)),
    Metric("ulcer_index", "fraction", "√mean(d²)", _ulcer),
    Metric("n_drawdowns", "number", "runs of rows under water", lambda t: t.own.episodes),
    Metric("drawdown_duration", "rows", "longest run under water", lambda t: t.own.longest),
    Metric(
        "average_drawdown_duration",
        "rows",
        "mean run under water",
        lambda t: quotient(t.own.under_rows, t.own.episodes),
    ),
    Metric(
        "time_under_water",
        "share",
        "share of rows with d < 0",
        lambda t: t.own.under_rows / positive(t.own.n),
    ),
    Metric("current_drawdown", "fraction", "d of the last row", lambda t: _known(t, t.own.current)),
    Metric(
        "current_drawdown_duration",
        "rows",
        "run under water that ends with the last row",
        lambda t: t.own.current_rows,
    ),
]

WINS = [
    Metric("hit_rate", "share", "gains / rows that are not 0", _hit_rate),
    Metric(
        "exposure",
        "share",
        "share of rows that are not 0",
        lambda t: (t.own.wins + t.own.falls) / positive(t.own.n),
    ),
    Metric("average_win", "per period", "mean of the gains", _average_win),
    Metric("average_loss", "per period", "mean of the losses, negative", _average_loss),
    Metric("payoff_ratio", "number", "average_win / abs(average_loss)", _payoff),
    Metric("profit_factor", "number", "Σ gains / Σ losses; ∞ without losses", _profit_factor),
    Metric("longest_winning_run", "rows", "gains in a row", lambda t: t.own.most_wins),
    Metric("longest_losing_run", "rows", "losses in a row", lambda t: t.own.most_falls),
    Metric("kelly_binary", "of equity", "p - (1 - p) / payoff_ratio", _binary_kelly),
    Metric(
        "cpc_index",
        "number",
        "profit_factor × hit_rate × payoff_ratio",
        lambda t: _profit_factor(t) * _hit_rate(t) * _payoff(t),
    ),
]

PERCENTILES = [
    _tail("median_return", "per period", "median(r)", lambda t: t.tails.median),
    _tail(
        "interquartile_range",
        "per period",
        "q75 - q25",
        lambda t: t.tails.three_quarters - t.tails.quarter,
    ),
    _tail("value_at_risk", "per period", "q5", lambda t: t.tails.low5),
    _tail("value_at_risk_1", "per period", "q1", lambda t: t.tails.low1),
    _tail("conditional_value_at_risk", "per period", "mean of r ≤ q5", lambda t: t.tails.mean_low5),
    _tail(
        "conditional_value_at_risk_1", "per period", "mean of r ≤ q1", lambda t: t.tails.mean_low1
    ),
    _tail("tail_ratio", "number", "abs(q95) / abs(q5)", _tail_ratio),
    _tail(
        "rachev_ratio",
        "number",
        "mean of r ≥ q95 / abs(mean of r ≤ q5)",
        lambda t: quotient(t.tails.mean_high5, np.abs(t.tails.mean_low5)),
    ),
    _tail(
        "common_sense_ratio",
        "number",
        "profit_factor × tail_ratio",
        lambda t: _profit_factor(t) * _tail_ratio(t),
    ),
    _tail(
        "outlier_win_ratio",
        "number",
        "q99 / average_win",
        lambda t: quotient(t.tails.high1, _average_win(t)),
    ),
    _tail(
        "outlier_loss_ratio",
        "number",
        "q1 / average_loss",
        lambda t: quotient(t.tails.low1, _average_loss(t)),
    ),
]

OWN_METRICS = [
    *GROWTH,
    *RISK,
    *RATIOS,
    *DRAWDOWNS,
    *WINS,
    *PERCENTILES,
]
