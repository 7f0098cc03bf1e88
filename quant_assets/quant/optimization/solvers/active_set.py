"""Quadratic programs over a box and one budget, by a primal active-set method.

    minimise  w'Hw/2 - c'w + sum(cost_i |w_i - kink_i|)
    subject to  sum(w) = budget,  lower <= w <= upper

Exact up to rounding. It starts at a vertex, or at the kinks, and frees one weight at a time. Of
many assets only the promising ones take part; the others are priced when those are done, and the
worst join, until nobody gains by moving (partial pricing). Every answer depends on the arguments
alone: nothing is carried over from the problem before.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from quant_assets.core.lazy import Deferred
from quant_assets.quant.optimization.solvers import primal_dual
from quant_assets.quant.optimization.solvers.hessian import RIDGE, Hessian, Whole, whole

if TYPE_CHECKING:
    from quant_assets.quant.optimization.solvers import active_set_kernel as kernel
else:
    kernel = Deferred("quant_assets.quant.optimization.solvers.active_set_kernel")

__all__ = [
    "AT_LOWER",
    "AT_UPPER",
    "FREE",
    "RIDGE",
    "ActiveSet",
    "Box",
    "Kinks",
    "QuadraticSolution",
    "Start",
    "frontier_slope",
    "scaled",
    "solve",
]

Floats = npt.NDArray[np.float64]
States = npt.NDArray[np.int8]
Places = npt.NDArray[np.intp]

AT_LOWER, FREE, AT_UPPER = -1, 0, 1
TOLERANCE = 1e-12
ALL_TAKE_PART = 128
FIRST, NEXT = 96, 48
CROWDED = 0.75  # of those that take part are free: then most assets will be held


@dataclass(frozen=True)
class Box:
    """The feasible set: one budget, and bounds of shape (asset,)."""

    budget: float
    lower: Floats
    upper: Floats

    def vertex(self, score: Floats) -> tuple[Floats, States]:
        """Return the feasible vertex of largest `score'w`, and the state of each weight there."""
        weights = self.lower.copy()
        states = np.full(len(weights), AT_LOWER, dtype=np.int8)
        left = self.budget - float(weights.sum())
        for asset in np.argsort(-score, kind="stable"):
            room = self.upper[asset] - self.lower[asset]
            if left < room:
                weights[asset] += max(left, 0.0)
                states[asset] = FREE if left > 0 else AT_LOWER
                break
            weights[asset] = self.upper[asset]
            states[asset] = AT_UPPER
            left -= room
        return weights, states

    def holds(self, weights: Floats) -> bool:
        """Whether `weights` (asset,) keep the bounds, and the budget up to 1e-13."""
        inside = (weights >= self.lower) & (weights <= self.upper)
        return bool(inside.all()) and abs(float(weights.sum()) - self.budget) <= 1e-13

    def repaired(self, weights: Floats) -> Floats:
        """`weights` clipped to the bounds, with the last rounding error of the budget spread."""
        repaired = np.clip(weights, self.lower, self.upper)
        for _ in range(3):
            gap = self.budget - float(repaired.sum())
            room = self.upper - repaired if gap > 0 else repaired - self.lower
            total = float(room.sum())
            if gap == 0 or total <= 0:
                break
            repaired = np.clip(repaired + gap * room / total, self.lower, self.upper)
        return repaired


@dataclass(frozen=True, eq=False)
class Kinks:
    """Costs `cost_i |w_i - position_i|`: arrays (asset,), cost >= 0 in the unit of `linear`."""

    positions: Floats
    cost: Floats


@dataclass(frozen=True)
class QuadraticSolution:
    """Answer of `solve`; `residual` is the stationarity error, relative to the gradient's scale.

    `gap` bounds from above how far the objective is from its minimum, in the objective's unit.
    """

    weights: Floats
    states: States
    iterations: int
    residual: float
    gap: float = float("nan")

    @property
    def is_optimal(self) -> bool:
        """Whether the optimality conditions hold."""
        return self.residual <= 1e-8


Start = tuple[Floats, States]


def scaled(hessian: Floats) -> tuple[Floats, float]:
    """`hessian` with mean diagonal 1 and a ridge of 1e-11, and the factor it was multiplied by."""
    made = whole(hessian)
    return made.values, made.factor


def solve(
    hessian: Floats,
    linear: Floats,
    box: Box,
    *,
    start: Start | None = None,
    kinks: Kinks | None = None,
) -> QuadraticSolution:
    """Minimise `w'Hw/2 - c'w` and the costs over `box`, with `hessian` from `scaled`.

    `start` is a feasible (weights, states) pair, for example the answer of a similar problem. The
    caller has checked that the box is not empty. Without convergence the residual says so.
    """
    return ActiveSet(Whole(hessian), box, kinks=kinks).solve(linear, start=start)


class ActiveSet:
    """Problems that share Hessian, box and the places of the kinks; see `solve`.

    It remembers which assets took part, so that the next problem begins with them.
    """

    def __init__(self, hessian: Hessian, box: Box, *, kinks: Kinks | None = None) -> None:
        self.hessian, self.box = hessian, box
        self.kinks = kinks or Kinks(box.lower, np.zeros(len(box.lower)))
        self._takes_part = np.full(hessian.n_assets, hessian.n_assets <= ALL_TAKE_PART)
        self._members = np.flatnonzero(self._takes_part)
        self._block = hessian.block(self._members)
        self._last = (np.empty(0), np.empty(0))

    def solve(
        self, linear: Floats, *, start: Start | None = None, cost: Floats | None = None
    ) -> QuadraticSolution:
        """Minimise with this `linear` (asset,), and other costs (asset,) than the kinks'."""
        hessian, n_assets = self.hessian, self.hessian.n_assets
        costs = self.kinks.cost if cost is None else cost
        if start is None:
            equal = np.full(n_assets, self.box.budget / n_assets)
            start = self.box.vertex(linear - hessian.times(equal))
        weights = start[0].copy()
        above = np.where(weights >= self.kinks.positions, kernel.ABOVE, kernel.BELOW)
        segments = np.where(start[1] == FREE, above, kernel.FIXED).astype(np.int8)
        gradient = self._product(start[0]) - linear
        gains = self._gains(weights, gradient, segments, costs)
        self._join((segments != kernel.FIXED) | _largest(gains, FIRST, 0.0))
        iterations, spent, has_grown, may_leap = 0, 0, True, not costs.any()
        while has_grown and spent >= 0:
            tolerance = TOLERANCE * _scale(gradient)
            spent = self._pivot(kernel.Point(weights, gradient, segments), costs, tolerance)
            iterations += abs(spent)
            most = max(len(self._members), FIRST)
            is_crowded = np.count_nonzero(segments) > CROWDED * most
            if may_leap and is_crowded and len(self._members) < hessian.n_assets:
                weights, segments = self._leap(linear, weights, segments)
                may_leap = False
            product = hessian.times(weights)
            gradient = product - linear
            gains = self._gains(weights, gradient, segments, costs)
            newcomers = _largest(np.where(self._takes_part, 0.0, gains), NEXT, tolerance)
            if newcomers.any():
                newcomers |= segments != kernel.FIXED
            has_grown = self._join(newcomers)
        _balance(weights, segments, self.box)
        self._last = (weights, product)
        gains = np.maximum(gains, _unevenness(gradient, segments, costs))
        error = float(gains.max()) / _scale(gradient)
        gap = float(gains @ (self.box.upper - self.box.lower))
        states = np.where(weights >= self.box.upper, AT_UPPER, AT_LOWER).astype(np.int8)
        states[segments != kernel.FIXED] = FREE
        return QuadraticSolution(weights, states, iterations, error, gap)

    def _leap(self, linear: Floats, weights: Floats, segments: States) -> tuple[Floats, States]:
        """Go on from a guess with all assets at once, if there is one."""
        box = self.box
        found = primal_dual.guess(self.hessian, linear, (box.lower, box.upper), box.budget)
        if found is None:
            return weights, segments
        weights, sides = found
        segments = np.where(sides == 0, kernel.ABOVE, kernel.FIXED).astype(np.int8)
        _balance(weights, segments, box)
        return weights, segments

    def _product(self, weights: Floats) -> Floats:
        """`H w`, which is known for the weights of the last answer."""
        known, product = self._last
        return product if weights is known else self.hessian.times(weights)

    def _join(self, places: npt.NDArray[np.bool_]) -> bool:
        """Let the assets of the mask take part; whether there was a new one."""
        before = len(self._members)
        self._takes_part |= places
        self._members = np.flatnonzero(self._takes_part)
        if len(self._members) == before:
            return False
        self._block = self.hessian.block(self._members)
        return True

    def _pivot(self, point: "kernel.Point", costs: Floats, tolerance: float) -> int:
        """Pivot among the members, in place; iterations, negative for a failure."""
        here = self._members
        box, kinks = self.box, self.kinks
        terms = kernel.Terms(
            self._block, box.lower[here], box.upper[here], kinks.positions[here], costs[here]
        )
        inside = kernel.Point(point.weights[here], point.gradient[here], point.segments[here])
        iterations = kernel.pivot(terms, inside, tolerance)
        point.weights[here], point.segments[here] = inside.weights, inside.segments
        return int(iterations)

    def _gains(self, weights: Floats, gradient: Floats, segments: States, costs: Floats) -> Floats:
        """What each fixed weight gains per unit by moving, at the price of the free ones.

        Without free ones: by an exchange with the best partner.
        """
        kinks, free = self.kinks.positions, segments != kernel.FIXED
        rise = gradient + np.where(weights >= kinks, costs, -costs)
        fall = gradient + np.where(weights <= kinks, -costs, costs)
        can_rise, can_fall = weights < self.box.upper, weights > self.box.lower
        if free.any():
            sold = bought = float((gradient[free] + costs[free] * segments[free]).mean())
        else:
            sold = float(fall[can_fall].max(initial=-np.inf))
            bought = float(rise[can_rise].min(initial=np.inf))
        gains = np.maximum(
            np.where(can_rise & ~free, sold - rise, 0.0),
            np.where(can_fall & ~free, fall - bought, 0.0),
        )
        return np.maximum(gains, 0.0)


