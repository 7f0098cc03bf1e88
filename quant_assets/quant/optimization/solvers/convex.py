"""The general path: disciplined parametrised programs of cvxpy, compiled once per shape.

Slower than the fast paths, but it takes a gross limit and checks them. cvxpy is imported on first
use. The cache holds compiled programs only: every answer depends on the arguments alone, because
nothing is warm-started.
"""

import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import SolverError
from quant_assets.quant.optimization.solvers.active_set import Box

Floats = npt.NDArray[np.float64]
Options = tuple[tuple[str, float], ...]
TOLERANCES: Options = (("tol_gap_abs", 1e-11), ("tol_gap_rel", 1e-11), ("tol_feas", 1e-11))
LOG_TOLERANCES: Options = (("tol_gap_abs", 1e-9), ("tol_gap_rel", 1e-9), ("tol_feas", 1e-9))
THREADS: Options = (("threads", 1),)


class InfeasibleError(SolverError):
    """cvxpy proved that no weights satisfy the constraints."""


@dataclass(frozen=True)
class Region:
    """Box and budget, and the largest sum of absolute weights (None: no limit)."""

    box: Box
    max_gross: float | None = None

    @property
    def gross_may_bind(self) -> bool:
        """Whether a feasible portfolio could exceed the gross limit."""
        if self.max_gross is None:
            return False
        largest = np.maximum(np.abs(self.box.lower), np.abs(self.box.upper)).sum()
        return bool((self.box.lower < 0).any()) and float(largest) > self.max_gross


@dataclass(frozen=True)
class ConvexSolution:
    """Weights in the box, the solver's name, and its iterations."""

    weights: Floats
    solver: str
    iterations: int


@dataclass(frozen=True)
class _Program:
    problem: Any
    parameters: dict[str, Any]
    weights: Any
    is_homogeneous: bool = False
    solver: str = "CLARABEL"
    options: Options = TOLERANCES


def quadratic(hessian: Floats, linear: Floats, region: Region) -> ConvexSolution:
    """Minimise `w'Hw/2 - c'w` over `region`. H about 1 on its diagonal."""
    program = _quadratic_program(len(linear), region.gross_may_bind)
    values = {"root": square_root(hessian), "linear": linear}
    return _solve(program, values, region)


def maximum_ratio(hessian: Floats, expected: Floats, region: Region) -> ConvexSolution:
    """Maximise `mu'w / sqrt(w'Hw)` over `region`, homogenised by the scale kappa (Charnes-Cooper).

    Needs a feasible portfolio with a positive expected return; `expected` is about 1 in size.
    """
    program = _ratio_program(len(expected), region.gross_may_bind)
    values = {"root": square_root(hessian), "expected": expected}
    return _solve(program, values, region)


def minimum_cvar(returns: Floats, tail: float, region: Region) -> ConvexSolution:
    """Minimise the mean of the worst `tail` (fractional) rows' losses; returns (time, asset)."""
    program = _cvar_program(*returns.shape, region.gross_may_bind)
    return _solve(program, {"returns": returns, "per_row": 1.0 / tail}, region)


def equal_risk(hessian: Floats) -> ConvexSolution:
    """Positive weights with equal risk contributions, summing to 1: min x'Hx/2 - mean(log x)."""
    program = _equal_risk_program(len(hessian))
    n_assets = len(hessian)
    region = Region(Box(1.0, np.zeros(n_assets), np.ones(n_assets)))
    return _solve(program, {"root": square_root(hessian)}, region)


