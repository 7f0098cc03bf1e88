"""A guess of who is free, for portfolios that hold most assets: the primal-dual active set method.

Each step solves for the free weights and the budget's price at once, and then moves everybody who
broke a bound, or gains by leaving one (Hintermueller, Ito & Kunisch 2002). It takes a handful of
steps where the primal method frees hundreds of weights one at a time; it may also run in circles,
so that its answer is only used where the optimality conditions confirm it.
"""

import numpy as np
import numpy.typing as npt

from quant_assets.quant.optimization.solvers.hessian import Hessian

__all__ = ["guess"]

Floats = npt.NDArray[np.float64]
Sides = npt.NDArray[np.int8]
MAX_STEPS = 25


def guess(
    hessian: Hessian, linear: Floats, bounds: tuple[Floats, Floats], budget: float
) -> tuple[Floats, Sides] | None:
    """Weights of `min w'Hw/2 - c'w` within bounds and budget, and sides: -1 lower, 0 free, 1 upper.

    None when the steps do not settle, or H is singular.
    """
    lower, upper = bounds
    sides = np.zeros(len(linear), dtype=np.int8)
    for _ in range(MAX_STEPS):
        free = np.flatnonzero(sides == 0)
        if free.size == 0:
            return None
        weights = np.where(sides < 0, lower, np.where(sides > 0, upper, 0.0))
        needed = budget - float(weights.sum())
        wanted = (linear - hessian.times(weights))[free]
        try:
            base, slope = hessian.solved(free, np.stack([wanted, np.ones(free.size)], axis=1)).T
        except np.linalg.LinAlgError:
            return None
        price = (needed - float(base.sum())) / float(slope.sum())
        weights[free] = base + price * slope
        slack = hessian.times(weights) - linear - price
        fresh = np.zeros_like(sides)
        fresh[(weights < lower) | ((sides < 0) & (slack >= 0))] = -1
        fresh[(weights > upper) | ((sides > 0) & (slack <= 0))] = 1
        if np.array_equal(fresh, sides):
            return weights, sides
        sides = fresh
    return None
