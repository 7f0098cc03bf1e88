"""Every figure of the performance table in plain numpy and scipy, one series at a time.

Written from the definitions, with equity curves and pandas groups instead of sums: nothing is
shared with the library. `plain_figures` of returns without NaN.
"""

import numpy as np
import pandas as pd
from scipy import stats

Z5 = stats.norm.ppf(0.05)


def runs_of(flags):
    """Lengths of the runs of True."""
    text = "".join("1" if flag else "0" for flag in flags)
    return [len(part) for part in text.split("0") if part]


def wealth_of(returns):
    return np.concatenate([[1.0], np.cumprod(1.0 + returns)])


def growth(returns, ppy):
    return np.prod(1.0 + returns) ** (ppy / len(returns)) - 1.0


def of_growth(r, ppy):
    wealth = wealth_of(r)
    line = stats.linregress(np.arange(len(r)), np.log(wealth[1:]))
    return {
        "n_rows": len(r),
        "n_missing": 0,
        "n_years": len(r) / ppy,
        "total_return": wealth[-1] - 1,
        "cagr": growth(r, ppy),
        "annual_mean": r.mean() * ppy,
        "mean_return": r.mean(),
        "geometric_mean": stats.gmean(1 + r) - 1,
        "best_return": r.max(),
        "worst_return": r.min(),
        "stability": line.rvalue**2,
    }


def of_risk(r, ppy):
    sd, skew, kurt = r.std(ddof=1), stats.skew(r), stats.kurtosis(r)
    z = Z5 + (Z5**2 - 1) * skew / 6 + (Z5**3 - 3 * Z5) * kurt / 24
    z -= (2 * Z5**3 - 5 * Z5) * skew**2 / 36
    return {
        "annual_volatility": sd * np.sqrt(ppy),
        "downside_deviation": np.sqrt(np.mean(np.clip(r, None, 0) ** 2) * ppy),
        "upside_deviation": np.sqrt(np.mean(np.clip(r, 0, None) ** 2) * ppy),
        "mean_absolute_deviation": np.mean(np.abs(r - r.mean())),
        "skewness": skew,
        "kurtosis": kurt,
        "jarque_bera": stats.jarque_bera(r).statistic,
        "autocorrelation": np.sum((r[1:] - r.mean()) * (r[:-1] - r.mean())) / r.var() / len(r),
        "parametric_value_at_risk": stats.norm.ppf(0.05, r.mean(), sd),
        "modified_value_at_risk": r.mean() + z * sd,
    }


def of_ratios(r, ppy, rf):
    excess = r - rf
    wealth = wealth_of(r)
    under = (wealth / np.maximum.accumulate(wealth) - 1)[1:]
    under = np.where(under > -1e-12, 0.0, under)
    sharpe = excess.mean() / excess.std(ddof=1)
    shape = 1 + stats.skew(r) / 6 * sharpe - stats.kurtosis(r) / 24 * sharpe**2
    downside = np.sqrt(np.mean(np.minimum(r, 0) ** 2))
    gains, losses = r[r > 0].sum(), -r[r < 0].sum()
    return {
        "sharpe_ratio": sharpe * np.sqrt(ppy),
        "adjusted_sharpe_ratio": sharpe * shape * np.sqrt(ppy),
        "sortino_ratio": r.mean() / downside * np.sqrt(ppy),
        "calmar_ratio": growth(r, ppy) / -under.min(),
        "omega_ratio": gains / losses,
        "gain_to_pain_ratio": r.sum() / losses,
        "kappa_3_ratio": r.mean() / np.mean(np.maximum(-r, 0) ** 3) ** (1 / 3),
        "upside_potential_ratio": np.maximum(r, 0).mean() / downside,
        "recovery_factor": (wealth[-1] - 1) / -under.min(),
        "ulcer_performance_index": growth(r, ppy) / np.sqrt(np.mean(under**2)),
        "pain_ratio": growth(r, ppy) / -under.mean(),
        "burke_ratio": growth(r, ppy) / np.sqrt(np.sum(depths_of(under) ** 2)),
        "kelly_continuous": excess.mean() / r.var(ddof=1),
        **of_drawdowns(under),
    }


def depths_of(under):
    """Deepest value of each run below 0."""
    labels = np.cumsum(np.r_[True, (under[1:] < 0) != (under[:-1] < 0)])
    return np.array([under[labels == k].min() for k in np.unique(labels[under < 0])])


