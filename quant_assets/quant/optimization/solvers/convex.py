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
from quant_assets.quant.optimization.solvers.rule import Rule

Floats = npt.NDArray[np.float64]
Options = tuple[tuple[str, float], ...]
TOLERANCES: Options = (("tol_gap_abs", 1e-11), ("tol_gap_rel", 1e-11), ("tol_feas", 1e-11))
CONIC_TOLERANCES: Options = (("tol_gap_abs", 1e-9), ("tol_gap_rel", 1e-9), ("tol_feas", 1e-9))
LOG_TOLERANCES: Options = (("tol_gap_abs", 1e-9), ("tol_gap_rel", 1e-9), ("tol_feas", 1e-9))
THREADS: Options = (("threads", 1),)


class InfeasibleError(SolverError):
    """cvxpy proved that no weights satisfy the constraints."""


@dataclass(frozen=True)
class Form:
    """What a program's compilation depends on; its numbers are parameters.

    `rules` are kinds of rules, each with the shapes of its numbers by name.
    """

    n_assets: int
    has_gross: bool = False
    has_cash: bool = False
    rules: tuple[tuple[type[Rule], tuple[tuple[str, tuple[int, ...]], ...]], ...] = ()

    @property
    def options(self) -> Options:
        """Return Clarabel's tolerances."""
        is_conic = any(kind.is_conic for kind, _ in self.rules)
        return CONIC_TOLERANCES if is_conic else TOLERANCES


@dataclass(frozen=True)
class Region:
    """Box and budget, and the largest sum of absolute weights (None: no limit).

    The sum of the weights lies between `min_net` and the budget, or is the budget (None); `rules`
    are whatever else holds.
    """

    box: Box
    max_gross: float | None = None
    min_net: float | None = None
    rules: tuple[Rule, ...] = ()

    @property
    def gross_may_bind(self) -> bool:
        """Whether a feasible portfolio could exceed the gross limit."""
        if self.max_gross is None:
            return False
        largest = np.maximum(np.abs(self.box.lower), np.abs(self.box.upper)).sum()
        return bool((self.box.lower < 0).any()) and float(largest) > self.max_gross

    @property
    def form(self) -> Form:
        """Return what its programs are compiled for."""
        shapes = [
            (type(rule), tuple((n, np.shape(v)) for n, v in sorted(rule.numbers(1.0).items())))
            for rule in self.rules
        ]
        n_assets = len(self.box.lower)
        return Form(n_assets, self.gross_may_bind, self.min_net is not None, tuple(shapes))

    def numbers(self, cost_unit: float) -> dict[str, Any]:
        """Values of the parameters of its programs."""
        given = {
            "budget": self.box.budget,
            "lower": self.box.lower,
            "upper": self.box.upper,
            "gross": self.max_gross,
            "min_net": self.min_net,
        }
        for place, rule in enumerate(self.rules):
            for name, value in rule.numbers(cost_unit).items():
                given[f"{place}.{name}"] = value
        return given


@dataclass(frozen=True)
class ConvexSolution:
    """Weights in the box, the solver's name, its iterations, and the gap that it vouches for.

    `gap` is relative to the objective of the program; NaN where the solver states no tolerance.
    """

    weights: Floats
    solver: str
    iterations: int
    gap: float = float("nan")


@dataclass(frozen=True)
class Program:
    """A compiled problem, the parameters that `solve` fills by name, and the weights' variable.

    With `is_homogeneous` the weights are scaled to the budget afterwards.
    """

    problem: Any
    parameters: dict[str, Any]
    weights: Any
    is_homogeneous: bool = False
    solver: str = "CLARABEL"
    options: Options = TOLERANCES
    scale: Any = None


def quadratic(
    hessian: Floats, linear: Floats, region: Region, *, cost_unit: float = 1.0
) -> ConvexSolution:
    """Minimise `w'Hw/2 - c'w` and the rules' costs over `region`. H about 1 on its diagonal.

    `cost_unit` is what a cost of 1 is worth in this objective.
    """
    program = _quadratic_program(region.form)
    values = {"root": square_root(hessian), "linear": linear}
    return solve(program, values | region.numbers(cost_unit), region)


