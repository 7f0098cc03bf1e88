"""The portfolio of least conditional value at risk inside the constraints."""

from typing import ClassVar

from quant_assets.core.errors import ConfigError
from quant_assets.quant.optimization.base import (
    LONG_ONLY,
    Constraints,
    Optimizer,
    Problem,
    Solution,
)
from quant_assets.quant.optimization.solvers.ruled import best
from quant_assets.quant.optimization.solvers.tail import minimise, tail_mean_loss

__all__ = ["MinimumCVaR"]


class MinimumCVaR(Optimizer):
    """Minimise the mean loss of the worst `T (1 - level)` rows, a fractional number of rows.

    Rockafellar & Uryasev (2000); a simplex method over the rows at the edge of the tail, whose
    answer is proven by its dual. Objective: that mean loss per period, losses positive.
    """

    name: ClassVar[str] = "minimum_cvar"
    keeps_rules: ClassVar[bool] = True

    def __init__(self, *, constraints: Constraints = LONG_ONLY, level: float = 0.95) -> None:
        super().__init__(constraints=constraints)
        self.level = level

    def _solve(self, problem: Problem) -> Solution:
        if not 0 < self.level < 1:
            raise ConfigError(f"level is {self.level}; a CVaR level lies between 0 and 1")
        returns, tail = problem.returns, len(problem.returns) * (1.0 - self.level)
        answer = best(
            self.constraints.region(problem.n_assets),
            lambda region: minimise(returns, tail, region),
            lambda weights: tail_mean_loss(returns @ weights, tail),
        )
        return Solution(
            answer.weights,
            answer.solver,
            objective=tail_mean_loss(returns @ answer.weights, tail),
            iterations=answer.iterations,
            fallback=answer.fallback,
            gap=answer.gap,
        )
