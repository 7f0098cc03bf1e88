"""Mean-variance against the worst expected returns of an ellipsoid."""

from collections.abc import Callable
from typing import ClassVar

import numpy as np

from quant_assets.core.errors import ConfigError, SolverError
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
from quant_assets.quant.optimization.mean_variance import MeanVariance
from quant_assets.quant.optimization.minimum_variance import MinimumVariance

__all__ = ["RobustMeanVariance"]

At = Callable[[float], tuple[Optimizer, float]]
MAX_STEPS = 60
AT_REST = 1e-12


class RobustMeanVariance(Optimizer):
    """Maximise `mu'w - kappa sqrt(w' Sigma w / T) - (lambda/2) w' Sigma w`.

    The first two terms are the least `m'w` over the ellipsoid of estimation errors
    `(m - mu)' (Sigma/T)^-1 (m - mu) <= kappa^2` (Ceria & Stubbs 2006; Garlappi, Uppal & Wang 2007),
    T the rows. The best weights are mean-variance ones at the aversion
    `lambda + kappa / sqrt(T w' Sigma w)`, found by a bracketed search, so that no cone program is
    needed. `confidence` in [0, 1) is the chi-square probability of the ellipsoid in n dimensions.
    Objective: the robust utility per period.
    """

    name: ClassVar[str] = "robust_mean_variance"
    keeps_rules: ClassVar[bool] = False

    def __init__(
        self,
        *,
        constraints: Constraints = LONG_ONLY,
        confidence: float = 0.5,
        risk_aversion: float = 5.0,
        periods_per_year: float = 252.0,
        covariance: Estimator = "ledoit_wolf",
    ) -> None:
        super().__init__(constraints=constraints)
        self.confidence = confidence
        self.risk_aversion = risk_aversion
        self.periods_per_year = periods_per_year
        self.covariance = covariance

    def _solve(self, problem: Problem) -> Solution:
        if not self.risk_aversion > 0 or not 0 <= self.confidence < 1:
            raise ConfigError(
                f"risk_aversion {self.risk_aversion} must be positive, and confidence "
                f"{self.confidence} in [0, 1)"
            )
        covariance = problem.covariance(self.covariance)
        mean = problem.mean(self.periods_per_year)
        doubt = radius(self.confidence, problem.n_assets) / np.sqrt(len(problem.returns))

        def at(aversion: float) -> tuple[Optimizer, float]:
            """Best weights at that aversion, and the aversion that they imply."""
            inner = MeanVariance(
                constraints=self.constraints,
                risk_aversion=aversion,
                periods_per_year=1.0,
                covariance=GivenCovariance(covariance),
            ).fit(problem.returns, expected_returns=mean)
            volatility = float(np.sqrt(inner.weights_ @ covariance @ inner.weights_))
            return inner, self.risk_aversion + doubt / volatility

        calm = MinimumVariance(
            constraints=self.constraints, covariance=GivenCovariance(covariance)
        ).fit(problem.returns)
        least = float(np.sqrt(calm.weights_ @ covariance @ calm.weights_))
        if least == 0.0:
            raise SolverError(
                f"{self.name}: a portfolio without variance exists; shrink the covariance"
            )
        low, high = self.risk_aversion, self.risk_aversion + doubt / least
        fitted, steps = _search(at, low, high)
        weights = fitted.weights_
        risk = float(weights @ covariance @ weights)
        utility = float(mean @ weights) - doubt * risk**0.5 - self.risk_aversion / 2 * risk
        found = answer_of(fitted, objective=utility)
        return Solution(
            found.weights, found.solver, utility, iterations=steps, fallback=found.fallback
        )


def radius(confidence: float, n_assets: int) -> float:
    """Kappa: the square root of the chi-square quantile with `n_assets` degrees of freedom."""
    from scipy.special import gammaincinv

    return float(np.sqrt(2.0 * gammaincinv(n_assets / 2.0, confidence)))


def _search(at: At, low: float, high: float) -> tuple[Optimizer, int]:
    """Aversion a with implied(a) = a: implied rises slower than a, and is below it at `high`.

    Each step tries the secant through the last two, the implied aversion where there is no falling
    one, or else the middle of the bracket.
    """
    guess, behind = high, (low, np.nan)
    for step in range(1, MAX_STEPS + 1):
        fitted, implied = at(guess)
        excess = implied - guess
        if abs(excess) <= AT_REST * guess or high - low <= AT_REST * high:
            return fitted, step
        low, high = (guess, high) if excess > 0 else (low, guess)
        rise = (excess - behind[1]) / (guess - behind[0]) if guess != behind[0] else 0.0
        behind = (guess, excess)
        secant = guess - excess / rise if rise < 0 else implied
        guess = secant if low < secant < high else 0.5 * (low + high)
    raise SolverError(f"the robust aversion still lies between {low:g} and {high:g}")
