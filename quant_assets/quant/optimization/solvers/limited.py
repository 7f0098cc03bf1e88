"""Quadratic programs with a cost of, and a limit on, the distance `sum|w - position|`.

The distance is a turnover (positions: the weights held) or a gross exposure (positions: 0). The
price of the limit is found by Newton's method: with a price the problem is one of the active set,
whose weights, and so whose distance, are piecewise linear in the price. The last step, from a point
of the right piece, is exact; a bracket guards the others.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from quant_assets.quant.optimization.solvers.active_set import (
    AT_LOWER,
    FREE,
    ActiveSet,
    Box,
    Kinks,
    QuadraticSolution,
    Start,
    frontier_slope,
)
from quant_assets.quant.optimization.solvers.distance import Distance
from quant_assets.quant.optimization.solvers.hessian import Hessian

__all__ = ["least_distance", "solve"]

Floats = npt.NDArray[np.float64]
MAX_PRICES = 60
MET = 1e-13
HALVINGS = 3


def solve(
    hessian: Hessian, linear: Floats, box: Box, distance: Distance
) -> QuadraticSolution | None:
    """Minimise `w'Hw/2 - c'w + cost'|w - position|` within the limit; None: no price was found."""
    problem = ActiveSet(hessian, box, kinks=Kinks(distance.positions, distance.cost))
    start, price = _beginning(hessian, linear, box, distance)
    low, high = _End(0.0, np.inf), _End(np.inf, -np.inf)
    tight = None
    for step in range(MAX_PRICES):
        solution = problem.solve(linear, start=start, cost=distance.cost + price)
        if not solution.is_optimal:
            return None
        start = (solution.weights, solution.states)
        excess = distance.of(solution.weights) - distance.limit
        if abs(excess) <= MET or (price == 0.0 and excess <= 0.0):
            return solution
        if excess > 0.0:
            low = _End(price, excess)
        else:
            high, tight = _End(price, excess), solution
        if high.price <= low.price * (1.0 + MET):
            return tight
        price = _next(low, high, _newton(hessian, solution, distance, price, excess), step)
    return None


class _End(NamedTuple):
    """A price, and by how much the distance exceeds the limit there; infinite: not tried."""

    price: float
    excess: float


def _next(low: _End, high: _End, newton: float, step: int) -> float:
    """Newton's price and the secant's in turns, inside the bracket.

    Newton's is exact in the right piece; the pieces are many, and the secant spans them.
    """
    if not np.isfinite(high.price):
        return max(newton, 2.0 * low.price) if np.isfinite(newton) else 2.0 * low.price + 1e-6
    if np.isinf(low.excess):  # 0 was not tried: it may be long, and is put off
        return newton if newton > 0.0 else (0.5 * high.price if step < HALVINGS else 0.0)
    share = low.excess / (low.excess - high.excess)
    secant = low.price + share * (high.price - low.price)
    guess = newton if step % 2 == 0 else secant
    if low.price < guess < high.price:
        return guess
    return 0.5 * (low.price + high.price)


def least_distance(box: Box, positions: Floats) -> float:
    """Smallest `sum|w - position|` over a box that is not empty: into the bounds, then the sum."""
    inside = np.clip(positions, box.lower, box.upper)
    return float(np.abs(inside - positions).sum()) + abs(box.budget - float(inside.sum()))


def _beginning(
    hessian: Hessian, linear: Floats, box: Box, distance: Distance
) -> tuple[Start | None, float]:
    """The positions themselves and half of the price that keeps them; a vertex and 0 otherwise."""
    positions, cost = distance.positions, distance.cost
    if not (np.isfinite(distance.limit) and box.holds(positions)):
        return None, 0.0
    gradient = hessian.times(positions) - linear
    rise = (gradient + cost)[positions < box.upper].min(initial=np.inf)
    fall = (gradient - cost)[positions > box.lower].max(initial=-np.inf)
    start = (positions, np.full(len(positions), AT_LOWER, dtype=np.int8))
    return start, float(max(fall - rise, 0.0)) / 4.0


def _newton(
    hessian: Hessian,
    solution: QuadraticSolution,
    distance: Distance,
    price: float,
    excess: float,
) -> float:
    """The price at which the distance is the limit, if the same weights stay free."""
    free = np.flatnonzero(solution.states == FREE)
    side = np.where(solution.weights >= distance.positions, 1.0, -1.0)
    fall = float(side @ frontier_slope(hessian, side, free))
    return price + excess / fall if fall > 0.0 else -np.inf