def maximum_ratio(hessian: Floats, expected: Floats, region: Region) -> ConvexSolution:
    """Maximise `mu'w / sqrt(w'Hw)` over `region`, homogenised by the scale kappa (Charnes-Cooper).

    Needs a feasible portfolio with a positive expected return; `expected` is about 1 in size.
    """
    program = _ratio_program(region.form)
    values = {"root": square_root(hessian), "expected": expected}
    return solve(program, values | region.numbers(1.0), region)


def minimum_cvar(returns: Floats, tail: float, region: Region) -> ConvexSolution:
    """Minimise the mean of the worst `tail` (fractional) rows' losses; returns (time, asset)."""
    program = _cvar_program(len(returns), region.form)
    values = {"returns": returns, "per_row": 1.0 / tail}
    return solve(program, values | region.numbers(1.0), region)


def risk_budget(hessian: Floats, budgets: Floats) -> ConvexSolution:
    """Positive weights with risk shares `budgets` (asset,), summing to 1: min x'Hx/2 - b'log x."""
    program = _risk_budget_program(len(hessian))
    n_assets = len(hessian)
    region = Region(Box(1.0, np.zeros(n_assets), np.ones(n_assets)))
    return solve(program, {"root": square_root(hessian), "budgets": budgets}, region)


def is_feasible(region: Region) -> bool:
    """Whether any weights keep the convex constraints: HiGHS, or Clarabel where there are cones."""
    program = _feasible_program(region.form)
    try:
        solve(program, region.numbers(1.0), region)
    except InfeasibleError:
        return False
    return True


