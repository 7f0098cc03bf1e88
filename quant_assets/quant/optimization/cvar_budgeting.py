"""Every asset contributes its own share of the conditional value at risk."""

from typing import ClassVar

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
from quant_assets.quant.optimization.risk_budgeting import shares_of
from quant_assets.quant.optimization.solvers import programs
from quant_assets.quant.optimization.solvers.tail import tail_mean_loss

__all__ = ["CVaRBudgeting"]

Floats = npt.NDArray[np.float64]
TIED = 1e-5  # an interior point leaves tied rows this near to each other
EXACT = 1e-10
STEPS = 8


class CVaRBudgeting(Optimizer):
    """`w_i dCVaR/dw_i = b_i CVaR`, w > 0, summing to the budget; no other constraint.

    Minimises `CVaR(x) - sum(b log x)` over x > 0 (Bruder & Roncalli 2012) by cvxpy: an exponential
    cone program, so that it does not enter a tournament by default. Newton steps on the optimality
    conditions, with the rows that tie at the threshold, then make the shares exact; the report's
    solver says so. `budgets` (asset,) are positive and are scaled to sum 1, None for equal ones.
    CVaR must be positive for every portfolio; with an asset that hardly ever loses it may not be,
    which is a `SolverError`.
    Objective: the CVaR per period, losses positive.
    """

    name: ClassVar[str] = "cvar_budgeting"
    is_entrant: ClassVar[bool] = False
    keeps_constraints: ClassVar[bool] = False

    def __init__(
        self,
        *,
        constraints: Constraints = LONG_ONLY,
        budgets: tuple[float, ...] | None = None,
        level: float = 0.95,
    ) -> None:
        super().__init__(constraints=constraints)
        self.budgets = budgets
        self.level = level

    def _solve(self, problem: Problem) -> Solution:
        if not 0 < self.level < 1:
            raise ConfigError(f"level is {self.level}; a CVaR level lies between 0 and 1")
        n_assets = problem.n_assets
        budgets = shares_of(self.budgets or (1.0,) * n_assets, n_assets)
        tail = len(problem.returns) * (1.0 - self.level)
        # assets of about the same size of loss: the weights are scaled back afterwards
        size = problem.returns.std(axis=0)
        size = np.where(size > 0, size, 1.0)
        rows = problem.returns / size
        answer = programs.cvar_budget(rows, tail, budgets)
        exact = polished(rows, tail, budgets, answer.weights)
        weights = (answer.weights if exact is None else exact) / size
        weights *= self.constraints.budget / weights.sum()
        return Solution(
            weights,
            answer.solver if exact is None else f"{answer.solver}, newton",
            objective=tail_mean_loss(problem.returns @ weights, tail),
            iterations=answer.iterations,
        )


def polished(rows: Floats, tail: float, budgets: Floats, near: Floats) -> Floats | None:
    """Exact positions from `near` (asset,), or None where they do not keep their conditions.

    Unknown are x, the threshold t and the probabilities p of the rows tied at t:
    `sum_i p_i L_i = b / x` over all rows (1 / tail above t, 0 below), `L_A x = t`, `sum p = 1`,
    with L = -rows. At the optimum the CVaR of x is the sum of the budgets.
    """
    losses = -rows
    position = near * (float(budgets.sum()) / tail_mean_loss(rows @ near, tail))
    depth = losses @ position
    threshold = float(np.sort(depth)[::-1][min(int(tail), len(depth) - 1)])
    tied = np.abs(depth - threshold) <= TIED * max(abs(threshold), float(depth.std()))
    above = (depth > threshold) & ~tied
    chances = np.full(int(tied.sum()), (1.0 - above.sum() / tail) / tied.sum())
    sure, ties = losses[above].sum(axis=0) / tail, losses[tied]
    for _ in range(STEPS):
        pull = sure + chances @ ties - budgets / position
        miss = ties @ position - threshold
        lack = above.sum() / tail + chances.sum() - 1.0
        step = _newton_step(ties, budgets / position**2, np.concatenate([pull, miss, [lack]]))
        n_assets = len(position)
        position = position - step[:n_assets]
        chances = chances - step[n_assets:-1]
        threshold -= float(step[-1])
        if not (position > 0).all():
            return None
    depth = losses @ position
    error = np.abs(position * (sure + chances @ ties) - budgets).max()
    is_right = error <= EXACT and (depth[above] >= threshold).all()
    is_right = is_right and (depth[~above & ~tied] <= threshold).all()
    fits = (chances >= -EXACT).all() and (chances <= 1.0 / tail + EXACT).all()
    return np.asarray(position) if is_right and fits else None


def _newton_step(ties: Floats, curvature: Floats, residual: Floats) -> Floats:
    """Solve for the steps of positions, chances and threshold; equal rows share their chances."""
    n_ties, n_assets = ties.shape
    size = n_assets + n_ties + 1
    system = np.zeros((size, size))
    system[:n_assets, :n_assets] = np.diag(curvature)
    system[:n_assets, n_assets:-1] = ties.T
    system[n_assets:-1, :n_assets] = ties
    system[n_assets:-1, -1] = -1.0
    system[-1, n_assets:-1] = 1.0
    return np.asarray(np.linalg.lstsq(system, residual, rcond=None)[0])
