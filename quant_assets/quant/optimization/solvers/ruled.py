"""Convex problems with discrete rules on top, and the words for those without an answer."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import SolverError
from quant_assets.quant.optimization.solvers import convex
from quant_assets.quant.optimization.solvers.active_set import Box
from quant_assets.quant.optimization.solvers.conflicts import conflict
from quant_assets.quant.optimization.solvers.convex import InfeasibleError, Region
from quant_assets.quant.optimization.solvers.hessian import Whole
from quant_assets.quant.optimization.solvers.quadratic import Answer, minimise_scaled
from quant_assets.quant.optimization.solvers.rule import DiscreteRule, Node
from quant_assets.quant.optimization.solvers.search import Relaxed, search

__all__ = ["best", "is_feasible", "nearest"]

Floats = npt.NDArray[np.float64]
ROOM = 1e-12


def best(
    region: Region, solve: Callable[[Region], Answer], value: Callable[[Floats], float]
) -> Answer:
    """Return the answer of `solve` over `region`, searched for where it has discrete rules.

    `solve` minimises `value` over a region without discrete rules, or raises `InfeasibleError`. An
    empty region is an `InfeasibleError` that names the conflicting constraints.
    """
    answer = _searched(region, solve, value)
    if answer is None:
        raise InfeasibleError(conflict(region, is_feasible))
    return answer


def nearest(target: Floats, region: Region) -> Answer:
    """Return the weights of `region` nearest to `target` (asset,), in the Euclidean distance."""
    eye = Whole(np.eye(len(target)))
    return best(
        region,
        lambda part: minimise_scaled(eye, target, part),
        lambda weights: float(((weights - target) ** 2).sum()),
    )


def is_feasible(region: Region) -> bool:
    """Whether any weights keep all constraints."""
    if not any(isinstance(rule, DiscreteRule) for rule in region.rules):
        return convex.is_feasible(region)
    middle = 0.5 * (region.box.lower + region.box.upper)
    eye = Whole(np.eye(len(middle)))
    found = _searched(region, lambda part: minimise_scaled(eye, middle, part), lambda _: 0.0)
    return found is not None


def _searched(
    region: Region, solve: Callable[[Region], Answer], value: Callable[[Floats], float]
) -> Answer | None:
    discrete = [rule for rule in region.rules if isinstance(rule, DiscreteRule)]
    convex_rules = tuple(rule for rule in region.rules if not isinstance(rule, DiscreteRule))
    lower, upper, budget = region.box.lower, region.box.upper, region.box.budget
    least = budget if region.min_net is None else region.min_net
    if not discrete:
        return _solved(region, least, solve)
    iterations, gap, fallback = 0, 0.0, ""

    def relax(node: Node) -> Relaxed | None:
        nonlocal iterations, gap, fallback
        box = Box(budget, node.lower, node.upper)
        part = _solved(replace(region, box=box, rules=convex_rules), least, solve)
        if part is None:
            return None
        iterations += part.iterations
        fallback = part.fallback or fallback
        gap = float(np.maximum(gap, part.gap))  # NaN stays
        return Relaxed(part.weights, value(part.weights), part.solver)

    root = Node(lower, upper, np.zeros(len(lower), dtype=np.bool_))
    found = search(relax, root, discrete)
    if found is None:
        return None
    name = f"branch and bound over {found.relaxed.solver}"
    return Answer(found.relaxed.weights, name, iterations, fallback, found.gap + gap)


def _solved(region: Region, least: float, solve: Callable[[Region], Answer]) -> Answer | None:
    """Return the answer over a region without discrete rules; None when it is empty."""
    box = region.box
    crossed = bool((box.lower > box.upper).any()) or least > box.budget + ROOM
    if crossed or box.lower.sum() > box.budget + ROOM or box.upper.sum() < least - ROOM:
        return None
    try:
        return solve(region)
    except InfeasibleError:
        return None
    except SolverError:
        # an interior point may break down where there is nothing inside
        if convex.is_feasible(region):
            raise
        return None