def square_root(matrix: Floats) -> Floats:
    """R with `R'R = matrix` for a symmetric positive semidefinite matrix."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray(np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T)


def solve(program: Program, values: dict[str, Any], region: Region) -> ConvexSolution:
    """Fill the program's parameters, from `values` or the region, and solve it.

    A status other than optimal is a `SolverError`.
    """
    cp = cvxpy_module()

    for name, parameter in program.parameters.items():
        parameter.value = values[name]
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
    iterations = int(problem.solver_stats.num_iters or 0)
    tolerance = dict(program.options).get("tol_gap_rel", float("nan"))
    gap = tolerance / min(1.0, max(abs(float(problem.value)), 1e-300))
    name = f"cvxpy/{solver.lower()}"
    return ConvexSolution(_portfolio(program, weights, region), name, iterations, gap)


def _portfolio(program: Program, weights: Floats, region: Region) -> Floats:
    """Undo the homogenisation, and the last rounding errors of box and budget."""
    box = region.box
    if region.min_net is not None:
        scale = float(program.scale.value) if program.is_homogeneous else 1.0
        return np.asarray(np.clip(weights / scale, box.lower, box.upper))
    if program.is_homogeneous:
        weights = weights * (box.budget / weights.sum())
    return box.repaired(weights)


def limits(weights: Any, scale: Any, form: Form) -> tuple[list[Any], dict[str, Any], Any]:
    """Budget, box, gross and rules on `weights`, homogenised by `scale` (1 where it is not).

    Returns constraints, parameters by name, and the cost of all rules.
    """
    cp = cvxpy_module()

    n_assets = weights.size
    parameters = {
        "budget": cp.Parameter(),
        "lower": cp.Parameter(n_assets),
        "upper": cp.Parameter(n_assets),
    }
    constraints = [
        weights >= parameters["lower"] * scale,
        weights <= parameters["upper"] * scale,
    ]
    if form.has_cash:
        parameters["min_net"] = cp.Parameter()
        constraints.append(cp.sum(weights) <= parameters["budget"] * scale)
        constraints.append(cp.sum(weights) >= parameters["min_net"] * scale)
    else:
        constraints.append(cp.sum(weights) == parameters["budget"] * scale)
    if form.has_gross:
        parameters["gross"] = cp.Parameter(nonneg=True)
        constraints.append(cp.norm1(weights) <= parameters["gross"] * scale)
    cost: Any = 0.0
    for place, (kind, shapes) in enumerate(form.rules):
        given = {name: cp.Parameter(shape, nonneg=name in kind.positive) for name, shape in shapes}
        parameters |= {f"{place}.{name}": parameter for name, parameter in given.items()}
        expression = kind.express(cp, weights, scale, given)
        constraints += expression.constraints
        cost += 0.0 if expression.cost is None else expression.cost
    return constraints, parameters, cost


def cvxpy_module() -> Any:
    """Import cvxpy on first use: it takes more than a second."""
    import cvxpy

    return cvxpy


@lru_cache(maxsize=16)
def _quadratic_program(form: Form) -> Program:
    cp = cvxpy_module()

    n_assets = form.n_assets
    weights, root = cp.Variable(n_assets), cp.Parameter((n_assets, n_assets))
    linear = cp.Parameter(n_assets)
    constraints, parameters, cost = limits(weights, 1.0, form)
    objective = cp.Minimize(0.5 * cp.sum_squares(root @ weights) - linear @ weights + cost)
    parameters |= {"root": root, "linear": linear}
    problem = cp.Problem(objective, constraints)
    return Program(problem, parameters, weights, options=form.options)


@lru_cache(maxsize=64)
def _feasible_program(form: Form) -> Program:
    cp = cvxpy_module()

    weights = cp.Variable(form.n_assets)
    constraints, parameters, _ = limits(weights, 1.0, form)
    problem = cp.Problem(cp.Minimize(0.0), constraints)
    is_conic = form.options is CONIC_TOLERANCES
    solver, options = ("CLARABEL", CONIC_TOLERANCES) if is_conic else ("HIGHS", THREADS)
    return Program(problem, parameters, weights, False, solver, options)


@lru_cache(maxsize=16)
def _ratio_program(form: Form) -> Program:
    cp = cvxpy_module()

    n_assets = form.n_assets
    weights, scale = cp.Variable(n_assets), cp.Variable(nonneg=True)
    root, expected = cp.Parameter((n_assets, n_assets)), cp.Parameter(n_assets)
    constraints, parameters, _ = limits(weights, scale, form)
    constraints.append(expected @ weights == 1.0)
    parameters |= {"root": root, "expected": expected}
    objective = cp.Minimize(cp.sum_squares(root @ weights))
    problem = cp.Problem(objective, constraints)
    return Program(problem, parameters, weights, True, options=form.options, scale=scale)


@lru_cache(maxsize=16)
def _cvar_program(n_rows: int, form: Form) -> Program:
    cp = cvxpy_module()

    n_assets = form.n_assets
    weights, threshold = cp.Variable(n_assets), cp.Variable()
    excess = cp.Variable(n_rows, nonneg=True)
    returns, per_row = cp.Parameter((n_rows, n_assets)), cp.Parameter(nonneg=True)
    constraints, parameters, _ = limits(weights, 1.0, form)
    constraints.append(excess >= -returns @ weights - threshold)
    parameters |= {"returns": returns, "per_row": per_row}
    objective = cp.Minimize(threshold + per_row * cp.sum(excess))
    return Program(cp.Problem(objective, constraints), parameters, weights, False, "HIGHS", THREADS)


@lru_cache(maxsize=16)
def _risk_budget_program(n_assets: int) -> Program:
    cp = cvxpy_module()

    weights, root = cp.Variable(n_assets), cp.Parameter((n_assets, n_assets))
    budgets = cp.Parameter(n_assets, nonneg=True)
    variance = cp.sum_squares(root @ weights)
    problem = cp.Problem(cp.Minimize(0.5 * variance - budgets @ cp.log(weights)))
    parameters = {"root": root, "budgets": budgets}
    return Program(problem, parameters, weights, True, "CLARABEL", LOG_TOLERANCES)
