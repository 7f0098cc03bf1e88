"""Return factors with stochastic volatility and planted shocks, for the market and each asset."""

import math
from dataclasses import dataclass

import numpy as np

from quant_assets.adapters.market_simulator.clock import DAYS_PER_YEAR, Clock
from quant_assets.adapters.market_simulator.noise import (
    decay_of,
    generator,
    heavy_tailed,
    recursion,
    wandering,
)
from quant_assets.adapters.market_simulator.settings import ShockSettings
from quant_assets.quant.market.panel import Floats

DAYS_PER_MONTH = DAYS_PER_YEAR / 12.0
FAST, SLOW = (0.5, 0.30), (10.0, 0.30)  # half-life in days, deviation of the log volatility


@dataclass(frozen=True)
class FactorParameters:
    """Annual volatility and log drift of a factor, and how often it jumps."""

    annual_volatility: float
    annual_drift: float
    jumps_per_month: float
    shocks: ShockSettings


@dataclass(frozen=True, eq=False)
class Factor:
    """Log returns and their standard deviations, (time,), and the shocks inside.

    `jumps` : log return of the jump, 0 without one. `bursts` : volatility multiplier - 1, likewise.
    """

    returns: Floats
    sigma: Floats
    jumps: Floats
    bursts: Floats


def simulate_factor(seed: int, label: str, clock: Clock, parameters: FactorParameters) -> Factor:
    """Generate one factor; its beginning does not depend on `clock.last`."""
    shocks = parameters.shocks
    typical_day = parameters.annual_volatility / math.sqrt(DAYS_PER_YEAR)
    drawn = _shock_sizes(generator(seed, label, "jumps"), clock, parameters.jumps_per_month)
    jumps = typical_day * shocks.jump_size * drawn
    drawn = _shock_sizes(generator(seed, label, "bursts"), clock, shocks.bursts_per_month)
    bursts = (shocks.burst_size - 1.0) * np.abs(drawn)
    aftershocks = np.where(jumps != 0.0, 0.5 * (shocks.burst_size - 1.0), 0.0)
    excess = recursion(bursts + aftershocks, decay_of(clock.bars_of(shocks.burst_half_life)))
    typical_bar = parameters.annual_volatility * math.sqrt(clock.bar_years)
    sigma = typical_bar * _stochastic(seed, label, clock) * clock.activity * (1.0 + excess)
    returns = sigma * heavy_tailed(generator(seed, label, "returns"), clock.n_bars)
    returns += parameters.annual_drift * clock.bar_years + jumps
    returns -= _reversal(jumps, clock, shocks)
    return Factor(returns, sigma, jumps, bursts)


def _stochastic(seed: int, label: str, clock: Clock) -> Floats:
    """Relative volatility, mean square 1: a fast and a slow log-normal component."""
    log = np.zeros(clock.n_bars)
    for name, (days, deviation) in {"fast": FAST, "slow": SLOW}.items():
        rng = generator(seed, label, f"volatility {name}")
        half_life = days * clock.bars_per_day
        log += wandering(rng, clock.n_bars, half_life=half_life, deviation=deviation) - deviation**2
    return np.exp(log)


def _shock_sizes(rng: np.random.Generator, clock: Clock, per_month: float) -> Floats:
    """Draw signed sizes, 0.75 to 1.25, on the bars with a shock; 0 elsewhere. Four draws a day."""
    draws = rng.random((clock.n_days, 4))
    days = np.flatnonzero(draws[:, 0] < per_month / DAYS_PER_MONTH)
    bars = (draws[days, 1] * clock.bars_per_day).astype(np.intp)
    sizes = np.zeros(clock.n_bars)
    signs = np.where(draws[days, 3] < 0.5, -1.0, 1.0)
    sizes[days * clock.bars_per_day + bars] = signs * (0.75 + 0.5 * draws[days, 2])
    return sizes


def _reversal(jumps: Floats, clock: Clock, shocks: ShockSettings) -> Floats:
    """Give back, bar by bar, the share `reversal` of earlier jumps."""
    decay = decay_of(clock.bars_of(shocks.reversal_half_life))
    earlier = np.concatenate([[0.0], jumps[:-1]])
    return shocks.reversal * (1.0 - decay) * recursion(earlier, decay)