def _largest(gains: Floats, most: int, tolerance: float) -> npt.NDArray[np.bool_]:
    """Mask of the `most` largest gains above the tolerance."""
    mask = np.zeros(len(gains), dtype=np.bool_)
    places = np.flatnonzero(gains > tolerance)
    mask[places[np.argsort(-gains[places], kind="stable")[:most]]] = True
    return mask


def _scale(gradient: Floats) -> float:
    return max(1.0, float(np.abs(gradient).max()))


def _unevenness(gradient: Floats, segments: States, costs: Floats) -> Floats:
    """By how much the slope of each free weight differs from the price, their mean; (asset,)."""
    free = segments != kernel.FIXED
    if not free.any():
        return np.zeros(len(gradient))
    slopes = gradient + costs * segments
    return np.where(free, np.abs(slopes - slopes[free].mean()), 0.0)


def _balance(weights: Floats, segments: States, box: Box) -> None:
    """Give the last rounding error of the budget to the free weight with most room, in place."""
    np.clip(weights, box.lower, box.upper, out=weights)
    free = np.flatnonzero(segments)
    if free.size:
        room = np.minimum(weights - box.lower, box.upper - weights)[free]
        widest = free[int(room.argmax())]
        weights[widest] += box.budget - float(weights.sum())
        np.clip(weights, box.lower, box.upper, out=weights)
    else:
        weights[:] = box.repaired(weights)


def frontier_slope(hessian: Hessian, linear: Floats, free: Places) -> Floats:
    """Return the step d of the free weights that minimises `d'Hd/2 - c'd` with `sum(d) = 0`.

    Shape (asset,), 0 where a weight is not free. The last free weight pays for the others, so that
    the budget holds even for a singular H.
    """
    slope = np.zeros(len(linear))
    if free.size < 2:
        return slope
    block, wanted = hessian.block(free), linear[free]
    row = block[-1, :-1]
    reduced = block[:-1, :-1] - row - row[:, None] + block[-1, -1]
    step = np.linalg.solve(reduced, wanted[:-1] - wanted[-1])
    slope[free] = np.append(step, -step.sum())
    return slope
