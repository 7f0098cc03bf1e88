"""Weights in proportion to 1 / volatility."""

from typing import ClassVar

import numpy as np

from quant_assets.core.errors import SolverError
from quant_assets.quant.moments.covariance import Estimator
from quant_assets.quant.optimization.base import (
    LONG_ONLY,
    Constraints,
    Optimizer,
    Problem,
    Solution,
)

__all__ = ["InverseVolatility"]


class InverseVolatility(Optimizer):
    """`w_i = budget (1/s_i) / sum(1/s)`: risk parity when all correlations are equal.

    Objective: variance per period. A constant asset (s = 0) is a `SolverError`.
    """

    name: ClassVar[str] = "inverse_volatility"
    keeps_constraints: ClassVar[bool] = False

    def __init__(
        self, *, constraints: Constraints = LONG_ONLY, covariance: Estimator = "ledoit_wolf"
    ) -> None:
        super().__init__(constraints=constraints)
        self.covariance = covariance

    def _solve(self, problem: Problem) -> Solution:
        covariance = problem.covariance(self.covariance)
        variance = np.diag(covariance)
        if not (variance > 0).all():
            raise SolverError(
                f"asset {int(variance.argmin())} has variance {variance.min():g}: inverse "
                "volatility is not defined. Drop constant assets, or shrink the covariance."
            )
        inverse = 1.0 / np.sqrt(variance)
        weights = self.constraints.budget * inverse / inverse.sum()
        return Solution(weights, "closed form", objective=float(weights @ covariance @ weights))
