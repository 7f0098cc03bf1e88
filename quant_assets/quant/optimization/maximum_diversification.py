"""The portfolio of largest diversification ratio inside the constraints."""

from typing import ClassVar

import numpy as np

from quant_assets.quant.moments.covariance import Estimator
from quant_assets.quant.moments.covariances.given import GivenCovariance
from quant_assets.quant.optimization.base import (
    LONG_ONLY,
    Constraints,
    Optimizer,
    Problem,
    Solution,
)
from quant_assets.quant.optimization.delegation import answer_of
from quant_assets.quant.optimization.maximum_sharpe import MaximumSharpe

__all__ = ["MaximumDiversification"]


class MaximumDiversification(Optimizer):
    """Maximise `w's / sqrt(w' Sigma w)`, s the volatilities (Choueifaty & Coignard 2008).

    The maximum Sharpe ratio of assets whose expected returns are their volatilities, and solved
    as that. Objective: the diversification ratio, 1 or more for long-only portfolios.
    """

    name: ClassVar[str] = "maximum_diversification"
    keeps_rules: ClassVar[bool] = MaximumSharpe.keeps_rules

    def __init__(
        self, *, constraints: Constraints = LONG_ONLY, covariance: Estimator = "ledoit_wolf"
    ) -> None:
        super().__init__(constraints=constraints)
        self.covariance = covariance

    def _solve(self, problem: Problem) -> Solution:
        covariance = problem.covariance(self.covariance)
        volatility = np.sqrt(np.diag(covariance))
        inner = MaximumSharpe(
            constraints=self.constraints,
            periods_per_year=1.0,
            covariance=GivenCovariance(covariance),
        ).fit(problem.returns, expected_returns=volatility)
        return answer_of(inner, objective=inner.solver_report_.objective)
