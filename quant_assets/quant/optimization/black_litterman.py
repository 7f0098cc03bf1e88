"""Mean-variance after an equilibrium was blended with views."""

from typing import ClassVar

import numpy as np

from quant_assets.core.errors import ConfigError
from quant_assets.quant.moments.covariance import Estimator
from quant_assets.quant.moments.covariances.given import GivenCovariance
from quant_assets.quant.moments.means.equilibrium import EquilibriumMean
from quant_assets.quant.moments.views import View, absolute_view, black_litterman
from quant_assets.quant.optimization.base import (
    LONG_ONLY,
    Constraints,
    Optimizer,
    Problem,
    Solution,
)
from quant_assets.quant.optimization.delegation import answer_of
from quant_assets.quant.optimization.mean_variance import MeanVariance

__all__ = ["BlackLitterman"]


class BlackLitterman(Optimizer):
    """Maximise `mu'w - (lambda/2) w' Sigma w` at the posterior of Black & Litterman (1992).

    The prior is the equilibrium of `market_weights` (None: equal ones) at the same risk aversion;
    `views` are per period. Without views the expected returns given to `fit` are absolute views of
    classic uncertainty, and without those nothing is viewed. Sigma is the posterior's.
    Objective: utility per period at the posterior.
    """

    name: ClassVar[str] = "black_litterman"
    keeps_rules: ClassVar[bool] = MeanVariance.keeps_rules
    pays_costs: ClassVar[bool] = MeanVariance.pays_costs

    def __init__(
        self,
        *,
        constraints: Constraints = LONG_ONLY,
        views: tuple[View, ...] | None = None,
        market_weights: tuple[float, ...] | None = None,
        risk_aversion: float = 5.0,
        periods_per_year: float = 252.0,
        covariance: Estimator = "ledoit_wolf",
    ) -> None:
        super().__init__(constraints=constraints)
        self.views = views
        self.market_weights = market_weights
        self.risk_aversion = risk_aversion
        self.periods_per_year = periods_per_year
        self.covariance = covariance

    def _solve(self, problem: Problem) -> Solution:
        if not self.risk_aversion > 0:
            raise ConfigError(f"risk_aversion is {self.risk_aversion}; give a positive number")
        covariance = problem.covariance(self.covariance)
        prior = EquilibriumMean(
            self.risk_aversion, self.market_weights, GivenCovariance(covariance)
        ).estimate(problem.returns)
        posterior = black_litterman(covariance, prior, self._views(problem))
        inner = MeanVariance(
            constraints=self.constraints,
            risk_aversion=self.risk_aversion,
            periods_per_year=1.0,
            covariance=GivenCovariance(posterior.covariance),
        ).fit(problem.returns, expected_returns=posterior.mean)
        return answer_of(inner, objective=inner.solver_report_.objective)

    def _views(self, problem: Problem) -> tuple[View, ...]:
        if self.views is not None:
            return self.views
        if problem.expected_returns is None:
            return ()
        expected = np.asarray(problem.expected_returns / self.periods_per_year)
        return tuple(absolute_view(asset, float(mu)) for asset, mu in enumerate(expected))
