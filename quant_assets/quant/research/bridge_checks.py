"""Whether an edge survives its costs: break-even, a surface over cost and horizon, a verdict.

Costs are basis points **per side**; a round trip has two sides. The net outcome of an event is
`outcome - sides cost / 10,000`, outcomes being log returns.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.research.outcomes import EventOutcomes
from quant_assets.quant.statistics.event_effects import EventEffect

__all__ = [
    "CostCheck",
    "break_even_bps",
    "break_even_by_bisection",
    "cost_surface",
    "cost_survivability",
]

BPS = 1e-4
_WIDEST_BPS = 1e6
Verdict = Literal["survives", "rejected", "undecidable"]


@dataclass(frozen=True)
class CostCheck:
    """Verdict on one edge: `survives` all gates, `rejected`, or `undecidable` with these data.

    gross_mean, net_mean : mean outcome before and after costs
    lower_bound, upper_bound : one-sided confidence bounds of the net mean, each at `confidence`
    reason : the gate that decided, with its numbers
    """

    gross_mean: float
    net_mean: float
    break_even_bps: float
    lower_bound: float
    upper_bound: float
    verdict: Verdict
    reason: str


def break_even_bps(gross_mean: float, *, sides: float = 2.0) -> float:
    """Cost per side at which the net mean is 0: `gross_mean / sides`, in basis points.

    Negative where the edge loses before costs.
    """
    if sides <= 0.0:
        raise ConfigError(f"sides {sides} must be positive: 2 for a round trip")
    return gross_mean / (sides * BPS)


def break_even_by_bisection(
    net_mean: Callable[[float], float], *, tolerance_bps: float = 1e-9
) -> float:
    """Cost in basis points at which `net_mean(cost_bps)`, a decreasing function, crosses 0.

    For costs that are not linear: compounding, impact, fee tiers. Looks within 10^6 basis points
    either way; `DataError` where the sign does not change there or a value is NaN.
    """
    low, high = -1.0, 1.0
    while net_mean(high) > 0.0 and high < _WIDEST_BPS:
        low, high = high, 2.0 * high
    while net_mean(low) < 0.0 and low > -_WIDEST_BPS:
        low, high = 2.0 * low, low
    if not (net_mean(low) >= 0.0 >= net_mean(high)):
        raise DataError(
            f"the net mean is {net_mean(low)} at {low:g} bps and {net_mean(high)} at {high:g} bps: "
            "it does not fall through 0 there"
        )
    while high - low > tolerance_bps:
        middle = low + (high - low) / 2.0
        if middle in (low, high):
            break
        low, high = (middle, high) if net_mean(middle) > 0.0 else (low, middle)
    return low + (high - low) / 2.0


def cost_survivability(
    sample: EventOutcomes,
    *,
    cost_bps: float,
    sides: float = 2.0,
    margin: float = 1.5,
    confidence: float = 0.9,
) -> CostCheck:
    """Judge one edge against its cost.

    It survives if its break-even is at least `margin` times `cost_bps` and the lower bound of its
    net mean is positive. It is rejected if the upper bound is negative, or if the lower bound is
    positive but the margin is missed. Otherwise the data cannot tell. Bounds are one-sided, in
    calendar time (see `event_effect`).
    """
    _check(confidence, [cost_bps])
    effect = sample.effect()
    reach = _reach(effect, confidence)
    net = effect.mean - sides * cost_bps * BPS
    even, needed = break_even_bps(effect.mean, sides=sides), margin * cost_bps
    lower, upper = net - reach, net + reach
    verdict, reason = _verdict((lower, upper), even, needed)
    return CostCheck(effect.mean, net, even, lower, upper, verdict, reason)


def cost_surface(
    samples: Sequence[EventOutcomes],
    costs_bps: Sequence[float],
    *,
    sides: float = 2.0,
    confidence: float = 0.9,
) -> pd.DataFrame:
    """Net mean of an edge for every horizon and cost, one row each.

    samples : the same events, one entry per horizon. Columns: `horizon_bars`, `cost_bps`,
    `n_events`, `net_mean`, `lower_bound` (one-sided, at `confidence`), `break_even_bps` of the
    horizon, `survives` = lower bound above 0.
    """
    _check(confidence, costs_bps)
    rows = []
    for sample in samples:
        effect = sample.effect()
        reach, even = _reach(effect, confidence), break_even_bps(effect.mean, sides=sides)
        for cost in costs_bps:
            net = effect.mean - sides * cost * BPS
            row = (sample.horizon_bars, cost, effect.n_events, net, net - reach, even)
            rows.append((*row, net - reach > 0.0))
    columns = ["horizon_bars", "cost_bps", "n_events", "net_mean", "lower_bound"]
    return pd.DataFrame(rows, columns=[*columns, "break_even_bps", "survives"])


def _verdict(bounds: tuple[float, float], even: float, needed: float) -> tuple[Verdict, str]:
    lower, upper = bounds
    if upper < 0.0:
        return "rejected", f"net mean at most {upper:.3g}"
    if not lower > 0.0:
        return "undecidable", f"net mean between {lower:.3g} and {upper:.3g}"
    if even < needed:
        return "rejected", f"break-even {even:.3g} bps a side, {needed:.3g} needed"
    return "survives", f"break-even {even:.3g} bps a side, net mean at least {lower:.3g}"


def _reach(effect: EventEffect, confidence: float) -> float:
    """Distance from the mean to its bounds; NaN without an error or degrees of freedom."""
    from scipy.special import stdtrit

    freedom = effect.effective_days - 1.0
    if not freedom > 0.0:
        return float("nan")
    return float(stdtrit(freedom, confidence)) * effect.standard_error


def _check(confidence: float, costs_bps: Sequence[float]) -> None:
    if not 0.5 <= confidence < 1.0 or not np.isfinite(costs_bps).all():
        raise ConfigError(
            f"confidence {confidence} must be in [0.5, 1), costs {list(costs_bps)} finite"
        )
