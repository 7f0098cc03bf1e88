"""What the holders of a simulated perpetual do: open interest, and forced orders after shocks."""

import math
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt

from quant_assets.adapters.market_simulator.candles import (
    PRICE_DIGITS,
    VOLUME_DIGITS,
    decimals_for,
    ticks,
)
from quant_assets.adapters.market_simulator.clock import DAYS_PER_YEAR
from quant_assets.adapters.market_simulator.market import Instrument, SimulatedMarket
from quant_assets.adapters.market_simulator.noise import (
    decay_of,
    generator,
    recursion,
    wandering,
)
from quant_assets.quant.market.bars import Instants
from quant_assets.quant.market.panel import Floats

SNAPSHOT_INTERVAL = timedelta(minutes=5)
OPEN_INTEREST_DAYS = 0.25  # typical open interest, in days of turnover
WANDER_HALF_LIFE, WANDER_DEVIATION = timedelta(days=5), 0.15
PURGE, LARGEST_PURGE, REFILL_HALF_LIFE = 0.10, 0.5, timedelta(days=2)  # per typical daily move
QUIET_PER_DAY, LOUDEST = 40.0, 30.0  # forced orders of a calm day; factor of a volatile bar
CASCADE, CASCADE_HALF_LIFE = 60.0, timedelta(minutes=15)  # per 5 minutes and typical daily move
MEDIAN_SHARE, SIZE_DEVIATION = 1e-6, 1.2  # notional of a forced order, of the daily turnover
STEEPEST = 30.0


@dataclass(frozen=True, eq=False)
class OpenInterestPath:
    """Snapshots of one perpetual, (snapshot,): in base units, and its value in the quote."""

    ts: Instants
    quantity: Floats
    value: Floats


@dataclass(frozen=True, eq=False)
class ForcedOrders:
    """Forced orders of one perpetual, (event,), in time order; `number` counts within the bar."""

    ts: Instants
    number: npt.NDArray[np.intp]
    is_sell: npt.NDArray[np.bool_]
    price: Floats
    quantity: Floats


def jumps_in_days(simulated: SimulatedMarket, instrument: Instrument) -> Floats:
    """Planted jumps of an instrument, own and the market's, in its typical daily moves, (time,)."""
    jumps = instrument.market_beta * simulated.market.jumps + instrument.factor.jumps
    typical_day = instrument.typical_volatility / math.sqrt(DAYS_PER_YEAR)
    return np.asarray(jumps / typical_day)


def open_interest_path(simulated: SimulatedMarket, instrument: Instrument) -> OpenInterestPath:
    """Snapshots every 5 minutes (every bar, where bars are longer) while the perpetual is listed.

    Open interest wanders around a quarter of the daily turnover, loses a part at every planted jump
    and refills within days. A snapshot is taken as a bar opens and holds what was before that bar.
    """
    clock, asset = simulated.clock, instrument.asset
    noise = wandering(
        generator(simulated.seed, instrument.symbol, "open interest"),
        clock.n_bars,
        half_life=clock.bars_of(WANDER_HALF_LIFE),
        deviation=WANDER_DEVIATION,
    )
    purges = np.minimum(PURGE * np.abs(jumps_in_days(simulated, instrument)), LARGEST_PURGE)
    drained = recursion(purges, decay_of(clock.bars_of(REFILL_HALF_LIFE)))
    size = np.exp(noise - np.concatenate([[0.0], drained[:-1]]))
    typical = OPEN_INTEREST_DAYS * asset.daily_quote_volume / asset.first_price
    rows = np.arange(0, clock.n_bars, max(1, -(-SNAPSHOT_INTERVAL // clock.bar_length)))
    rows = rows[(rows >= instrument.begin) & (rows < instrument.end)]
    quantity = ticks(typical * size[rows], decimals_for(typical, VOLUME_DIGITS))
    value = np.round(quantity * instrument.candles.open[rows], 2)
    return OpenInterestPath(clock.ts[rows], quantity, value)


def forced_orders(simulated: SimulatedMarket, instrument: Instrument) -> ForcedOrders:
    """Draw forced orders at exact milliseconds, most of them in cascades after planted shocks.

    Their number in a bar is Poisson: rare on calm days, growing with the square of volatility (so
    more in bursts), and a cascade from each planted jump on that halves every quarter of an hour.
    Falling prices force sales of longs, rising ones purchases by shorts; prices lie in the bar.
    """
    clock, candles = simulated.clock, instrument.candles
    rng = {
        name: generator(simulated.seed, instrument.symbol, f"liquidation {name}")
        for name in ("counts", "times", "sides", "prices", "sizes")
    }
    decay = decay_of(clock.bars_of(CASCADE_HALF_LIFE))
    loud = np.minimum((instrument.sigma / instrument.typical_sigma(clock)) ** 2, LOUDEST)
    shocked = recursion(np.abs(jumps_in_days(simulated, instrument)), decay)
    per_bar = clock.bar_length / SNAPSHOT_INTERVAL
    counts = rng["counts"].poisson(
        QUIET_PER_DAY / clock.bars_per_day * loud + CASCADE * per_bar * shocked
    )
    bars = np.repeat(np.arange(clock.n_bars), counts)
    number = np.arange(len(bars)) - np.repeat(np.cumsum(counts) - counts, counts)
    length = clock.bar_length // timedelta(milliseconds=1)
    offset = np.floor(rng["times"].random(len(bars)) * length).astype("timedelta64[ms]")
    push = recursion(np.log(candles.close / candles.open), decay) / instrument.typical_sigma(clock)
    selling = 1.0 / (1.0 + np.exp(np.clip(push, -STEEPEST, STEEPEST)))
    low, high = candles.low[bars], candles.high[bars]
    price = low + rng["prices"].random(len(bars)) * (high - low)
    price = ticks(price, decimals_for(instrument.asset.first_price, PRICE_DIGITS))
    median = MEDIAN_SHARE * instrument.asset.daily_quote_volume
    notional = median * np.exp(SIZE_DEVIATION * rng["sizes"].standard_normal(len(bars)))
    digits = decimals_for(median / instrument.asset.first_price, VOLUME_DIGITS)
    found = ForcedOrders(
        ts=clock.ts[bars] + offset,
        number=number,
        is_sell=rng["sides"].random(len(bars)) < selling[bars],
        price=price,
        quantity=ticks(notional / price, digits),
    )
    return _listed(found, bars, instrument)


def _listed(
    orders: ForcedOrders, bars: npt.NDArray[np.intp], instrument: Instrument
) -> ForcedOrders:
    """The orders while the instrument was listed, in time order."""
    kept = np.flatnonzero((bars >= instrument.begin) & (bars < instrument.end))
    kept = kept[np.argsort(orders.ts[kept], kind="stable")]
    return ForcedOrders(
        orders.ts[kept], orders.number[kept], orders.is_sell[kept], orders.price[kept],
        orders.quantity[kept],
    )  # fmt: skip