def of_drawdowns(under):
    runs = runs_of(under < 0)
    open_run = runs[-1] if under[-1] < 0 else 0
    return {
        "max_drawdown": under.min(),
        "average_drawdown": depths_of(under).mean(),
        "pain_index": -under.mean(),
        "ulcer_index": np.sqrt(np.mean(under**2)),
        "n_drawdowns": len(runs),
        "drawdown_duration": max(runs),
        "average_drawdown_duration": np.mean(runs),
        "time_under_water": np.mean(under < 0),
        "current_drawdown": under[-1],
        "current_drawdown_duration": open_run,
    }


def of_wins(r):
    wins, losses = r[r > 0], r[r < 0]
    rate = len(wins) / (len(wins) + len(losses))
    payoff = wins.mean() / -losses.mean()
    factor = wins.sum() / -losses.sum()
    return {
        "hit_rate": rate,
        "exposure": np.mean(r != 0),
        "average_win": wins.mean(),
        "average_loss": losses.mean(),
        "payoff_ratio": payoff,
        "profit_factor": factor,
        "longest_winning_run": max(runs_of(r > 0)),
        "longest_losing_run": max(runs_of(r < 0)),
        "kelly_binary": rate - (1 - rate) / payoff,
        "cpc_index": factor * rate * payoff,
    }


def of_percentiles(r):
    q = {level: np.percentile(r, level) for level in (1, 5, 25, 50, 75, 95, 99)}
    factor = r[r > 0].sum() / -r[r < 0].sum()
    return {
        "median_return": np.median(r),
        "interquartile_range": stats.iqr(r),
        "value_at_risk": q[5],
        "value_at_risk_1": q[1],
        "conditional_value_at_risk": r[r <= q[5]].mean(),
        "conditional_value_at_risk_1": r[r <= q[1]].mean(),
        "tail_ratio": abs(q[95]) / abs(q[5]),
        "rachev_ratio": r[r >= q[95]].mean() / -r[r <= q[5]].mean(),
        "common_sense_ratio": factor * abs(q[95]) / abs(q[5]),
        "outlier_win_ratio": q[99] / r[r > 0].mean(),
        "outlier_loss_ratio": q[1] / r[r < 0].mean(),
    }


def of_calendar(r, ts):
    series = pd.Series(r, ts)
    found = {}
    for noun, rule in (("month", "MS"), ("year", "YS")):
        spans = series.groupby(pd.Grouper(freq=rule)).apply(lambda part: (1 + part).prod() - 1)
        found |= {
            f"best_{noun}": spans.max(),
            f"worst_{noun}": spans.min(),
            f"average_{noun}": spans.mean(),
            f"positive_{noun}s": (spans > 1e-12).mean(),
        }
    return found


def of_benchmark(r, m, ppy, rf):
    x, b = r - rf, m - rf
    line = stats.linregress(b, x)
    active = r - m
    left = x - line.intercept - line.slope * b
    residual = np.sqrt(left @ left / (len(x) - 2))
    up, down = m > 0, m < 0
    captures = [growth(r[side], ppy) / growth(m[side], ppy) for side in (up, down)]
    return {
        "beta": line.slope,
        "alpha": (1 + line.intercept) ** ppy - 1,
        "jensen_alpha": line.intercept * ppy,
        "alpha_t_value": line.intercept / line.intercept_stderr,
        "correlation": stats.pearsonr(x, b).statistic,
        "r_squared": line.rvalue**2,
        "residual_volatility": residual * np.sqrt(ppy),
        "appraisal_ratio": line.intercept / residual * np.sqrt(ppy),
        "active_return": active.mean() * ppy,
        "tracking_error": active.std(ddof=1) * np.sqrt(ppy),
        "information_ratio": active.mean() / active.std(ddof=1) * np.sqrt(ppy),
        "excess_cagr": growth(r, ppy) - growth(m, ppy),
        "treynor_ratio": x.mean() * ppy / line.slope,
        "modigliani": (x.mean() * b.std() / x.std() + np.mean(rf)) * ppy,
        "modigliani_excess": (x.mean() * b.std() / x.std() - b.mean()) * ppy,
        "up_capture": captures[0],
        "down_capture": captures[1],
        "capture_ratio": captures[0] / captures[1],
        "batting_average": np.mean(active > 0),
    }


def plain_figures(r, ppy, *, rf, market, ts):
    """All figures of one complete series; `rf` per period, a number or one per row."""
    return {
        **of_growth(r, ppy),
        **of_risk(r, ppy),
        **of_ratios(r, ppy, rf),
        **of_wins(r),
        **of_percentiles(r),
        **of_calendar(r, ts),
        **of_benchmark(r, market, ppy, rf),
    }
