"""The portfolio of largest expected return per unit of risk inside the constraints."""

from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import SolverError
from quant_assets.quant.moments.covariance import Estimator
from quant_assets.quant.optimization.base import (
    LONG_ONLY,
    Constraints,
    Optimizer,
    Problem,
    Solution,
)
from quant_assets.quant.optimization.solvers import convex
from quant_assets.quant.optimization.solvers.active_set import (
    FREE,
    ActiveSet,
    Box,
    QuadraticSolution,
    frontier_slope,
)
from quant_assets.quant.optimization.solvers.hessian import Hessian, hessian_of
from quant_assets.quant.optimization.solvers.quadratic import Answer, minimise, within_gross
from quant_assets.quant.optimization.solvers.ruled import best

__all__ = ["MaximumSharpe"]

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
    keeps_rules: ClassVar[bool] = True

    def __init__(
        self,
        *,
        constraints: Constraints = LONG_ONLY,
        periods_per_year: float = 252.0,
        covariance: Estimator = "ledoit_wolf",
        fallback: Literal["minimum_variance"] | None = None,
    ) -> None:
        super().__init__(constraints=constraints)
        self.periods_per_year = periods_per_year
        self.covariance = covariance
        self.fallback = fallback

    def _solve(self, problem: Problem) -> Solution:
        hessian = hessian_of(problem.returns, self.covariance)
        mean = problem.mean(self.periods_per_year)
        region = self.constraints.region(problem.n_assets)

        def ratio(weights: Floats) -> float:
            variance = hessian.variance(weights)
            return float(mean @ weights) / float(np.sqrt(variance)) if variance > 0 else 0.0

        try:
            answer = best(
                region,
                lambda part: _maximise(hessian, mean, part),
                lambda weights: -ratio(weights),
            )
        except convex.InfeasibleError:
            answer = self._without_premium(hessian, mean, region)
        return Solution(
            answer.weights,
            answer.solver,
            objective=ratio(answer.weights),
            iterations=answer.iterations,
            fallback=answer.fallback,
            gap=answer.gap,
        )

    def _without_premium(self, hessian: Hessian, mean: Floats, region: convex.Region) -> Answer:
        """Fall back if that is wished; an empty region is named by this problem too."""
        nothing = np.zeros(len(mean))
        answer = best(region, lambda part: minimise(hessian, nothing, part), hessian.variance)
        if self.fallback is None:
            raise SolverError(
                f"no feasible portfolio has a positive expected return (largest single asset "
                f"{mean.max():g} per period): a Sharpe ratio has no maximum. Give other expected "
                "returns, or set fallback='minimum_variance'."
            )
        return replace(answer, fallback=self.fallback)


def _maximise(hessian: Hessian, mean: Floats, region: convex.Region) -> Answer:
    """Find the maximum by fixed point, or by cvxpy where rules hold or a gross limit binds.

    Raises `InfeasibleError` when no feasible portfolio has a positive expected return.
    """
    expected = mean / max(float(np.abs(mean).max()), np.finfo(np.float64).tiny)
    is_plain = not region.rules and region.min_net is None
    if is_plain:
        if float(mean @ region.box.vertex(mean)[0]) <= 0:
            raise convex.InfeasibleError("the largest feasible expected return is not positive")
        found = _fixed_point(hessian, expected, region.box)
        if found is not None and within_gross(found.weights, region):
            return found
    slow = convex.maximum_ratio(hessian.matrix(), expected, region)
    fallback = "cvxpy" if is_plain else ""
    return Answer(slow.weights, slow.solver, slow.iterations, fallback, slow.gap)


def _fixed_point(hessian: Hessian, mean: Floats, box: Box) -> Answer | None:
    """Find the t with `t = mu'w(t) / w(t)'Hw(t)`; None where it is not found.

    The right side exceeds t exactly below the root, which gives a bracket for every guess.
    """
    problem, start = ActiveSet(hessian, box), box.vertex(mean)
    trade_off = _trade_off(hessian, mean, start[0])
    low, high, pivots = 0.0, np.inf, 0
    for _ in range(MAX_STEPS):
        solution = problem.solve(mean / trade_off, start=start)
        pivots += solution.iterations
        if not solution.is_optimal:
            return None
        start = (solution.weights, solution.states)
        plain = _trade_off(hessian, mean, solution.weights)
        low, high = (trade_off, high) if plain > trade_off else (low, trade_off)
        is_tight = abs(plain - trade_off) <= RELATIVE_CHANGE * abs(plain)
        if is_tight or high <= low * (1.0 + RELATIVE_CHANGE):
            gap = _ratio_gap(hessian, mean, solution, trade_off)
            return Answer(solution.weights, "dinkelbach active set", pivots, gap=gap)
        guess = _line_search(hessian, mean, solution, trade_off) or plain
        trade_off = guess if low < guess < high else 0.5 * (low + min(high, 2 * plain + low))
    return None


def _trade_off(hessian: Hessian, mean: Floats, weights: Floats) -> float:
    return float(mean @ weights) / float(weights @ hessian.times(weights))


def _ratio_gap(
    hessian: Hessian, mean: Floats, solution: QuadraticSolution, trade_off: float
) -> float:
    """Bound from above how far the ratio is from its maximum, relative to itself.

    The homogenised program `min y'Hy, mu'y = 1` is convex: by its tangent at y = w / mu'w, whose
    slope is known up to the gap d of the quadratic program, no y is better by more than
    `2 d k / mu'w`, k = 1 / mu'v its scale; and none is better at all once `k^2 v'Hv` exceeds the
    optimum. The least eigenvalue of H bounds v'Hv from below.
    """
    weights, risk = solution.weights, hessian.times(solution.weights)
    spread = float(weights @ risk)
    slack = solution.gap + 2.0 * abs(spread - float(mean @ weights) / trade_off)
    least = hessian.least_eigenvalue * float(weights.sum()) ** 2 / len(weights)
    return slack / float(np.sqrt(least * spread)) if least > 0 else float("nan")


def _line_search(
    hessian: Hessian, mean: Floats, solution: QuadraticSolution, trade_off: float
) -> float | None:
    """Find the t at which w(t) = a + v/t, on this active set, has the largest ratio, if any."""
    slope = frontier_slope(hessian, mean, np.flatnonzero(solution.states == FREE))
    base = solution.weights - slope / trade_off
    risk_of_base, risk_of_slope = hessian.times(base), hessian.times(slope)
    spread, crossed = base @ risk_of_base, base @ risk_of_slope
    square = slope @ risk_of_slope
    gain_base, gain_slope = float(mean @ base), float(mean @ slope)
    top = gain_slope * spread - gain_base * crossed
    bottom = gain_base * square - gain_slope * crossed
    return float(bottom / top) if top > 0 and bottom > 0 else None
