"""The portfolio of least downside risk inside the constraints."""

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from quant_assets.quant.moments.rows import gram
from quant_assets.quant.optimization.base import (
    LONG_ONLY,
    Constraints,
    Optimizer,
    Problem,
    Solution,
)
from quant_assets.quant.optimization.solvers import programs
from quant_assets.quant.optimization.solvers.convex import Region
from quant_assets.quant.optimization.solvers.newton import Slope, climb
from quant_assets.quant.optimization.solvers.quadratic import Answer
from quant_assets.quant.optimization.solvers.ruled import best, nearest

__all__ = ["MinimumSemivariance"]

Floats = npt.NDArray[np.float64]
ACCEPTED = 1e-10


class MinimumSemivariance(Optimizer):
    """Minimise `mean(min(R w - target, 0)^2)` over all rows (Markowitz 1959, chapter 9).

    `target` is a return per period. Newton steps, each over the rows that fall short; cvxpy where
    they do not come to rest. Objective: the semivariance per period.
    """

    name: ClassVar[str] = "minimum_semivariance"
    keeps_rules: ClassVar[bool] = True

    def __init__(self, *, constraints: Constraints = LONG_ONLY, target: float = 0.0) -> None:
        super().__init__(constraints=constraints)
        self.target = target

    def _solve(self, problem: Problem) -> Solution:
        size = float(problem.returns.std()) or 1.0
        rows, target = problem.returns / size, self.target / size

        def value_at(weights: Floats) -> float:
            return -0.5 * semivariance(rows @ weights, target)

        def slope_at(weights: Floats) -> Slope:
            short = np.minimum(rows @ weights - target, 0.0)
            below = rows[short < 0.0]
            return Slope(value_at(weights), -(short @ rows) / len(rows), gram(below) / len(rows))

        def solve(region: Region) -> Answer:
            start = nearest(np.full(problem.n_assets, 1.0 / problem.n_assets), region).weights
            found = climb(slope_at, value_at, start, region)
            if found.promise <= ACCEPTED * max(abs(found.slope.value), 1e-6):
                return Answer(found.weights, "newton steps", found.steps)
            slow = programs.minimum_semivariance(rows, target, region)
            return Answer(slow.weights, slow.solver, slow.iterations, "cvxpy")

        answer = best(
            self.constraints.region(problem.n_assets), solve, lambda weights: -value_at(weights)
        )
        return Solution(
            answer.weights,
            answer.solver,
            objective=semivariance(problem.returns @ answer.weights, self.target),
            iterations=answer.iterations,
            fallback=answer.fallback,
        )


def semivariance(returns: Floats, target: float) -> float:
    """`mean(min(r - target, 0)^2)` of `returns` (time,)."""
    short = np.minimum(returns - target, 0.0)
    return float(short @ short) / len(returns)
