"""Each feature against its formula, written down once more for one window of one symbol.

The twins see plain slices of the last rows and use scipy and statsmodels where these have the
number; they share nothing with the features' trailing sums.
"""

from dataclasses import dataclass

import numpy as np
import pytest

from quant_assets.core.registry import discover
from quant_assets.quant.features.base import Feature
from quant_assets.quant.features.stage import FEATURES_PACKAGE
from quant_assets_tests.plugin_checks.test_features import make_inputs, random_prices

MONTH, SYMBOL = 4, 2


@dataclass
class Past:
    """Everything up to one row; `last(name, n)` are the latest n values of one symbol."""

    inputs: object
    row: int

    def last(self, name, n, *, skip=0):
        values = getattr(self.inputs, name)
        values = values if values.ndim == 1 else values[:, SYMBOL]
        end = self.row + 1 - skip
        return values[end - n : end]

    def close(self, months):
        return self.inputs.close[self.row - months * MONTH, SYMBOL]


def ols(past, n, *, skip=0):
    import statsmodels.api as sm

    design = sm.add_constant(past.last("market", n, skip=skip))
    return sm.OLS(past.last("returns", n, skip=skip), design).fit()


def residual_momentum(past):
    fit = ols(past, 11 * MONTH, skip=MONTH)
    return fit.params[0] * np.sqrt(fit.nobs / fit.scale)


def idiosyncratic_volatility(past):
    return np.sqrt(ols(past, 3 * MONTH).scale * 252)


def coskewness(past):
    residual, market = ols(past, 12 * MONTH).resid, past.last("market", 12 * MONTH)
    market = market - market.mean()
    return np.mean(residual * market**2) / (np.sqrt(np.mean(residual**2)) * np.mean(market**2))


def downside_beta(past):
    market, own = past.last("market", 12 * MONTH), past.last("returns", 12 * MONTH)
    return np.polyfit(market[market < 0], own[market < 0], 1)[0]


def information_discreteness(past):
    returns = past.last("returns", 11 * MONTH, skip=MONTH)
    sign = np.sign(past.close(1) / past.close(12) - 1)
    return sign * ((returns < 0).mean() - (returns > 0).mean())


def skewness(past):
    from scipy import stats

    return stats.skew(past.last("returns", 3 * MONTH))


def kurtosis(past):
    from scipy import stats

    return stats.kurtosis(past.last("returns", 6 * MONTH))


def signed_jump(past):
    returns = past.last("returns", MONTH)
    good, bad = (np.sum(returns[returns * sign > 0] ** 2) for sign in (1, -1))
    return (good - bad) / (good + bad)


def autocorrelation(past):
    returns = past.last("returns", 3 * MONTH)
    return np.corrcoef(returns[1:], returns[:-1])[0, 1]


def variance_ratio(past):
    logs = np.log1p(past.last("returns", 6 * MONTH))
    n, q, mean = len(logs), 5, logs.mean()
    longer = np.array([logs[i : i + q].sum() for i in range(n - q + 1)])
    m = q * (n - q + 1) * (1 - q / n)
    return (np.sum((longer - q * mean) ** 2) / m) / logs.var(ddof=1)


def corwin_schultz(past):
    high, low = (past.last(name, MONTH + 1) for name in ("high", "low"))
    spreads = []
    for day in range(1, MONTH + 1):
        beta = sum(np.log(high[d] / low[d]) ** 2 for d in (day - 1, day))
        gamma = np.log(max(high[day - 1 : day + 1]) / min(low[day - 1 : day + 1])) ** 2
        k = 3 - 2 * np.sqrt(2)
        alpha = (np.sqrt(2 * beta) - np.sqrt(beta)) / k - np.sqrt(gamma / k)
        spreads.append(max(2 * (np.exp(alpha) - 1) / (1 + np.exp(alpha)), 0.0))
    return np.mean(spreads)


