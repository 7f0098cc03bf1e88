"""What the venue's limits mean for streams and instruments; shared by both stages."""

from dataclasses import dataclass

from quant_assets.core.venues import OptimizationParameters

CHAMPION = "champion"
CAP_RELAXED = "cap_relaxed"


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
