"""What the venue's limits mean for streams and instruments; shared by both stages."""

from dataclasses import dataclass

import numpy as np

from quant_assets.core.venues import OptimizationParameters
from quant_assets.quant.market.panel import Floats

CHAMPION = "champion"
CAP_RELAXED = "cap_relaxed"
# A weight this small is a solver's rounding; traded, it would be an order of a fraction of a cent.
DUST = 1e-12


@dataclass(frozen=True)
class Cap:
    """Largest weight of one stream or instrument, and whether `max_weight` had to give way."""

    upper: float
    is_relaxed: bool


def exposure(limits: OptimizationParameters) -> float:
    """Return what the streams' weights sum to: budget, or gross limit with shorts.

    Stream weights are never negative, so that with short streams their sum is the gross exposure;
    the budget is then the net one, which hardening brings about.
    """
    return limits.budget if limits.min_weight >= 0 else limits.max_gross


def weight_cap(limits: OptimizationParameters, n_assets: int) -> Cap:
    """`max_weight`, or exposure / n where n times `max_weight` cannot hold the exposure."""
    least = exposure(limits) / n_assets
    if limits.max_weight < least:
        return Cap(least, is_relaxed=True)
    return Cap(limits.max_weight, is_relaxed=False)


def without_dust(weights: Floats) -> Floats:
    """Weights with those below 1e-12 set to 0; n of them move the sum by less than n * 1e-12."""
    return np.where(np.abs(weights) < DUST, 0.0, weights)
