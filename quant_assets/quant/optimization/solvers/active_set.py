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
            gradient += hessian[:, free] @ move
            if blocker >= 0:
                asset = free[blocker]
                states[asset] = AT_UPPER if direction[blocker] > 0 else AT_LOWER
                weights[asset] = box.upper[asset] if direction[blocker] > 0 else box.lower[asset]
                continue
        released, _ = _releasable(gradient, states, TOLERANCE * _scale(gradient))
        if not released:
            break
        states[released] = FREE
    weights = box.repaired(weights)
    gradient = hessian @ weights - linear
    _, worst = _releasable(gradient, states, 0.0)
    return QuadraticSolution(weights, states, iterations, worst / _scale(gradient))


def _scale(gradient: Floats) -> float:
    return max(1.0, float(np.abs(gradient).max()))


def _newton_direction(hessian: Floats, gradient: Floats, free: npt.NDArray[np.intp]) -> Floats:
    """Step of the free weights to the minimum over their face, keeping the budget."""
    return frontier_slope(hessian, -gradient, free)


def frontier_slope(hessian: Floats, linear: Floats, free: npt.NDArray[np.intp]) -> Floats:
    """Return the step d of the free weights that minimises `d'Hd/2 - c'd` with `sum(d) = 0`."""
    right = np.empty((free.size, 2))
    right[:, 0] = linear[free]
    right[:, 1] = 1.0
    answer = np.linalg.solve(hessian[free[:, None], free], right)
    multiplier = answer[:, 0].sum() / answer[:, 1].sum()
    return np.asarray(answer[:, 0] - multiplier * answer[:, 1])


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


def _releasable(gradient: Floats, states: States, tolerance: float) -> tuple[list[int], float]:
    """Which bound weights to free next, and the worst violation of the optimality conditions.

    With free weights the budget's price is their mean gradient, and the worst bound weight is
    freed. At a vertex a pair is needed: the dearest weight at its upper bound pays for the cheapest
    at its lower one.
    """
    free = states == FREE
    if free.any():
        price = float(gradient[free].mean())
        excess = states * (gradient - price)
        worst = int(excess.argmax())
        spread = float(np.abs(gradient[free] - price).max())
        found = [worst] if excess[worst] > tolerance else []
        return found, max(float(excess[worst]), spread)
    cheap = np.where(states == AT_LOWER, gradient, np.inf)
    dear = np.where(states == AT_UPPER, gradient, -np.inf)
    buy, sell = int(cheap.argmin()), int(dear.argmax())
    excess_pair = float(dear[sell] - cheap[buy])
    if excess_pair <= tolerance:
        return [], max(excess_pair, 0.0)
    return [buy, sell], excess_pair
