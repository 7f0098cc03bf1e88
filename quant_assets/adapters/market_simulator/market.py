"""The whole simulated market: spot and perpetual candles, premiums, settlements, planted shocks."""

import math
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd

from quant_assets.adapters.market_simulator.candles import Candles, make_candles
from quant_assets.adapters.market_simulator.clock import Clock
from quant_assets.adapters.market_simulator.factors import (
    Factor,
    FactorParameters,
    simulate_factor,
)
from quant_assets.adapters.market_simulator.noise import (
    decay_of,
    generator,
    recursion,
    wandering,
)
from quant_assets.adapters.market_simulator.settings import Asset, SimulatorSettings
from quant_assets.quant.market.bars import Instants, to_column
from quant_assets.quant.market.panel import Floats

VERSION = 2
MARKET = "market"
SETTLEMENT_INTERVAL = timedelta(hours=8)
INTEREST, DAMPER, LARGEST_RATE = 0.0001, 0.0005, 0.0075
PREMIUM_MEAN, PREMIUM_DEVIATION, LARGEST_PREMIUM = 0.0001, 0.0003, 0.02
PREMIUM_HALF_LIFE = timedelta(hours=4)
CROWDING, CROWDING_HALF_LIFE = 0.02, timedelta(days=1)


@dataclass(frozen=True, eq=False)
class Instrument:
    """One symbol: candles on the whole clock, of which the rows [begin, end) are listed.

    `sigma` is the deviation of each bar's return, (time,), `typical_volatility` the annual one
    without shocks. `premium` is the perpetual's log price over spot, (time,); None for spot.
    """

    symbol: str
    candles: Candles
    begin: int
    end: int
    factor: Factor
    market_beta: float
    asset: Asset
    sigma: Floats
    typical_volatility: float
    premium: Floats | None = None

    def typical_sigma(self, clock: Clock) -> float:
        """Deviation of the return of a typical bar."""
        return self.typical_volatility * math.sqrt(clock.bar_years)


@dataclass(frozen=True, eq=False)
class SimulatedMarket:
    """Instruments sorted by symbol, and the common factor."""

    seed: int
    clock: Clock
    market: Factor
    instruments: tuple[Instrument, ...]


def simulate_market(settings: SimulatorSettings, clock: Clock) -> SimulatedMarket:
    """Generate all instruments. Each one's rows depend on the seed, itself and the market alone."""
    shocks = settings.shocks
    market = simulate_factor(
        settings.seed,
        MARKET,
        clock,
        FactorParameters(
            annual_volatility=settings.market_volatility,
            annual_drift=settings.market_drift,
            jumps_per_month=shocks.market_jumps_per_month,
            shocks=shocks,
        ),
    )
    instruments = [
        instrument
        for asset in settings.assets
        for instrument in _instruments(settings, clock, market, asset)
    ]
    return SimulatedMarket(
        settings.seed, clock, market, tuple(sorted(instruments, key=lambda i: i.symbol))
    )


def _instruments(
    settings: SimulatorSettings, clock: Clock, market: Factor, asset: Asset
) -> list[Instrument]:
    """Generate the spot and perpetual markets of one asset, as far as it has them."""
    spot = f"{asset.base}/{settings.quote}"
    own = simulate_factor(
        settings.seed,
        spot,
        clock,
        FactorParameters(
            annual_volatility=asset.own_volatility,
            annual_drift=asset.annual_drift,
            jumps_per_month=settings.shocks.asset_jumps_per_month,
            shocks=settings.shocks,
        ),
    )
    returns = asset.market_beta * market.returns + own.returns
    sigma = np.sqrt((asset.market_beta * market.sigma) ** 2 + own.sigma**2)
    start, path = math.log(asset.first_price), np.cumsum(returns)
    typical = math.hypot(asset.market_beta * settings.market_volatility, asset.own_volatility)
    turnover = asset.daily_quote_volume / clock.bars_per_day
    volume = turnover * (sigma / (typical * math.sqrt(clock.bar_years))) ** 1.5
    begin = 0 if asset.first is None else clock.position(asset.first)
    end = clock.n_bars if asset.last is None else clock.position(asset.last + timedelta(days=1))
    found = []
    for kind in sorted(set(asset.markets)):
        perpetual = kind == "perpetual"
        symbol = f"{spot}:{settings.quote}" if perpetual else spot
        premium = _premium(settings.seed, symbol, clock, returns) if perpetual else None
        candles = make_candles(
            settings.seed,
            symbol,
            log_close=start + path + (premium if premium is not None else 0.0),
            log_start=start,
            sigma=sigma,
            quote_volume=volume * (1.0 if perpetual else settings.spot_volume_share),
        )
        found.append(
            Instrument(
                symbol=symbol,
                candles=candles,
                begin=begin,
                end=end,
                factor=own,
                market_beta=asset.market_beta,
                asset=asset,
                sigma=sigma,
                typical_volatility=typical,
                premium=premium,
            )
        )
    return found


