"""The portfolio of least conditional value at risk inside the constraints."""

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError
from quant_assets.quant.optimization.base import (
    LONG_ONLY,
    Constraints,
    Optimizer,
    Problem,
    Solution,
)
from quant_assets.quant.optimization.solvers import convex
from quant_assets.quant.optimization.solvers.quadratic import Answer, within_gross

Floats = npt.NDArray[np.float64]
ACCEPTED_GAP = 1e-9


class MinimumCVaR(Optimizer):
    """Minimise the mean loss of the worst `T (1 - level)` rows, a fractional number of rows.

    Rockafellar & Uryasev (2000), solved as its dual linear program, which has one row per asset
    instead of one per period. Objective: that mean loss per period, losses positive.
    """

    name: ClassVar[str] = "minimum_cvar"

    def __init__(self, *, constraints: Constraints = LONG_ONLY, level: float = 0.95) -> None:
        super().__init__(constraints=constraints)
        self.level = level

    def _solve(self, problem: Problem) -> Solution:
        if not 0 < self.level < 1:
            raise ConfigError(f"level is {self.level}; a CVaR level lies between 0 and 1")
        tail = len(problem.returns) * (1.0 - self.level)
        size = float(problem.returns.std())
        scaled = problem.returns / size if size > 0 else problem.returns
        answer = _minimise(scaled, tail, self.constraints.region(problem.n_assets))
        return Solution(
            answer.weights,
            answer.solver,
            objective=tail_mean_loss(problem.returns @ answer.weights, tail),
            iterations=answer.iterations,
            fallback=answer.fallback,
        )


def tail_mean_loss(returns: Floats, tail: float) -> float:
    """Mean loss of the worst `tail` rows of `returns` (time,); a part of a row counts as a part."""
    losses = np.sort(-returns)[::-1]
    whole = min(int(tail), len(losses) - 1)
    total = float(losses[:whole].sum()) + (tail - whole) * float(losses[whole])
    return total / tail


def _minimise(returns: Floats, tail: float, region: convex.Region) -> Answer:
    weights, bound, iterations = _dual_program(returns, tail, region)
    if weights is not None and within_gross(weights, region):
        reached = tail_mean_loss(returns @ weights, tail)
        if reached - bound <= ACCEPTED_GAP * max(1.0, abs(bound)):
            return Answer(weights, "highs dual", iterations)
    slow = convex.minimum_cvar(returns, tail, region)
    return Answer(slow.weights, slow.solver, slow.iterations, "cvxpy")


def _dual_program(
    returns: Floats, tail: float, region: convex.Region
) -> tuple[Floats | None, float, int]:
    """Weights, the dual bound on the loss, and iterations; weights None when HiGHS gives up.

    Dual over row probabilities p in [0, 1/tail], sum(p) = 1, the budget's price v and the upper
    bounds' prices c >= 0: minimise `p'R l - v (budget - sum(l)) + c'(u - l)` subject to
    `R'p + v - c <= 0`, whose row prices are `w - l`.
    """
    from scipy.optimize import linprog

    n_rows, n_assets = returns.shape
    box = region.box
    cost = np.concatenate(
        [returns @ box.lower, [box.lower.sum() - box.budget], box.upper - box.lower]
    )
    matrix = np.hstack([returns.T, np.ones((n_assets, 1)), -np.eye(n_assets)])
    total = np.concatenate([np.ones(n_rows), np.zeros(1 + n_assets)])[None, :]
    upper = np.concatenate([np.full(n_rows, 1.0 / tail), np.full(1 + n_assets, np.inf)])
    lower = np.zeros(len(upper))
    lower[n_rows] = -np.inf
    result: Any = linprog(  # type: ignore[call-overload] # the stubs want tuples as bounds
        cost,
        A_ub=matrix,
        b_ub=np.zeros(n_assets),
        A_eq=total,
        b_eq=[1.0],
        bounds=np.column_stack([lower, upper]),
        method="highs-ds",
        options={"presolve": False},
    )
    if result.status != 0:
        return None, float("nan"), int(result.nit)
    weights = box.repaired(box.lower - np.asarray(result.ineqlin.marginals))
    return weights, -float(result.fun), int(result.nit)
