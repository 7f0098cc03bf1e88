"""The portfolio of least conditional drawdown at risk inside the constraints."""

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError
from quant_assets.quant.optimization.base import (
    LONG_ONLY,
    Constraints,
    Optimizer,
    Problem,
    Solution,
)
from quant_assets.quant.optimization.solvers import programs
from quant_assets.quant.optimization.solvers.convex import Region
from quant_assets.quant.optimization.solvers.quadratic import Answer
from quant_assets.quant.optimization.solvers.ruled import best
from quant_assets.quant.optimization.solvers.tail import tail_mean_loss

__all__ = ["MinimumCDaR"]

Floats = npt.NDArray[np.float64]


class MinimumCDaR(Optimizer):
    """Minimise the mean of the worst `T (1 - level)` drawdowns, a fractional number of rows.

    Drawdowns of the uncompounded sum of returns, which starts at 0 before the first row
    (Chekhlov, Uryasev & Zabarankin 2005): the program is then linear. As many rows as periods make
    it slow, so that it does not enter a tournament by default. Objective: that mean, positive.
    """

    name: ClassVar[str] = "minimum_cdar"
    is_entrant: ClassVar[bool] = False
    keeps_rules: ClassVar[bool] = True

    def __init__(self, *, constraints: Constraints = LONG_ONLY, level: float = 0.95) -> None:
        super().__init__(constraints=constraints)
        self.level = level

    def _solve(self, problem: Problem) -> Solution:
        if not 0 < self.level < 1:
            raise ConfigError(f"level is {self.level}; a CDaR level lies between 0 and 1")
        tail = len(problem.returns) * (1.0 - self.level)
        size = float(problem.returns.std()) or 1.0
        scaled = problem.returns / size

        def solve(region: Region) -> Answer:
            found = programs.minimum_cdar(scaled, tail, region)
            return Answer(found.weights, found.solver, found.iterations)

        def depth(weights: Floats) -> float:
            return tail_mean_loss(drawdowns(scaled @ weights), tail)

        answer = best(self.constraints.region(problem.n_assets), solve, depth)
        return Solution(
            answer.weights,
            answer.solver,
            objective=size * depth(answer.weights),
            iterations=answer.iterations,
        )


def drawdowns(returns: Floats) -> Floats:
    """Uncompounded drawdowns (time,), 0 or negative: the sum so far less its peak, 0 included."""
    total = np.cumsum(returns)
    return np.asarray(total - np.maximum(np.maximum.accumulate(total), 0.0))
