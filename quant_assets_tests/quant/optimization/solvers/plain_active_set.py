"""The active set method in plain numpy, written apart: the twin of the compiled one.

Every step factorises anew; for a box and a budget, without kinks.
"""

import numpy as np

from quant_assets.quant.optimization.solvers.active_set import AT_LOWER, AT_UPPER, FREE, Box

TOLERANCE = 1e-11


def solve_plainly(hessian: np.ndarray, linear: np.ndarray, box: Box) -> np.ndarray:
    """Weights that minimise `w'Hw/2 - c'w` over the box."""
    n_assets = len(linear)
    weights, states = box.vertex(linear - hessian @ np.full(n_assets, box.budget / n_assets))
    gradient = hessian @ weights - linear
    for _ in range(100 + 20 * n_assets):
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
    return box.repaired(weights)


def _scale(gradient: np.ndarray) -> float:
    return max(1.0, float(np.abs(gradient).max()))


def _newton_direction(hessian: np.ndarray, gradient: np.ndarray, free: np.ndarray) -> np.ndarray:
    """Step of the free weights to the minimum over their face; the last one pays."""
    linear = -gradient
    payer, others = free[-1], free[:-1]
    row = hessian[payer, others]
    block = hessian[others[:, None], others]
    reduced = block - row - row[:, None] + hessian[payer, payer]
    step = np.linalg.solve(reduced, linear[others] - linear[payer])
    return np.append(step, -step.sum())


def _longest_step(
    position: np.ndarray, direction: np.ndarray, lower: np.ndarray, upper: np.ndarray
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


def _worst_bound(gradient: np.ndarray, states: np.ndarray) -> tuple[int, float]:
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
