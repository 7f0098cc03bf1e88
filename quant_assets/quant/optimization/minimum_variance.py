"""The portfolio of least variance inside the constraints."""

from typing import ClassVar

import numpy as np

from quant_assets.quant.optimization.base import (
    LONG_ONLY,
    Constraints,
    Optimizer,
    Problem,
    Solution,
)
from quant_assets.quant.optimization.solvers.quadratic import minimise


class MinimumVariance(Optimizer):
    """Minimise `w' Sigma w` (Markowitz 1952). Objective: variance per period."""

    name: ClassVar[str] = "minimum_variance"

    def __init__(
        self, *, constraints: Constraints = LONG_ONLY, covariance: str = "ledoit_wolf"
    ) -> None:
        super().__init__(constraints=constraints)
        self.covariance = covariance

    def _solve(self, problem: Problem) -> Solution:
        covariance = problem.covariance(self.covariance)
        region = self.constraints.region(problem.n_assets)
        answer = minimise(covariance, np.zeros(problem.n_assets), region)
        variance = float(answer.weights @ covariance @ answer.weights)
        return Solution(
            answer.weights,
            answer.solver,
            objective=variance,
            iterations=answer.iterations,
            fallback=answer.fallback,
        )
