"""Risk parity: every asset contributes the same share of the variance."""

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import SolverError
from quant_assets.quant.optimization.base import (
    LONG_ONLY,
    Constraints,
    Optimizer,
    Problem,
    Solution,
)
from quant_assets.quant.optimization.solvers import convex

Floats = npt.NDArray[np.float64]
MAX_STEPS = 200
AT_REST = 1e-8  # Newton squares the decrement: the step after this one changes nothing
ACCEPTED_SHARE_ERROR = 1e-9


class EqualRiskContribution(Optimizer):
    """`w_i (Sigma w)_i` equal for all i, w > 0, summing to the budget; no other constraint.

    Damped Newton on `n/2 x'Cx - sum(log x)` with the correlation matrix C, which is
    self-concordant, so that it converges from anywhere (Spinu 2013); `w_i = x_i / s_i`, scaled.
    Objective: the largest deviation of a risk share from 1/n.
    """

    name: ClassVar[str] = "equal_risk_contribution"

    def __init__(
        self, *, constraints: Constraints = LONG_ONLY, covariance: str = "ledoit_wolf"
    ) -> None:
        super().__init__(constraints=constraints)
        self.covariance = covariance

    def _solve(self, problem: Problem) -> Solution:
        covariance = problem.covariance(self.covariance)
        variance = np.diag(covariance)
        if not (variance > 0).all():
            raise SolverError(
                f"asset {int(variance.argmin())} has variance {variance.min():g} and cannot carry "
                "risk. Drop constant assets, or shrink the covariance."
            )
        volatility = np.sqrt(variance)
        correlation = covariance / np.outer(volatility, volatility)
        position, iterations = _newton(correlation)
        solver, fallback = "newton", ""
        if share_error(correlation, position) > ACCEPTED_SHARE_ERROR:
            slow = convex.equal_risk(correlation)
            position, iterations = slow.weights, slow.iterations
            solver, fallback = slow.solver, "cvxpy"
        error = share_error(correlation, position)
        if error > 1e-6:
            raise SolverError(
                f"risk shares differ by {error:.1e} from 1/{len(variance)}: a portfolio of almost "
                "no variance exists and equal risk is not defined. Shrink the covariance."
            )
        weights = position / volatility
        weights *= self.constraints.budget / weights.sum()
        return Solution(weights, solver, objective=error, iterations=iterations, fallback=fallback)


def share_error(matrix: Floats, weights: Floats) -> float:
    """Largest distance of a risk share `w_i (Mw)_i / w'Mw` from 1/n."""
    contributions = weights * (matrix @ weights)
    total = float(contributions.sum())
    if not total > 0:
        return float("inf")
    return float(np.abs(contributions / total - 1.0 / len(weights)).max())


def _newton(correlation: Floats) -> tuple[Floats, int]:
    """Minimise `n/2 x'Cx - sum(log x)`; returns x > 0 and the steps taken."""
    n_assets = len(correlation)
    position = np.full(n_assets, 1.0 / np.sqrt(max(float(correlation.sum()), 1e-6)))
    step, decrement = 0, np.inf
    while step < MAX_STEPS and decrement > AT_REST:
        step += 1
        inverse = 1.0 / position
        gradient = n_assets * (correlation @ position) - inverse
        hessian = n_assets * correlation
        hessian.flat[:: n_assets + 1] += inverse * inverse
        direction = -np.linalg.solve(hessian, gradient)
        decrement = float(np.sqrt(max(-(gradient @ direction), 0.0)))
        # a full step is safe inside the quadratic region, 1/(1+d) keeps x positive outside it
        position = position + (1.0 if decrement < 0.25 else 1.0 / (1.0 + decrement)) * direction
    return position, step
