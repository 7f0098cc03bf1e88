"""The portfolio whose worst period is least bad."""

from typing import ClassVar

from quant_assets.quant.optimization.base import Optimizer, Problem, Solution
from quant_assets.quant.optimization.solvers.tail import minimise, tail_mean_loss

WORST_ROW = 1.0


class MinimumWorstLoss(Optimizer):
    """Minimise the largest loss of any row: the minimax rule of Young (1998).

    The limit of minimum CVaR for a tail of one row. Objective: that loss, positive.
    """

    name: ClassVar[str] = "minimum_worst_loss"
    keeps_rules: ClassVar[bool] = True

    def _solve(self, problem: Problem) -> Solution:
        region = self.constraints.region(problem.n_assets)
        answer = minimise(problem.returns, WORST_ROW, region)
        return Solution(
            answer.weights,
            answer.solver,
            objective=tail_mean_loss(problem.returns @ answer.weights, WORST_ROW),
            iterations=answer.iterations,
            fallback=answer.fallback,
            gap=answer.gap,
        )