def square_root(matrix: Floats) -> Floats:
    """R with `R'R = matrix` for a symmetric positive semidefinite matrix."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray(np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T)


def _solve(program: _Program, values: dict[str, Any], region: Region) -> ConvexSolution:
    cp = _cvxpy()

    limits = {
        "budget": region.box.budget,
        "lower": region.box.lower,
        "upper": region.box.upper,
        "gross": region.max_gross,
    }
    for name, parameter in program.parameters.items():
        parameter.value = values[name] if name in values else limits[name]
    problem, solver = program.problem, program.solver
    try:
        with warnings.catch_warnings():
            # cvxpy warns of an inaccurate answer; below, its status is an error
            warnings.simplefilter("ignore", UserWarning)
            problem.solve(solver=solver, warm_start=False, **dict(program.options))
    except cp.error.SolverError as cause:
        raise SolverError(f"{solver} through cvxpy failed: {cause}") from cause
    status = str(problem.status)
    if status != cp.OPTIMAL:
        kind = (
            InfeasibleError if status in (cp.INFEASIBLE, cp.INFEASIBLE_INACCURATE) else SolverError
        )
        raise kind(
            f"{solver} through cvxpy ended {status!r}, not 'optimal', on "
            f"{len(region.box.lower)} assets. Loosen the constraints or check the returns."
        )
    weights = np.asarray(program.weights.value, dtype=np.float64)
    if program.is_homogeneous:
        weights = weights * (region.box.budget / weights.sum())
    iterations = int(problem.solver_stats.num_iters or 0)
    return ConvexSolution(region.box.repaired(weights), f"cvxpy/{solver.lower()}", iterations)


def _limits(weights: Any, scale: Any, has_gross: bool) -> tuple[list[Any], dict[str, Any]]:
    """Budget, box and gross limit on `weights`, homogenised by `scale` (1 where it is not)."""
    cp = _cvxpy()

    n_assets = weights.size
    budget, gross = cp.Parameter(), cp.Parameter(nonneg=True)
    lower, upper = cp.Parameter(n_assets), cp.Parameter(n_assets)
    constraints = [
        cp.sum(weights) == budget * scale,
        weights >= lower * scale,
        weights <= upper * scale,
    ]
    parameters = {"budget": budget, "lower": lower, "upper": upper}
    if has_gross:
        constraints.append(cp.norm1(weights) <= gross * scale)
        parameters["gross"] = gross
    return constraints, parameters


def _cvxpy() -> Any:
    """Import cvxpy on first use: it takes more than a second."""
    import cvxpy

    return cvxpy


@lru_cache(maxsize=16)
def _quadratic_program(n_assets: int, has_gross: bool) -> _Program:
    cp = _cvxpy()

    weights, root = cp.Variable(n_assets), cp.Parameter((n_assets, n_assets))
    linear = cp.Parameter(n_assets)
    constraints, parameters = _limits(weights, 1.0, has_gross)
    objective = cp.Minimize(0.5 * cp.sum_squares(root @ weights) - linear @ weights)
    parameters |= {"root": root, "linear": linear}
    return _Program(cp.Problem(objective, constraints), parameters, weights)


@lru_cache(maxsize=16)
def _ratio_program(n_assets: int, has_gross: bool) -> _Program:
    cp = _cvxpy()

    weights, scale = cp.Variable(n_assets), cp.Variable(nonneg=True)
    root, expected = cp.Parameter((n_assets, n_assets)), cp.Parameter(n_assets)
    constraints, parameters = _limits(weights, scale, has_gross)
    constraints.append(expected @ weights == 1.0)
    parameters |= {"root": root, "expected": expected}
    objective = cp.Minimize(cp.sum_squares(root @ weights))
    return _Program(cp.Problem(objective, constraints), parameters, weights, is_homogeneous=True)


@lru_cache(maxsize=16)
def _cvar_program(n_rows: int, n_assets: int, has_gross: bool) -> _Program:
    cp = _cvxpy()

    weights, threshold = cp.Variable(n_assets), cp.Variable()
    excess = cp.Variable(n_rows, nonneg=True)
    returns, per_row = cp.Parameter((n_rows, n_assets)), cp.Parameter(nonneg=True)
    constraints, parameters = _limits(weights, 1.0, has_gross)
    constraints.append(excess >= -returns @ weights - threshold)
    parameters |= {"returns": returns, "per_row": per_row}
    objective = cp.Minimize(threshold + per_row * cp.sum(excess))
    return _Program(
        cp.Problem(objective, constraints), parameters, weights, False, "HIGHS", THREADS
    )


@lru_cache(maxsize=16)
def _equal_risk_program(n_assets: int) -> _Program:
    cp = _cvxpy()

    weights, root = cp.Variable(n_assets), cp.Parameter((n_assets, n_assets))
    variance = cp.sum_squares(root @ weights)
    objective = cp.Minimize(0.5 * variance - cp.sum(cp.log(weights)) / n_assets)
    problem = cp.Problem(objective)
    return _Program(problem, {"root": root}, weights, True, "CLARABEL", LOG_TOLERANCES)
