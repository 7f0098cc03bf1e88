"""Least mean loss of the worst rows: by pivots over the tied rows, or by cvxpy and HiGHS."""

import numpy as np
import numpy.typing as npt

from quant_assets.quant.optimization.solvers import convex
from quant_assets.quant.optimization.solvers.active_set import FREE, Box
from quant_assets.quant.optimization.solvers.quadratic import Answer, within_gross

__all__ = ["minimise", "tail_mean_loss"]

Floats = npt.NDArray[np.float64]
ACCEPTED_GAP = 1e-9
STEPS = 500  # a few times what any problem took that comes to an end


def minimise(returns: Floats, tail: float, region: convex.Region) -> Answer:
    """Minimise the mean loss of the worst `tail` (fractional) rows of `returns @ w`.

    returns : (time, asset). The answer's gap is proven by the dual: the best portfolio against
    fixed probabilities of the rows. cvxpy answers where rules, cash or the gross limit matter, or
    where the pivots end nowhere (many equal rows or assets), which is a fallback.
    """
    size = float(returns.std())
    scaled = np.ascontiguousarray(returns / size if size > 0 else returns)
    is_plain = not region.rules and region.min_net is None
    fast = _pivoted(scaled, tail, region) if is_plain else None
    if fast is not None:
        return fast
    slow = convex.minimum_cvar(scaled, tail, region)
    return Answer(slow.weights, slow.solver, slow.iterations, "cvxpy" if is_plain else "")


def tail_mean_loss(returns: Floats, tail: float) -> float:
    """Mean loss of the worst `tail` rows of `returns` (time,); a part of a row counts as a part."""
    losses = np.sort(-returns)[::-1]
    whole = min(int(tail), len(losses) - 1)
    total = float(losses[:whole].sum()) + (tail - whole) * float(losses[whole])
    return total / tail


def _pivoted(returns: Floats, tail: float, region: convex.Region) -> Answer | None:
    """Return the kernel's answer when its gap is small and the gross limit holds."""
    from quant_assets.quant.optimization.solvers.tail_kernel import (
        CONVERGED,
        Program,
        minimise_tail,
    )

    box = region.box
    start, first = _first_vertex(box, -returns.std(axis=0))
    program = Program(returns, box.lower, box.upper, box.budget, 1.0 / tail)
    status, steps, chances = minimise_tail(program, start, first, STEPS + 20 * len(start))
    weights = box.repaired(start)
    if status != CONVERGED or not within_gross(weights, region):
        return None
    reached = tail_mean_loss(returns @ weights, tail)
    expected = (chances / chances.sum()) @ returns
    bound = -float(expected @ box.vertex(expected)[0])
    excess = reached - bound
    if excess > ACCEPTED_GAP * max(1.0, abs(bound)):
        return None
    # next to a loss of zero, a relative gap says nothing
    gap = excess / abs(bound) if abs(bound) > ACCEPTED_GAP else float("nan")
    return Answer(weights, "tail pivots", steps, gap=gap)


def _first_vertex(box: Box, score: Floats) -> tuple[Floats, int]:
    """Return the vertex of largest score, and the asset that may move first."""
    weights, states = box.vertex(score)
    inside = np.flatnonzero(states == FREE)
    if inside.size:
        return weights, int(inside[0])
    return weights, int((box.upper - box.lower).argmax())
