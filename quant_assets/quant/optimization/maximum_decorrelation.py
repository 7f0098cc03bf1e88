"""The portfolio of least average correlation inside the constraints."""

from typing import ClassVar

from quant_assets.quant.moments.covariance import Estimator
from quant_assets.quant.moments.covariances.base import to_correlation
from quant_assets.quant.moments.covariances.given import GivenCovariance
from quant_assets.quant.optimization.base import (
    LONG_ONLY,
    Constraints,
    Optimizer,
    Problem,
    Solution,
)
from quant_assets.quant.optimization.delegation import answer_of
from quant_assets.quant.optimization.minimum_variance import MinimumVariance

__all__ = ["MaximumDecorrelation"]


class MaximumDecorrelation(Optimizer):
    """Minimise `w' C w`, C the correlation matrix (Christoffersen, Errunza, Jacobs & Jin 2012).

    Minimum variance as if all volatilities were 1. Objective: `w' C w`.
    """

    name: ClassVar[str] = "maximum_decorrelation"
    keeps_rules: ClassVar[bool] = MinimumVariance.keeps_rules

    def __init__(
        self, *, constraints: Constraints = LONG_ONLY, covariance: Estimator = "ledoit_wolf"
    ) -> None:
        super().__init__(constraints=constraints)
        self.covariance = covariance

    def _solve(self, problem: Problem) -> Solution:
        correlation = to_correlation(problem.covariance(self.covariance))[0]
        inner = MinimumVariance(
            constraints=self.constraints, covariance=GivenCovariance(correlation)
        ).fit(problem.returns)
        weights = inner.weights_
        return answer_of(inner, objective=float(weights @ correlation @ weights))
