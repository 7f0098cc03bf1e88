"""The portfolio of largest mean-variance utility inside the constraints."""

from typing import ClassVar

from quant_assets.core.errors import ConfigError
from quant_assets.quant.optimization.base import (
    LONG_ONLY,
    Constraints,
    Optimizer,
    Problem,
    Solution,
)
from quant_assets.quant.optimization.solvers.quadratic import minimise


class MeanVariance(Optimizer):
    """Maximise `mu'w - (lambda/2) w' Sigma w`, both per period (Markowitz 1952).

    mu is the annual expected return / `periods_per_year`, or the sample mean without one. The
    answer does not depend on the unit of time. Objective: utility per period.
    """

    name: ClassVar[str] = "mean_variance"

    def __init__(
        self,
        *,
        constraints: Constraints = LONG_ONLY,
        risk_aversion: float = 5.0,
        periods_per_year: float = 252.0,
        covariance: str = "ledoit_wolf",
    ) -> None:
        super().__init__(constraints=constraints)
        self.risk_aversion = risk_aversion
        self.periods_per_year = periods_per_year
        self.covariance = covariance

    def _solve(self, problem: Problem) -> Solution:
        if not self.risk_aversion > 0:
            raise ConfigError(f"risk_aversion is {self.risk_aversion}; give a positive number")
        covariance = problem.covariance(self.covariance)
        mean = problem.mean(self.periods_per_year)
        region = self.constraints.region(problem.n_assets)
        answer = minimise(covariance, mean / self.risk_aversion, region)
        weights = answer.weights
        risk = float(weights @ covariance @ weights)
        return Solution(
            weights,
            answer.solver,
            objective=float(mean @ weights) - self.risk_aversion / 2 * risk,
            iterations=answer.iterations,
            fallback=answer.fallback,
        )
