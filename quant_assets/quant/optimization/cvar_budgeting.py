"""Every asset contributes its own share of the conditional value at risk."""

from typing import ClassVar

import numpy as np

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


class CVaRBudgeting(Optimizer):
    """`w_i dCVaR/dw_i = b_i CVaR`, w > 0, summing to the budget; no other constraint.

    Minimises `CVaR(x) - sum(b log x)` over x > 0 (Bruder & Roncalli 2012) by cvxpy: an exponential
    cone program, so that it does not enter a tournament by default. `budgets` (asset,) are
    positive and are scaled to sum 1, None for equal ones. CVaR must be positive for every
    portfolio; with an asset that hardly ever loses it may not be, which is a `SolverError`.
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
        answer = programs.cvar_budget(problem.returns / size, tail, budgets)
        weights = answer.weights / size
        weights *= self.constraints.budget / weights.sum()
        return Solution(
            weights,
            answer.solver,
            objective=tail_mean_loss(problem.returns @ weights, tail),
            iterations=answer.iterations,
        )
