"""The portfolio of largest expected return per unit of risk inside the constraints."""

from typing import ClassVar, Literal

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
from quant_assets.quant.optimization.solvers import active_set, convex
from quant_assets.quant.optimization.solvers.quadratic import Answer, minimise, within_gross

Floats = npt.NDArray[np.float64]
MAX_STEPS = 100
RELATIVE_CHANGE = 1e-12


class MaximumSharpe(Optimizer):
    """Maximise `mu'w / sqrt(w' Sigma w)` of excess returns. Objective: that ratio per period.

    The optimum also solves `max mu'w - (t/2) w' Sigma w` at `t = mu'w / w' Sigma w`. That fixed
    point is found by quadratic programs, each followed by an exact line search along the
    frontier of its active set (Dinkelbach's scheme with a Newton step, inside a bracket).

    Without a feasible portfolio of positive expected return there is no maximum: a `SolverError`,
    or the minimum variance portfolio when `fallback` says so (recorded in the report).
    """

    name: ClassVar[str] = "maximum_sharpe"

    def __init__(
        self,
        *,
        constraints: Constraints = LONG_ONLY,
        periods_per_year: float = 252.0,
        covariance: str = "ledoit_wolf",
        fallback: Literal["minimum_variance"] | None = None,
    ) -> None:
        super().__init__(constraints=constraints)
        self.periods_per_year = periods_per_year
        self.covariance = covariance
        self.fallback = fallback

    def _solve(self, problem: Problem) -> Solution:
        covariance = problem.covariance(self.covariance)
        mean = problem.mean(self.periods_per_year)
        region = self.constraints.region(problem.n_assets)
        try:
            answer = _maximise(covariance, mean, region)
        except convex.InfeasibleError as cause:
            answer = self._without_premium(covariance, mean, cause)
        weights = answer.weights
        risk = float(np.sqrt(weights @ covariance @ weights))
        return Solution(
            weights,
            answer.solver,
            objective=float(mean @ weights) / risk if risk > 0 else 0.0,
            iterations=answer.iterations,
            fallback=answer.fallback,
        )

    def _without_premium(self, covariance: Floats, mean: Floats, cause: SolverError) -> Answer:
        if self.fallback is None:
            raise SolverError(
                f"no feasible portfolio has a positive expected return (largest single asset "
                f"{mean.max():g} per period): a Sharpe ratio has no maximum. Give other expected "
                "returns, or set fallback='minimum_variance'."
            ) from cause
        region = self.constraints.region(len(mean))
        answer = minimise(covariance, np.zeros(len(mean)), region)
        return Answer(answer.weights, answer.solver, answer.iterations, self.fallback)


def _maximise(covariance: Floats, mean: Floats, region: convex.Region) -> Answer:
    """Find the maximum by fixed point, or by cvxpy where it fails or a gross limit binds.

    Raises `InfeasibleError` when no feasible portfolio has a positive expected return.
    """
    best = float(mean @ region.box.vertex(mean)[0])
    if best <= 0:
        raise convex.InfeasibleError(f"the largest feasible expected return is {best:g}")
    hessian, _ = active_set.scaled(covariance)
    expected = mean / np.abs(mean).max()
    weights, iterations, converged = _fixed_point(hessian, expected, region.box)
    if converged and within_gross(weights, region):
        return Answer(weights, "dinkelbach active set", iterations)
    slow = convex.maximum_ratio(hessian, expected, region)
    return Answer(slow.weights, slow.solver, slow.iterations, "cvxpy")


def _fixed_point(hessian: Floats, mean: Floats, box: active_set.Box) -> tuple[Floats, int, bool]:
    """Find the t with `t = mu'w(t) / w(t)'Hw(t)`; (weights, pivots, whether it was found).

    The right side exceeds t exactly below the root, which gives a bracket for every guess.
    """
    start = box.vertex(mean)
    trade_off = _trade_off(hessian, mean, start[0])
    low, high, pivots = 0.0, np.inf, 0
    for _ in range(MAX_STEPS):
        solution = active_set.solve(hessian, mean / trade_off, box, start=start)
        pivots += solution.iterations
        if not solution.is_optimal:
            break
        start = (solution.weights, solution.states)
        plain = _trade_off(hessian, mean, solution.weights)
        low, high = (trade_off, high) if plain > trade_off else (low, trade_off)
        is_tight = abs(plain - trade_off) <= RELATIVE_CHANGE * abs(plain)
        if is_tight or high <= low * (1.0 + RELATIVE_CHANGE):
            return solution.weights, pivots, True
        guess = _line_search(hessian, mean, solution, trade_off) or plain
        trade_off = guess if low < guess < high else 0.5 * (low + min(high, 2 * plain + low))
    return start[0], pivots, False


def _trade_off(hessian: Floats, mean: Floats, weights: Floats) -> float:
    return float(mean @ weights) / float(weights @ hessian @ weights)


def _line_search(
    hessian: Floats, mean: Floats, solution: active_set.QuadraticSolution, trade_off: float
) -> float | None:
    """Find the t at which w(t) = a + v/t, on this active set, has the largest ratio, if any."""
    free = np.flatnonzero(solution.states == active_set.FREE)
    if free.size < 2:
        return None
    slope = np.zeros(len(mean))
    slope[free] = active_set.frontier_slope(hessian, mean, free)
    base = solution.weights - slope / trade_off
    spread, crossed, square = base @ hessian @ base, base @ hessian @ slope, slope @ hessian @ slope
    gain_base, gain_slope = float(mean @ base), float(mean @ slope)
    top = gain_slope * spread - gain_base * crossed
    bottom = gain_base * square - gain_slope * crossed
    return float(bottom / top) if top > 0 and bottom > 0 else None
