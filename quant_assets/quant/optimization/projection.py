"""Euclidean projection onto box, net, gross and turnover limits, by their Lagrange multipliers.

With prices v (net), g (gross) and t (turnover) each weight minimises its own piecewise quadratic
`(w - target)^2 / 2 + v w + g |w| + t |w - previous|` over its bounds, in closed form. The sum falls
with v, the gross exposure with g, the turnover with t, all piecewise linearly, so that the three
prices are found one inside the other, in compiled code.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import SolverError
from quant_assets.quant.optimization.constraints.base import FeasibleSet

Floats = npt.NDArray[np.float64]
TOLERANCE = 1e-12


class Prices(NamedTuple):
    """Multipliers of the net, gross and turnover limits; 0 where a limit does not bind."""

    net: float = 0.0
    gross: float = 0.0
    turnover: float = 0.0


@dataclass(frozen=True)
class Projection:
    """The nearest feasible weights, the prices there, and whether a bound cut a weight off."""

    weights: Floats
    prices: Prices
    box_binds: bool


def least_gross(feasible: FeasibleSet) -> float:
    """Smallest sum of absolute weights in box and net limits (which must be compatible)."""
    nearest = np.clip(0.0, feasible.lower, feasible.upper)
    net = float(nearest.sum())
    return float(np.abs(nearest).sum()) + max(feasible.net_low - net, net - feasible.net_high, 0.0)


def least_turnover(feasible: FeasibleSet, previous: Floats) -> float:
    """Smallest turnover from `previous` into box, net and gross limits (compatible ones).

    Move into the box; then move the net into its span, by weights that thereby shrink when there
    are any; what gross is left over shrinks one for one.
    """
    inside = np.clip(previous, feasible.lower, feasible.upper)
    net = float(inside.sum())
    turnover, gross = float(np.abs(inside - previous).sum()), float(np.abs(inside).sum())
    if net < feasible.net_low:
        missing = feasible.net_low - net
        shrinkable = np.minimum(feasible.upper, 0.0) - inside
        room = float(shrinkable[inside < 0].sum())
    else:
        missing = max(net - feasible.net_high, 0.0)
        shrinkable = inside - np.maximum(feasible.lower, 0.0)
        room = float(shrinkable[inside > 0].sum())
    shrunk = min(missing, room)
    gross += missing - 2.0 * shrunk
    return turnover + missing + max(gross - feasible.max_gross, 0.0)


def is_feasible(feasible: FeasibleSet, previous: Floats) -> bool:
    """Whether any weights satisfy all limits (up to 1e-12)."""
    lower, upper = float(feasible.lower.sum()), float(feasible.upper.sum())
    return bool(
        (feasible.lower <= feasible.upper + TOLERANCE).all()
        and feasible.net_low <= feasible.net_high + TOLERANCE
        and lower <= feasible.net_high + TOLERANCE
        and upper >= feasible.net_low - TOLERANCE
        and least_gross(feasible) <= feasible.max_gross + TOLERANCE
        and least_turnover(feasible, previous) <= feasible.max_turnover + TOLERANCE
    )


def project(target: Floats, previous: Floats, feasible: FeasibleSet) -> Projection:
    """Nearest point of a non-empty `feasible` to `target`; bounds must be finite."""
    from quant_assets.quant.optimization.projection_kernel import (
        Limits,
        nearest,
        without_bounds,
    )

    if (feasible.lower >= 0).all() and feasible.net_high <= feasible.max_gross:
        feasible = replace(feasible, max_gross=np.inf)  # gross is net, and net is limited already
    limits = Limits(
        _for_kernel(target),
        _for_kernel(previous),
        _for_kernel(feasible.lower),
        _for_kernel(feasible.upper),
        float(feasible.net_low),
        float(feasible.net_high),
        float(feasible.max_gross),
        float(feasible.max_turnover),
    )
    step = max(float(np.abs(target - previous).max()), 1e-6)
    prices, weights = np.zeros(3), np.empty(len(target))
    if not nearest(limits, step, prices, weights):
        raise SolverError(
            f"no price brings gross to {feasible.max_gross:g} and turnover to "
            f"{feasible.max_turnover:g}; prices tried up to {prices.max():.3g}"
        )
    wished = without_bounds(limits, prices)
    cut = (wished < feasible.lower - TOLERANCE) | (wished > feasible.upper + TOLERANCE)
    net, gross, turnover = (float(price) for price in prices)
    return Projection(_repaired(weights, feasible), Prices(net, gross, turnover), bool(cut.any()))


def _for_kernel(vector: Floats) -> Floats:
    """Return the array as compiled code knows it; a copy only where it must be one."""
    return np.require(vector, np.float64, ["C", "W"])


def _repaired(weights: Floats, feasible: FeasibleSet) -> Floats:
    """Bounds and net exact to the last bit that addition allows."""
    repaired = np.clip(weights, feasible.lower, feasible.upper)
    for _ in range(3):
        net = float(repaired.sum())
        gap = min(max(net, feasible.net_low), feasible.net_high) - net
        room = feasible.upper - repaired if gap > 0 else repaired - feasible.lower
        total = float(room.sum())
        if gap == 0 or total <= 0:
            break
        repaired = np.clip(repaired + gap * room / total, feasible.lower, feasible.upper)
    return repaired
