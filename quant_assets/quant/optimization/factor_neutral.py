"""The portfolio of least variance whose exposures to factors are given."""

from dataclasses import replace
from typing import ClassVar

import numpy as np

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.moments.covariance import Estimator
from quant_assets.quant.moments.covariances.given_factors import factor_loadings
from quant_assets.quant.optimization.base import (
    LONG_ONLY,
    Constraints,
    Optimizer,
    Problem,
    Solution,
)
from quant_assets.quant.optimization.constraints.factor_exposure import FactorExposure
from quant_assets.quant.optimization.delegation import answer_of
from quant_assets.quant.optimization.mean_variance import MeanVariance
from quant_assets.quant.optimization.minimum_variance import MinimumVariance

__all__ = ["FactorNeutral"]


class FactorNeutral(Optimizer):
    """Minimum variance, or with `risk_aversion` the largest utility, at fixed factor exposures.

    Needs `factors` in `fit`: loadings B are least squares on them, and every `(B'w)_k` lies within
    `tolerance` of `exposure` (0: neutral). A long-only portfolio is hardly ever neutral to the
    market: allow shorts, or set the exposure. Objective: variance or utility per period.
    """

    name: ClassVar[str] = "factor_neutral"
    is_entrant: ClassVar[bool] = False
    keeps_rules: ClassVar[bool] = MinimumVariance.keeps_rules
    needs: ClassVar[tuple[str, ...]] = ("factors",)

    def __init__(
        self,
        *,
        constraints: Constraints = LONG_ONLY,
        exposure: float | tuple[float, ...] = 0.0,
        tolerance: float = 0.0,
        risk_aversion: float | None = None,
        covariance: Estimator = "ledoit_wolf",
    ) -> None:
        super().__init__(constraints=constraints)
        self.exposure = exposure
        self.tolerance = tolerance
        self.risk_aversion = risk_aversion
        self.covariance = covariance

    def _solve(self, problem: Problem) -> Solution:
        factors = np.asarray(problem.factors, dtype=np.float64)
        n_factors = factors.shape[1]
        if np.ndim(self.exposure) and np.shape(self.exposure) != (n_factors,):
            raise ConfigError(f"exposure is {self.exposure} for {n_factors} factors")
        if not self.tolerance >= 0:
            raise ConfigError(f"tolerance is {self.tolerance}; give 0 or more")
        if n_factors > len(factors) - 2:
            raise DataError(f"{n_factors} factors on {len(factors)} rows leave no residual")
        loadings = factor_loadings(problem.returns, factors)[0]
        middle = np.full(n_factors, self.exposure)
        rule = FactorExposure(loadings, middle - self.tolerance, middle + self.tolerance)
        inside = replace(self.constraints, rules=(*self.constraints.rules, rule))
        inner = self._inner(inside).fit(problem.returns, expected_returns=problem.expected_returns)
        return answer_of(inner, objective=inner.solver_report_.objective)

    def _inner(self, constraints: Constraints) -> Optimizer:
        if self.risk_aversion is None:
            return MinimumVariance(constraints=constraints, covariance=self.covariance)
        return MeanVariance(
            constraints=constraints, risk_aversion=self.risk_aversion, covariance=self.covariance
        )
