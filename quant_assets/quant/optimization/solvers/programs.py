"""Programs of cvxpy for risks of rows: semivariance, drawdowns, budgets of tail risk."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from quant_assets.quant.optimization.solvers.active_set import Box
from quant_assets.quant.optimization.solvers.convex import (
    LOG_TOLERANCES,
    THREADS,
    ConvexSolution,
    Form,
    Program,
    Region,
    cvxpy_module,
    limits,
    solve,
)

__all__ = ["cvar_budget", "minimum_cdar", "minimum_semivariance"]

Floats = npt.NDArray[np.float64]


def minimum_semivariance(returns: Floats, target: float, region: Region) -> ConvexSolution:
    """Minimise `mean(min(R w - target, 0)^2)`; returns (time, asset) about 1 in size."""
    program = _semivariance_program(len(returns), region.form)
    values = {"returns": returns, "target": target}
    return solve(program, values | region.numbers(1.0), region)


def minimum_cdar(returns: Floats, tail: float, region: Region) -> ConvexSolution:
    """Minimise the mean of the worst `tail` drawdowns of the sum of `R w`."""
    program = _cdar_program(len(returns), region.form)
    values = {"returns": returns, "per_row": 1.0 / tail}
    return solve(program, values | region.numbers(1.0), region)


def cvar_budget(returns: Floats, tail: float, budgets: Floats) -> ConvexSolution:
    """Positive weights summing to 1 with shares `budgets` of the mean loss of the worst rows."""
    program = _cvar_budget_program(*returns.shape)
    values = {"returns": returns, "per_row": 1.0 / tail, "budgets": budgets}
    n_assets = returns.shape[1]
    return solve(program, values, Region(Box(1.0, np.zeros(n_assets), np.ones(n_assets))))


@lru_cache(maxsize=16)
def _semivariance_program(n_rows: int, form: Form) -> Program:
    cp = cvxpy_module()

    weights, short = cp.Variable(form.n_assets), cp.Variable(n_rows, nonneg=True)
    returns, target = cp.Parameter((n_rows, form.n_assets)), cp.Parameter()
    constraints, parameters, _ = limits(weights, 1.0, form)
    constraints.append(short >= target - returns @ weights)
    parameters |= {"returns": returns, "target": target}
    objective = cp.Minimize(cp.sum_squares(short) / n_rows)
    return Program(cp.Problem(objective, constraints), parameters, weights)


@lru_cache(maxsize=16)
def _cdar_program(n_rows: int, form: Form) -> Program:
    cp = cvxpy_module()

    weights, threshold = cp.Variable(form.n_assets), cp.Variable()
    # depth: how far the sum of returns is below its peak, at least
    depth, excess = cp.Variable(n_rows, nonneg=True), cp.Variable(n_rows, nonneg=True)
    returns, per_row = cp.Parameter((n_rows, form.n_assets)), cp.Parameter(nonneg=True)
    constraints, parameters, _ = limits(weights, 1.0, form)
    gains = returns @ weights
    constraints += [depth[0] >= -gains[0], excess >= depth - threshold]
    if n_rows > 1:
        constraints.append(depth[1:] >= depth[:-1] - gains[1:])
    parameters |= {"returns": returns, "per_row": per_row}
    objective = cp.Minimize(threshold + per_row * cp.sum(excess))
    return Program(cp.Problem(objective, constraints), parameters, weights, False, "HIGHS", THREADS)


@lru_cache(maxsize=16)
def _cvar_budget_program(n_rows: int, n_assets: int) -> Program:
    cp = cvxpy_module()

    weights, threshold = cp.Variable(n_assets), cp.Variable()
    excess = cp.Variable(n_rows, nonneg=True)
    returns, per_row = cp.Parameter((n_rows, n_assets)), cp.Parameter(nonneg=True)
    budgets = cp.Parameter(n_assets, nonneg=True)
    risk = threshold + per_row * cp.sum(excess)
    problem = cp.Problem(
        cp.Minimize(risk - budgets @ cp.log(weights)),
        [excess >= -returns @ weights - threshold],
    )
    parameters = {"returns": returns, "per_row": per_row, "budgets": budgets}
    return Program(problem, parameters, weights, True, "CLARABEL", LOG_TOLERANCES)
