"""Risk budgeting: every asset contributes its own share of the variance."""

from typing import ClassVar

import numpy as np

from quant_assets.core.errors import ConfigError
from quant_assets.quant.moments.covariance import Estimator
from quant_assets.quant.optimization.base import (
    LONG_ONLY,
    Constraints,
    Optimizer,
    Problem,
    Solution,
)
from quant_assets.quant.optimization.solvers.risk_budget import Floats, balanced_weights

__all__ = ["RiskBudgeting"]


class RiskBudgeting(Optimizer):
    """`w_i (Sigma w)_i / w' Sigma w = b_i`, w > 0, summing to the budget; no other constraint.

    `budgets` (asset,) are positive and are scaled to sum 1. Solved as equal risk contributions are
    (Bruder & Roncalli 2012). Objective: the largest deviation of a risk share from its budget.
    """

    name: ClassVar[str] = "risk_budgeting"
    is_entrant: ClassVar[bool] = False
    keeps_constraints: ClassVar[bool] = False

    def __init__(
        self,
        *,
        budgets: tuple[float, ...],
        constraints: Constraints = LONG_ONLY,
        covariance: Estimator = "ledoit_wolf",
    ) -> None:
        super().__init__(constraints=constraints)
        self.budgets = budgets
        self.covariance = covariance

    def _solve(self, problem: Problem) -> Solution:
        budgets = shares_of(self.budgets, problem.n_assets)
        found = balanced_weights(problem.covariance(self.covariance), budgets)
        return Solution(
            self.constraints.budget * found.weights,
            found.solver,
            objective=found.error,
            iterations=found.iterations,
            fallback=found.fallback,
        )


def shares_of(budgets: tuple[float, ...], n_assets: int) -> Floats:
    """Risk budgets scaled to sum 1; anything but one positive number per asset is refused."""
    values = np.asarray(budgets, dtype=np.float64)
    if values.shape != (n_assets,) or not (np.isfinite(values) & (values > 0)).all():
        raise ConfigError(f"budgets must be {n_assets} positive numbers, one per asset: {budgets}")
    return np.asarray(values / values.sum())
