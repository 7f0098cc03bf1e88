"""Concave programs by Newton steps, each of them a quadratic program over the same constraints."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from quant_assets.quant.optimization.solvers import convex
from quant_assets.quant.optimization.solvers.quadratic import minimise

__all__ = ["Climb", "Slope", "climb"]

Floats = npt.NDArray[np.float64]
MAX_STEPS = 100
HALVINGS = 60
AT_REST = 1e-14


class Slope(NamedTuple):
    """Value of an objective at a point, its gradient (asset,) and its negative Hessian."""

    value: float
    gradient: Floats
    curvature: Floats


@dataclass(frozen=True, eq=False)
class Climb:
    """Where it ended, how many steps it took, and the gain that one more step promised."""

    weights: Floats
    slope: Slope
    steps: int
    promise: float


def climb(
    slope_at: Callable[[Floats], Slope],
    value_at: Callable[[Floats], float],
    start: Floats,
    region: convex.Region,
) -> Climb:
    """Maximise a concave function over `region` from the feasible `start` (asset,).

    A step goes to the best point of the quadratic model, shortened until the function rises by a
    quarter of what its gradient promises. Ends with the step whose promise is 1e-14 of the value's
    size, or when rounding leaves nothing to gain. `value_at` is -inf outside the function's domain.
    """
    weights, steps, promise = start, 0, float("inf")
    slope = slope_at(weights)
    while steps < MAX_STEPS:
        steps += 1
        linear = slope.gradient + slope.curvature @ weights
        direction = minimise(slope.curvature, linear, region).weights - weights
        promise = float(slope.gradient @ direction)
        if promise <= AT_REST * max(abs(slope.value), _size(slope)):
            # the step is right to twice the digits of the point it starts from
            last = _inside(weights + direction, region)
            weights = last if value_at(last) >= slope.value - promise else weights
            break
        share, floor = 1.0, slope.value
        for _ in range(HALVINGS):
            if value_at(weights + share * direction) >= floor + 0.25 * share * promise:
                break
            share *= 0.5
        else:
            break
        weights = _inside(weights + share * direction, region)
        slope = slope_at(weights)
    return Climb(weights, slope, steps, promise)


def _inside(weights: Floats, region: convex.Region) -> Floats:
    """`weights` without the rounding of sums: inside the bounds, and at the budget if it is one."""
    if region.min_net is None:
        return region.box.repaired(weights)
    return np.clip(weights, region.box.lower, region.box.upper)


def _size(slope: Slope) -> float:
    """Gain that a move of the whole budget could bring: the scale of the objective."""
    return float(np.ptp(slope.gradient))
