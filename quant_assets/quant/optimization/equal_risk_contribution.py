"""Risk parity: every asset contributes the same share of the variance."""

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from quant_assets.quant.moments.covariance import Estimator
from quant_assets.quant.optimization.base import (
    LONG_ONLY,
    Constraints,
    Optimizer,
    Problem,
    Solution,
)
from quant_assets.quant.optimization.solvers.risk_budget import balanced_weights, budget_error

__all__ = ["EqualRiskContribution"]

Floats = npt.NDArray[np.float64]


class EqualRiskContribution(Optimizer):
    """`w_i (Sigma w)_i` equal for all i, w > 0, summing to the budget; no other constraint.

    Minimises `x'Cx/2 - mean(log x)` with the correlation matrix C by cyclical coordinate descent
    (Maillard, Roncalli & Teiletche 2010; Griveau-Billion, Richard & Roncalli 2013), by damped
    Newton steps (Spinu 2013) where that is slow; `w_i = x_i / s_i`, scaled.
    Objective: the largest deviation of a risk share from 1/n.
    """

    name: ClassVar[str] = "equal_risk_contribution"
    keeps_constraints: ClassVar[bool] = False

    def __init__(
        self, *, constraints: Constraints = LONG_ONLY, covariance: Estimator = "ledoit_wolf"
    ) -> None:
        super().__init__(constraints=constraints)
        self.covariance = covariance

    def _solve(self, problem: Problem) -> Solution:
        covariance = problem.covariance(self.covariance)
        found = balanced_weights(covariance, np.full(problem.n_assets, 1.0 / problem.n_assets))
        return Solution(
            self.constraints.budget * found.weights,
            found.solver,
            objective=found.error,
            iterations=found.iterations,
            fallback=found.fallback,
        )


def share_error(matrix: Floats, weights: Floats) -> float:
    """Largest distance of a risk share `w_i (Mw)_i / w'Mw` from 1/n."""
    return budget_error(matrix, weights, np.full(len(weights), 1.0 / len(weights)))
