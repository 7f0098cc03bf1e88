"""Variance problems by the active set, or by cvxpy where a gross limit binds or it fails."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quant_assets.quant.optimization.solvers import active_set, convex

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Answer:
    """Weights in the region, and how they were found."""

    weights: Floats
    solver: str
    iterations: int
    fallback: str = ""


def minimise(covariance: Floats, linear: Floats, region: convex.Region) -> Answer:
    """Minimise `w' Sigma w / 2 - c'w` over `region`, in any unit of variance."""
    hessian, factor = active_set.scaled(covariance)
    fast = active_set.solve(hessian, linear * factor, region.box)
    if fast.is_optimal and within_gross(fast.weights, region):
        return Answer(fast.weights, "active set", fast.iterations)
    slow = convex.quadratic(hessian, linear * factor, region)
    return Answer(slow.weights, slow.solver, slow.iterations, "cvxpy")


def within_gross(weights: Floats, region: convex.Region) -> bool:
    """Whether the weights keep the gross limit."""
    if not region.gross_may_bind or region.max_gross is None:
        return True
    return float(np.abs(weights).sum()) <= region.max_gross
