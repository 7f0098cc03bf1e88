"""The portfolio of largest mean-variance utility inside the constraints."""

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError
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

__all__ = ["MeanVariance"]

Floats = npt.NDArray[np.float64]


class MeanVariance(Optimizer):
    """Maximise `mu'w - (lambda/2) w' Sigma w`, both per period (Markowitz 1952).

    mu is the annual expected return / `periods_per_year`, or the sample mean without one. The
    answer does not depend on the unit of time. Objective: utility per period.
    """

    name: ClassVar[str] = "mean_variance"
    keeps_rules: ClassVar[bool] = True
    pays_costs: ClassVar[bool] = True

    def __init__(
        self,
        *,
        constraints: Constraints = LONG_ONLY,
        risk_aversion: float = 5.0,
        periods_per_year: float = 252.0,
        covariance: Estimator = "ledoit_wolf",
    ) -> None:
        super().__init__(constraints=constraints)
        self.risk_aversion = risk_aversion
        self.periods_per_year = periods_per_year
        self.covariance = covariance

    def _solve(self, problem: Problem) -> Solution:
        if not self.risk_aversion > 0:
            raise ConfigError(f"risk_aversion is {self.risk_aversion}; give a positive number")
        hessian = hessian_of(problem.returns, self.covariance)
        mean, aversion = problem.mean(self.periods_per_year), self.risk_aversion
        rules = self.constraints.rules

        def utility(weights: Floats) -> float:
            gain = float(mean @ weights) - sum(rule.cost(weights) for rule in rules)
            return gain - aversion / 2 * hessian.variance(weights)

        answer = best(
            self.constraints.region(problem.n_assets),
            lambda region: minimise(hessian, mean / aversion, region, cost_unit=1.0 / aversion),
            lambda weights: -utility(weights),
        )
        return Solution(
            answer.weights,
            answer.solver,
            objective=utility(answer.weights),
            iterations=answer.iterations,
            fallback=answer.fallback,
            gap=answer.gap,
        )
