"""Variance problems: by the active set where it can, else by cvxpy, and the answer says which."""

from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
import numpy.typing as npt

from quant_assets.quant.optimization.solvers import convex, limited
from quant_assets.quant.optimization.solvers.active_set import ActiveSet, Box, QuadraticSolution
from quant_assets.quant.optimization.solvers.distance import Distance
from quant_assets.quant.optimization.solvers.hessian import Hessian, WithCash, whole

__all__ = ["Answer", "distance_of", "minimise", "minimise_scaled", "within_gross"]

Floats = npt.NDArray[np.float64]
KEPT = 1e-12
ROOM = 1e-9


@dataclass(frozen=True)
class Answer:
    """Weights in the region, and how they were found.

    `gap` bounds how far the objective is from the best, relative to it; NaN: nothing is proven.
    """

    weights: Floats
    solver: str
    iterations: int
    fallback: str = ""
    gap: float = float("nan")


def minimise(
    covariance: Floats | Hessian, linear: Floats, region: convex.Region, *, cost_unit: float = 1.0
) -> Answer:
    """Minimise `w' Sigma w / 2 - c'w` and costs over `region`, in any unit of variance.

    `cost_unit` is what a cost of 1 is worth in this objective. An empty region is an
    `InfeasibleError`; discrete rules are not looked at.
    """
    hessian = covariance if isinstance(covariance, Hessian) else whole(covariance)
    unit = cost_unit * hessian.factor
    return minimise_scaled(hessian, linear * hessian.factor, region, cost_unit=unit)


def minimise_scaled(
    hessian: Hessian, linear: Floats, region: convex.Region, *, cost_unit: float = 1.0
) -> Answer:
    """Minimise `w'Hw/2 - c'w` and costs over `region`."""
    distance = distance_of(region)
    if distance is not None:
        fast = _fast(hessian, linear, region, distance.in_unit(cost_unit))
        if fast is not None:
            value = 0.5 * float(fast.weights @ hessian.times(fast.weights))
            value -= float(linear @ fast.weights)
            gap = fast.gap / abs(value) if value != 0 else float("nan")
            return Answer(fast.weights, "active set", fast.iterations, gap=gap)
    slow = convex.quadratic(hessian.matrix(), linear, region, cost_unit=cost_unit)
    fallback = "" if distance is None else "cvxpy"
    return Answer(slow.weights, slow.solver, slow.iterations, fallback, slow.gap)


def within_gross(weights: Floats, region: convex.Region) -> bool:
    """Whether the weights keep the gross limit."""
    if not region.gross_may_bind or region.max_gross is None:
        return True
    return float(np.abs(weights).sum()) <= region.max_gross + KEPT


def distance_of(region: convex.Region) -> Distance | None:
    """All rules as one limited and charged distance; None when they are more than that."""
    nothing = np.zeros(len(region.box.lower))
    distances = [rule.distance() for rule in region.rules]
    if not distances:
        return Distance(nothing, nothing)

    def both(one: Distance | None, other: Distance | None) -> Distance | None:
        return None if one is None or other is None else one.joined(other)

    return reduce(both, distances)


def _fast(
    hessian: Hessian, linear: Floats, region: convex.Region, distance: Distance
) -> QuadraticSolution | None:
    """Return the active set's answer, if it has one that keeps all limits."""
    is_free = not (distance.cost.any() or np.isfinite(distance.limit))
    if region.min_net is not None:
        return _with_cash(hessian, linear, region) if is_free else None
    if is_free:
        answer: QuadraticSolution | None = ActiveSet(hessian, region.box).solve(linear)
    else:
        answer = _limited(hessian, linear, region.box, distance)
    if is_free and answer is not None and not within_gross(answer.weights, region):
        gross = Distance(np.zeros(len(linear)), distance.cost, region.max_gross or 0.0)
        answer = _limited(hessian, linear, region.box, gross)
    if answer is None or not answer.is_optimal or not within_gross(answer.weights, region):
        return None
    return answer


def _limited(
    hessian: Hessian, linear: Floats, box: Box, distance: Distance
) -> QuadraticSolution | None:
    least = limited.least_distance(box, distance.positions)
    if least > distance.limit + ROOM:
        raise convex.InfeasibleError(f"distance of {least:g} or more, limit {distance.limit:g}")
    return limited.solve(hessian, linear, box, distance)


def _with_cash(hessian: Hessian, linear: Floats, region: convex.Region) -> QuadraticSolution | None:
    """Treat what is not invested as one more asset."""
    box, least = region.box, region.min_net or 0.0
    most = max(box.budget - least, 0.0)
    wider = Box(box.budget, np.append(box.lower, 0.0), np.append(box.upper, most))
    answer = ActiveSet(WithCash(hessian), wider).solve(np.append(linear, 0.0))
    weights = answer.weights[:-1]
    if not answer.is_optimal or not within_gross(weights, region):
        return None
    return replace(answer, weights=weights, states=answer.states[:-1])
