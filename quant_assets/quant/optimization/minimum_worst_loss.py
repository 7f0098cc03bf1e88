"""The portfolio whose worst period is least bad."""

from typing import ClassVar

from quant_assets.quant.optimization.base import Optimizer, Problem, Solution
from quant_assets.quant.optimization.solvers.ruled import best
from quant_assets.quant.optimization.solvers.tail import minimise

__all__ = ["MinimumWorstLoss"]

WORST_ROW = 1.0


class MinimumWorstLoss(Optimizer):
    """Minimise the largest loss of any row: the minimax rule of Young (1998).

    The limit of minimum CVaR for a tail of one row. Objective: that loss, positive.
    """

    name: ClassVar[str] = "minimum_worst_loss"
    keeps_rules: ClassVar[bool] = True

    def _solve(self, problem: Problem) -> Solution:
        returns = problem.returns
        answer = best(
            self.constraints.region(problem.n_assets),
            lambda region: minimise(returns, WORST_ROW, region),
            lambda weights: -float((returns @ weights).min()),
        )
        return Solution(
            answer.weights,
            answer.solver,
            objective=-float((returns @ answer.weights).min()),
            iterations=answer.iterations,
            fallback=answer.fallback,
            gap=answer.gap,
        )
