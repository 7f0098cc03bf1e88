"""From log closes to bars: opens, highs, lows and volumes that belong together."""

import math
from dataclasses import dataclass

import numpy as np

from quant_assets.adapters.market_simulator.noise import generator
from quant_assets.quant.market.panel import Floats

OPENING_NOISE = 0.02
VOLUME_NOISE = 0.5
PRICE_DIGITS, VOLUME_DIGITS = 6, 5


@dataclass(frozen=True, eq=False)
class Candles:
    """Arrays (time,): prices > 0 on the tick, low <= open, close <= high, base volume > 0."""

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats


def ticks(values: Floats, decimals: int) -> Floats:
    """Round to `decimals` decimal places, and to one step at least."""
    return np.maximum(np.round(values, decimals), 10.0**-decimals)


def decimals_for(value: float, digits: int) -> int:
    """Find how many decimal places show `value` with `digits` significant digits; at least 0."""
    return max(0, digits - 1 - math.floor(math.log10(value)))


def make_candles(
    seed: int,
    symbol: str,
    *,
    log_close: Floats,
    log_start: float,
    sigma: Floats,
    quote_volume: Floats,
) -> Candles:
    """Make bars around a path of log closes, each array (time,).

    `log_start` is the log price before the first bar, `sigma` the deviation of each bar's return,
    `quote_volume` the typical turnover of each bar. Highs and lows are drawn from the exact
    distribution of a Brownian bridge's maximum: `(o + c + sqrt((c - o)^2 - 2 sigma^2 ln u)) / 2`.
    """
    size = len(log_close)
    before = np.concatenate([[log_start], log_close[:-1]])
    log_open = before + OPENING_NOISE * sigma * generator(seed, symbol, "opens").standard_normal(
        size
    )
    move, middle, variance = log_close - log_open, log_open + log_close, sigma**2
    up, down = (
        np.sqrt(move**2 - 2.0 * variance * np.log1p(-generator(seed, symbol, name).random(size)))
        for name in ("highs", "lows")
    )
    decimals = decimals_for(math.exp(log_start), PRICE_DIGITS)
    opens, closes = ticks(np.exp(log_open), decimals), ticks(np.exp(log_close), decimals)
    highs = ticks(np.exp((middle + up) / 2.0), decimals)
    lows = ticks(np.exp((middle - down) / 2.0), decimals)
    noise = generator(seed, symbol, "volume").standard_normal(size)
    surprise = np.abs(move) / sigma
    traded = quote_volume * np.exp(VOLUME_NOISE * noise) * (0.5 + 0.5 * surprise) / closes
    typical = float(quote_volume[0]) / math.exp(log_start)
    return Candles(
        open=opens,
        high=np.maximum(highs, np.maximum(opens, closes)),
        low=np.minimum(lows, np.minimum(opens, closes)),
        close=closes,
        volume=ticks(traded, decimals_for(typical, VOLUME_DIGITS)),
    )
