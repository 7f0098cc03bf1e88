"""Dense quadratic programs over a box and one budget, by a primal active-set method.

    minimise  w'Hw/2 - c'w   subject to   sum(w) = budget,  lower <= w <= upper

Exact up to rounding, and fast for up to a few hundred assets, because it starts at a vertex and
frees one weight at a time (Nocedal & Wright, Numerical Optimization, 2nd ed., algorithm 16.3).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
States = npt.NDArray[np.int8]

AT_LOWER, FREE, AT_UPPER = -1, 0, 1
RIDGE = 1e-11
TOLERANCE = 1e-11


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


@dataclass(frozen=True)
class QuadraticSolution:
    """Answer of `solve`; `residual` is the stationarity error, relative to the gradient's scale."""

    weights: Floats
    states: States
    iterations: int
    residual: float

    @property
    def is_optimal(self) -> bool:
        """Whether the optimality conditions hold."""
        return self.residual <= 1e-8


Start = tuple[Floats, States]


def scaled(hessian: Floats) -> tuple[Floats, float]:
    """`hessian` with mean diagonal 1 and a ridge of 1e-11, and the factor it was multiplied by."""
    mean = float(np.trace(hessian)) / len(hessian)
    factor = 1.0 / mean if mean > 0 else 1.0
    matrix = hessian * factor
    matrix.flat[:: len(hessian) + 1] += RIDGE
    return matrix, factor


def solve(
    hessian: Floats, linear: Floats, box: Box, *, start: Start | None = None
) -> QuadraticSolution:
    """Minimise `w'Hw/2 - c'w` over `box`, with `hessian` from `scaled` (positive definite).

    `start` is a feasible (weights, states) pair, for example the answer of a similar problem. The
    caller has checked that the box is not empty. Without convergence the residual says so.
    """
    n_assets = len(linear)
    if start is None:
        equal = np.full(n_assets, box.budget / n_assets)
        start = box.vertex(linear - hessian @ equal)
    weights, states = start[0].copy(), start[1].copy()
    gradient = hessian @ weights - linear
    limit = 100 + 20 * n_assets
    iterations = 0
    while iterations < limit:
        iterations += 1
        free = np.flatnonzero(states == FREE)
        if free.size > 1:
            direction = _newton_direction(hessian, gradient, free)
            share, blocker = _longest_step(
                weights[free], direction, box.lower[free], box.upper[free]
            )
            move = share * direction
            weights[free] += move
            gradient += move @ hessian[free]
            if blocker >= 0:
                asset = free[blocker]
                states[asset] = AT_UPPER if direction[blocker] > 0 else AT_LOWER
                weights[asset] = box.upper[asset] if direction[blocker] > 0 else box.lower[asset]
                continue
        candidate, excess = _worst_bound(gradient, states)
        if excess <= TOLERANCE * _scale(gradient):
            break
        states[candidate] = FREE
    weights = box.repaired(weights)
    gradient = hessian @ weights - linear
    error = _stationarity_error(gradient, states)
    return QuadraticSolution(weights, states, iterations, error / _scale(gradient))


def _scale(gradient: Floats) -> float:
    return max(1.0, float(np.abs(gradient).max()))


def _newton_direction(hessian: Floats, gradient: Floats, free: npt.NDArray[np.intp]) -> Floats:
    """Step of the free weights to the minimum over their face, keeping the budget."""
    return frontier_slope(hessian, -gradient, free)


def frontier_slope(hessian: Floats, linear: Floats, free: npt.NDArray[np.intp]) -> Floats:
    """Return the step d of the free weights that minimises `d'Hd/2 - c'd` with `sum(d) = 0`.

    The last free weight pays for the others, so that the budget holds even for a singular H.
    """
    payer, others = free[-1], free[:-1]
    row = hessian[payer, others]
    block = hessian[others[:, None], others]
    reduced = block - row - row[:, None] + hessian[payer, payer]
    step = np.linalg.solve(reduced, linear[others] - linear[payer])
    return np.append(step, -step.sum())


def _longest_step(
    position: Floats, direction: Floats, lower: Floats, upper: Floats
) -> tuple[float, int]:
    """Largest share (at most 1) of `direction` inside the bounds, and who blocks it (-1: none)."""
    room = np.where(direction > 0, upper, lower) - position
    moving = np.abs(direction) > 1e-15
    ratio = np.full(len(direction), np.inf)
    np.divide(room, direction, out=ratio, where=moving)
    blocker = int(ratio.argmin())
    if ratio[blocker] >= 1.0:
        return 1.0, -1
    return max(float(ratio[blocker]), 0.0), blocker


def _worst_bound(gradient: Floats, states: States) -> tuple[int, float]:
    """Find the weight at a bound that gains most by leaving it, and how much.

    With free weights the budget's price is their mean gradient. At a vertex it is the gradient of
    the dearest weight at its upper bound, which would pay; the next call then frees that one.
    """
    free = states == FREE
    upper = states == AT_UPPER
    if free.any():
        price = float(gradient[free].mean())
    elif upper.any():
        price = float(gradient[upper].max())
    else:
        return 0, 0.0
    excess = states * (gradient - price)
    worst = int(excess.argmax())
    return worst, float(excess[worst])


def _stationarity_error(gradient: Floats, states: States) -> float:
    """Return the worst violation of the optimality conditions, bound and free weights alike."""
    free = states == FREE
    spread = float(np.ptp(gradient[free])) if free.any() else 0.0
    return max(_worst_bound(gradient, states)[1], spread, 0.0)