def _premium(seed: int, symbol: str, clock: Clock, returns: Floats) -> Floats:
    """Draw the log price of a perpetual over its spot: mean-reverting, and richer after a rise."""
    noise = wandering(
        generator(seed, symbol, "premium"),
        clock.n_bars,
        half_life=clock.bars_of(PREMIUM_HALF_LIFE),
        deviation=PREMIUM_DEVIATION,
    )
    crowding = CROWDING * recursion(returns, decay_of(clock.bars_of(CROWDING_HALF_LIFE)))
    return np.clip(PREMIUM_MEAN + noise + crowding, -LARGEST_PREMIUM, LARGEST_PREMIUM)


@dataclass(frozen=True, eq=False)
class Settlements:
    """Funding of one perpetual: exact times, rates, and the last close before each; (event,)."""

    ts: Instants
    rates: Floats
    marks: Floats


def settlements(clock: Clock, instrument: Instrument) -> Settlements:
    """Settle every 8 hours from 00:00 UTC, for the 8 hours before, as far as they were listed.

    rate = P + clip(0.01 % - P, -0.05 %, 0.05 %), cut at ±0.75 %, where P is the mean premium of the
    bars of these 8 hours (Binance's formula). A settlement at the end of the history is not there:
    it belongs to the day after.
    """
    per_interval = SETTLEMENT_INTERVAL // clock.bar_length
    premium = instrument.premium if instrument.premium is not None else np.empty(0)
    mean = premium.reshape(-1, per_interval).mean(axis=1)
    rates = mean + np.clip(INTEREST - mean, -DAMPER, DAMPER)
    rates = np.round(np.clip(rates, -LARGEST_RATE, LARGEST_RATE), 8) + 0.0
    at = np.arange(1, len(mean) + 1) * per_interval
    paid = (at - per_interval >= instrument.begin) & (at <= instrument.end) & (at < clock.n_bars)
    at = at[paid]
    return Settlements(clock.ts[at], rates[paid], instrument.candles.close[at - 1])


def planted_shocks(simulated: SimulatedMarket) -> pd.DataFrame:
    """List the shocks: one row per instrument, bar and kind, sorted by ts, symbol and kind.

    Columns: `ts` of the bar, `available_at` its close, `symbol`, `kind` (`jump`, `market_jump`,
    `burst`, `market_burst`), `size`: log return of a jump, volatility multiplier of a burst.
    """
    clock, market = simulated.clock, simulated.market
    parts = []
    for instrument in simulated.instruments:
        own, beta = instrument.factor, instrument.market_beta
        kinds = {
            "burst": np.where(own.bursts > 0, 1.0 + own.bursts, 0.0),
            "jump": own.jumps,
            "market_burst": np.where(market.bursts > 0, 1.0 + market.bursts, 0.0),
            "market_jump": beta * market.jumps,
        }
        for kind, sizes in kinds.items():
            rows = np.flatnonzero(sizes)
            rows = rows[(rows >= instrument.begin) & (rows < instrument.end)]
            ts = to_column(clock.ts[rows])
            columns = {"ts": ts, "available_at": ts + clock.bar_length, "size": sizes[rows]}
            parts.append(pd.DataFrame({**columns, "symbol": instrument.symbol, "kind": kind}))
    shocks = pd.concat(parts).sort_values(["ts", "symbol", "kind"]).reset_index(drop=True)
    shocks["symbol"] = shocks["symbol"].astype("str")
    shocks["kind"] = shocks["kind"].astype("str")
    return shocks[["ts", "available_at", "symbol", "kind", "size"]]
