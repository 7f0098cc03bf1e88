"""Bars for the strategies of the library, and parameters that fit them."""

from datetime import timedelta

import numpy as np

from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.strategies import PairStrategy, make_strategy

ROWS = 560
SYMBOLS = ("ABC/USD", "ABC/USD:USD", "DEF", "GHI", "JKL", "MNO")
PAIR = SYMBOLS[:2]
START = np.datetime64("2022-01-03", "us")  # a Monday

# Parameters that decide something within the bars of `sample`; a strategy that is not here is
# checked with its defaults.
SMALL = {
    "basis": {"n": 40, "entry": 1.0},
    "betting_against_beta": {"lookback": 60},
    "calendar_seasonality": {"years": 1},
    "cross_sectional_momentum": {"lookback": 60, "skip": 5},
    "donchian_breakout": {"entry": 10, "leave": 5, "n": 10},
    "dual_momentum": {"lookback": 60, "top": 2},
    "funding_carry": {"lookback": 10},
    "high_52_week": {"lookback": 60},
    "hurst_switch": {"hurst": 64, "n": 10},
    "ichimoku_trend": {"conversion": 5, "base": 9, "span": 18},
    "kalman_pairs": {"entry": 0.5},
    "liquidation_reversion": {"n": 40, "multiple": 3.0, "hold": 3},
    "low_volatility": {"lookback": 60},
    "moving_average_cross": {"fast": 5, "slow": 20},
    "pairs_cointegration": {"formation": 60, "entry": 1.0},
    "regime_momentum": {"lookback": 60, "skip": 5, "market": 80},
    "regime_switch": {"trend": 30, "n": 10, "period": 10, "history": 60},
    "rsi2_reversion": {"trend": 40},
    "time_series_momentum": {"lookback": 60, "volatility": 20},
}
HOURLY = {"opening_range"}


def sample(name, *, holes=0.004, rows=ROWS):
    """Random bars that the strategy called `name` says something about."""
    bars = random_market(rows, hours=1 if name in HOURLY else 24, holes=holes)
    return bars.select(PAIR) if isinstance(small(name), PairStrategy) else bars


def small(name, **changes):
    """The strategy with short windows."""
    return make_strategy(name, {**SMALL.get(name, {}), **changes})


def random_market(rows=ROWS, *, hours=24, holes=0.0, seed=11):
    """Bars of six symbols, the first two of one path, with all extras that strategies read."""
    rng = np.random.default_rng(seed)
    shape = (rows, len(SYMBOLS))
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0003, 0.02, shape), axis=0))
    close[:, 1] = close[:, 0] * np.exp(rng.normal(0.0, 0.01, rows))
    opened = np.vstack([close[:1], close[:-1]]) * np.exp(rng.normal(0.0, 0.01, shape))
    spread = np.exp(np.abs(rng.normal(0.0, 0.01, (2, *shape))))
    fields = {
        "open": opened,
        "high": np.maximum(opened, close) * spread[0],
        "low": np.minimum(opened, close) / spread[1],
        "close": close,
        "volume": rng.lognormal(8.0, 0.5, shape),
    }
    extras = {
        "funding_rate": rng.normal(1e-4, 2e-4, shape),
        "liquidated_long": rng.exponential(1e5, shape) ** 2 / 1e5,
        "liquidated_short": rng.exponential(1e5, shape) ** 2 / 1e5,
    }
    gone = rng.random(shape) < holes
    for values in [*fields.values(), *extras.values()]:
        values[gone] = np.nan
    step = timedelta(hours=hours)
    ts = START + np.arange(rows) * np.timedelta64(step)
    return BarPanel.from_arrays(ts, SYMBOLS, step, extras=extras, **fields)