def roll_spread(past):
    returns = past.last("returns", 3 * MONTH)
    return 2 * np.sqrt(max(-np.cov(returns[1:], returns[:-1])[0, 1], 0.0))


def amihud(past):
    traded = past.last("close", 3 * MONTH) * past.last("volume", 3 * MONTH)
    return 1e6 * np.mean(np.abs(past.last("returns", 3 * MONTH)) / traded)


def time_series_momentum(past):
    from scipy import stats

    return stats.ttest_1samp(np.log1p(past.last("returns", 12 * MONTH)), 0.0).statistic


def liquidation_imbalance(past):
    longs, shorts = (past.last(f"liquidated_{s}", MONTH).sum() for s in ("longs", "shorts"))
    return (longs - shorts) / (longs + shorts)


def overnight_return(past):
    return np.log(past.last("open", MONTH) / past.last("close", MONTH, skip=1)).sum()


def volume_volatility(past):
    volume = past.last("volume", 12 * MONTH + 1)
    return volume.std(ddof=1) / volume.mean()


FORMULAS = {
    "amihud": amihud,
    "autocorrelation": autocorrelation,
    "basis": lambda p: np.mean(p.last("close", 5) / p.last("spot_close", 5) - 1),
    "corwin_schultz": corwin_schultz,
    "coskewness": coskewness,
    "dollar_volume": lambda p: np.log(np.mean(p.last("close", 13) * p.last("volume", 13))),
    "downside_beta": downside_beta,
    "funding_carry": lambda p: -12 * p.last("funding_rate", MONTH).sum(),
    "idiosyncratic_volatility": idiosyncratic_volatility,
    "information_discreteness": information_discreteness,
    "intermediate_momentum": lambda p: p.close(6) / p.close(12) - 1,
    "intraday_return": lambda p: np.log(p.last("close", 5) / p.last("open", 5)).sum(),
    "kurtosis": kurtosis,
    "liquidation_imbalance": liquidation_imbalance,
    "max_return": lambda p: max(p.last("returns", MONTH)),
    "momentum_6_1": lambda p: p.close(1) / p.close(6) - 1,
    "moving_average_distance": lambda p: (
        p.last("close", MONTH).mean() / p.last("close", 10 * MONTH + 1).mean() - 1
    ),
    "open_interest_change": lambda p: np.log(
        p.last("open_interest", 1)[0] / p.last("open_interest", MONTH + 1)[0]
    ),
    "overnight_return": overnight_return,
    "range_volatility": lambda p: np.sqrt(
        np.mean(np.log(p.last("high", 5) / p.last("low", 5)) ** 2) / (4 * np.log(2)) * 252
    ),
    "residual_momentum": residual_momentum,
    "roll_spread": roll_spread,
    "seasonality": lambda p: p.close(11) / p.close(12) - 1,
    "signed_jump": signed_jump,
    "skewness": skewness,
    "time_series_momentum": time_series_momentum,
    "variance_ratio": variance_ratio,
    "volatility_change": lambda p: np.log(
        p.last("returns", MONTH).std(ddof=1) / p.last("returns", 6 * MONTH).std(ddof=1)
    ),
    "volume_shock": lambda p: np.log(
        p.last("volume", MONTH).mean() / p.last("volume", 12 * MONTH + 1).mean()
    ),
    "volume_volatility": volume_volatility,
}


@pytest.mark.parametrize("name", FORMULAS)
def test_feature_equals_its_formula(name):
    inputs = make_inputs(random_prices(seed=11))
    values = discover(FEATURES_PACKAGE, Feature)[name]().compute(inputs)
    rows = (12 * MONTH, 12 * MONTH + 7, len(values) - 1)
    expected = [FORMULAS[name](Past(inputs, row)) for row in rows]
    np.testing.assert_allclose(values[list(rows), SYMBOL], expected, rtol=1e-9, atol=1e-13)
