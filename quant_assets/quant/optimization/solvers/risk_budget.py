"""Positions whose risk shares are given: coordinate descent, then Newton, then cvxpy."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import SolverError
from quant_assets.quant.optimization.solvers import convex

__all__ = ["RiskBudget", "balanced", "balanced_weights", "budget_error"]

Floats = npt.NDArray[np.float64]
SWEEP_TOLERANCE = 1e-12
MAX_SWEEPS = 500
MAX_STEPS = 200
AT_REST = 1e-8  # Newton squares the decrement: the step after this one changes nothing
ACCEPTED = 1e-9
LARGEST_ERROR = 1e-6


@dataclass(frozen=True, eq=False)
class RiskBudget:
    """Positive weights summing to 1, the largest error of a risk share, and how they were found."""

    weights: Floats
    error: float
    solver: str
    iterations: int
    fallback: str = ""


def balanced_weights(covariance: Floats, budgets: Floats) -> RiskBudget:
    """Weights with `w_i (Sigma w)_i / w' Sigma w = b_i`; `budgets` (asset,) > 0, summing to 1.

    A variance that is not positive, or shares that stay 1e-6 away, are a `SolverError`.
    """
    variance = np.diag(covariance)
    if not (variance > 0).all():
        raise SolverError(
            f"asset {int(variance.argmin())} has variance {variance.min():g} and cannot carry "
            "risk. Drop constant assets, or shrink the covariance."
        )
    inverse = 1.0 / np.sqrt(variance)
    correlation = covariance * inverse
    correlation *= inverse[:, None]
    found = balanced(correlation, budgets)
    if not found.error <= LARGEST_ERROR:
        raise SolverError(
            f"risk shares differ by {found.error:.1e} from their budgets: a portfolio of almost "
            "no variance exists and risk budgets are not defined. Shrink the covariance."
        )
    weights = found.weights * inverse
    weights /= weights.sum()
    return RiskBudget(weights, found.error, found.solver, found.iterations, found.fallback)


def balanced(correlation: Floats, budgets: Floats) -> RiskBudget:
    """The same for a correlation matrix; the best of three methods, the first that is exact."""
    start = np.sqrt(budgets)
    start /= np.sqrt(max(float(start @ correlation @ start), 1e-6))
    position = start.copy()
    from quant_assets.quant.optimization.solvers.risk_budget_kernel import descend

    sweeps = descend(correlation, budgets, position, SWEEP_TOLERANCE, MAX_SWEEPS)
    error = budget_error(correlation, position, budgets)
    if error <= ACCEPTED:
        return RiskBudget(position, error, "coordinate descent", sweeps)
    position, steps = _newton(correlation, budgets, start)
    error = budget_error(correlation, position, budgets)
    if error <= ACCEPTED:
        return RiskBudget(position, error, "newton", steps, "newton")
    slow = convex.risk_budget(correlation, budgets)
    error = budget_error(correlation, slow.weights, budgets)
    return RiskBudget(slow.weights, error, slow.solver, slow.iterations, "cvxpy")


def budget_error(matrix: Floats, weights: Floats, budgets: Floats) -> float:
    """Largest distance of a risk share `w_i (Mw)_i / w'Mw` from its budget."""
    contributions = weights * (matrix @ weights)
    total = float(contributions.sum())
    if not total > 0:
        return float("inf")
    return float(np.abs(contributions / total - budgets).max())


def _newton(correlation: Floats, budgets: Floats, start: Floats) -> tuple[Floats, int]:
    """Minimise `x'Cx/2 - sum(b log x)` by damped steps; returns x > 0 and the steps taken.

    Times 1 / min(b) it is self-concordant, so that it converges from anywhere (Spinu 2013).
    """
    scale = 1.0 / float(budgets.min())
    position, step, decrement = start, 0, float("inf")
    while step < MAX_STEPS and decrement > AT_REST:
        step += 1
        inverse = 1.0 / position
        gradient = correlation @ position - budgets * inverse
        hessian = correlation.copy()
        hessian.flat[:: len(position) + 1] += budgets * inverse * inverse
        direction = -np.linalg.solve(hessian, gradient)
        decrement = max(-float(gradient @ direction) * scale, 0.0) ** 0.5
        # a full step is safe inside the quadratic region, 1/(1+d) keeps x positive outside it
        position = position + (1.0 if decrement < 0.25 else 1.0 / (1.0 + decrement)) * direction
    return position, step
