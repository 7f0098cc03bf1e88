"""The portfolio of least variance inside the constraints."""

from typing import ClassVar

import numpy as np

from quant_assets.quant.moments.covariance import Estimator
from quant_assets.quant.optimization.base import (
    LONG_ONLY,
    Constraints,
    Optimizer,
    Problem,
    Solution,
)
from quant_assets.quant.optimization.solvers.hessian import hessian_of
from quant_assets.quant.optimization.solvers.quadratic import minimise
from quant_assets.quant.optimization.solvers.ruled import best

__all__ = ["MinimumVariance"]


class MinimumVariance(Optimizer):
    """Minimise `w' Sigma w` (Markowitz 1952). Objective: variance per period."""

    name: ClassVar[str] = "minimum_variance"
    keeps_rules: ClassVar[bool] = True

    def __init__(
        self, *, constraints: Constraints = LONG_ONLY, covariance: Estimator = "ledoit_wolf"
    ) -> None:
        super().__init__(constraints=constraints)
        self.covariance = covariance

    def _solve(self, problem: Problem) -> Solution:
        hessian = hessian_of(problem.returns, self.covariance)
        nothing = np.zeros(problem.n_assets)
        answer = best(
            self.constraints.region(problem.n_assets),
            lambda region: minimise(hessian, nothing, region),
            hessian.variance,
        )
        return Solution(
            answer.weights,
            answer.solver,
            objective=hessian.variance(answer.weights),
            iterations=answer.iterations,
            fallback=answer.fallback,
            gap=answer.gap,
        )
