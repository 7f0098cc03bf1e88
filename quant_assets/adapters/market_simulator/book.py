"""Order-book snapshots of a simulated perpetual: spreads that widen, and depth that thins out."""

from dataclasses import dataclass

import numpy as np

from quant_assets.adapters.market_simulator.candles import (
    PRICE_DIGITS,
    VOLUME_DIGITS,
    decimals_for,
    ticks,
)
from quant_assets.adapters.market_simulator.market import Instrument, SimulatedMarket
from quant_assets.adapters.market_simulator.noise import generator
from quant_assets.adapters.market_simulator.settings import OrderBookSettings
from quant_assets.quant.market.bars import Instants
from quant_assets.quant.market.panel import Floats

SPREAD = 1e-4  # of the price, in a typical bar
SPREAD_NOISE, DEPTH_NOISE = 0.3, 0.4  # deviations of the logarithms
LEVEL_STEP = 0.5  # distance of the levels, in spreads
DEPTH_SHARE, DEPTH_GROWTH = 2e-5, 0.5  # of the daily turnover, at the best level; per level


@dataclass(frozen=True, eq=False)
class Book:
    """Snapshots of one perpetual: `ts` (snapshot,), prices and quantities (snapshot, level)."""

    ts: Instants
    bid_price: Floats
    bid_quantity: Floats
    ask_price: Floats
    ask_quantity: Floats


def order_book(
    simulated: SimulatedMarket, instrument: Instrument, settings: OrderBookSettings
) -> Book:
    """Snapshots every `settings.every(…)`, a multiple of the bar's length, while it is listed.

    The middle is the open of the bar that begins then. Spread and distance of the levels grow with
    the bar's volatility, the quantities shrink with it: a planted burst shows in the book.
    """
    clock, n_levels = simulated.clock, settings.levels
    rows = np.arange(0, clock.n_bars, settings.every(clock.bar_length) // clock.bar_length)
    rng = generator(simulated.seed, instrument.symbol, "order book")
    noise = rng.standard_normal((len(rows), 1 + 2 * n_levels))
    listed = (rows >= instrument.begin) & (rows < instrument.end)
    rows, noise = rows[listed], noise[listed]
    asset = instrument.asset
    decimals = decimals_for(asset.first_price, PRICE_DIGITS)
    tick = 10.0**-decimals
    stress = instrument.sigma[rows] / instrument.typical_sigma(clock)
    middle = instrument.candles.open[rows] / tick
    wide = SPREAD * middle * stress * np.exp(SPREAD_NOISE * noise[:, 0])
    spread = np.maximum(np.round(wide), 1.0)
    step = np.maximum(np.round(LEVEL_STEP * wide), 1.0)
    level = np.arange(n_levels)
    best_bid = np.floor(middle - spread / 2.0)[:, None]
    bid = ticks((best_bid - np.outer(step, level)) * tick, decimals)
    ask = ticks((best_bid + spread[:, None] + np.outer(step, level)) * tick, decimals)
    typical = DEPTH_SHARE * asset.daily_quote_volume
    depth = typical * np.outer(1.0 / stress, 1.0 + DEPTH_GROWTH * level)
    digits = decimals_for(typical / asset.first_price, VOLUME_DIGITS)
    bid_noise, ask_noise = (
        np.exp(DEPTH_NOISE * noise[:, 1:]).reshape(-1, 2, n_levels).swapaxes(0, 1)
    )
    return Book(
        ts=clock.ts[rows],
        bid_price=bid,
        bid_quantity=ticks(depth * bid_noise / bid, digits),
        ask_price=ask,
        ask_quantity=ticks(depth * ask_noise / ask, digits),
    )
