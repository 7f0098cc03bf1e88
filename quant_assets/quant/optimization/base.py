"""The base of all optimizers: parameters in, `fit` learns `weights_` and `solver_report_`.

scikit-learn's protocol (`get_params`, `set_params`, `clone`) is spoken without importing it.
"""

import inspect
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError, DataError, SolverError
from quant_assets.quant.moments.covariance import Estimator, covariance_matrix
from quant_assets.quant.optimization.solvers.active_set import Box
from quant_assets.quant.optimization.solvers.convex import Region
from quant_assets.quant.optimization.solvers.rule import Rule

__all__ = ["Constraints", "Optimizer", "SolverReport"]

Floats = npt.NDArray[np.float64]
SLACK = 1e-12
NOT_PROVEN = float("nan")


@dataclass(frozen=True)
class Constraints:
    """What portfolios are allowed, as fractions of equity.

    `lower` and `upper` are numbers for all assets, or tuples with one number per asset. The weights
    sum to `budget`; with `min_net` to something between that and `budget`, and the rest is cash.
    `rules` are what else to keep or pay for: see `quant_assets.quant.optimization.constraints`.
    """

    budget: float = 1.0
    lower: float | tuple[float, ...] = 0.0
    upper: float | tuple[float, ...] = 1.0
    max_gross: float | None = None
    min_net: float | None = None
    rules: tuple[Rule, ...] = ()

    def __post_init__(self) -> None:
        """Keep bounds that come as an array or list as tuples, which compare and do not change."""
        for name in ("lower", "upper"):
            bound = getattr(self, name)
            if np.ndim(bound):
                object.__setattr__(self, name, tuple(float(number) for number in bound))

    def require_feasible(self, n_assets: int) -> None:
        """Raise `SolverError` that names the conflicting constraints with their numbers.

        Box, budget and gross only: whether rules can be kept is for the solver to find out.
        """
        lower, upper = self._bounds(n_assets)
        if (lower > upper).any():
            worst = int((lower - upper).argmax())
            raise SolverError(f"box is empty: lower {lower[worst]:g} > upper {upper[worst]:g}")
        least, most = float(lower.sum()), float(upper.sum())
        smallest = self.budget if self.min_net is None else self.min_net
        if smallest > self.budget + SLACK:
            raise SolverError(f"budget is empty: min_net {smallest:g} > budget {self.budget:g}")
        if most < smallest - SLACK:
            raise SolverError(
                f"box and budget conflict: {_product(n_assets, 'upper', self.upper)} = {most:g} "
                f"< budget {smallest:g}. Raise upper or lower the budget."
            )
        if least > self.budget + SLACK:
            raise SolverError(
                f"box and budget conflict: {_product(n_assets, 'lower', self.lower)} = {least:g} "
                f"> budget {self.budget:g}. Lower the lower bound or raise the budget."
            )
        net = min(max(0.0, smallest), self.budget)
        if self.max_gross is not None and abs(net) > self.max_gross + SLACK:
            raise SolverError(
                f"budget and gross conflict: |budget {net:g}| > max_gross "
                f"{self.max_gross:g}. Raise max_gross or lower the budget."
            )

    def violation(self, weights: Floats) -> float:
        """Largest violation by `weights` (asset,), 0 when all constraints hold."""
        lower, upper = self._bounds(len(weights))
        net = float(weights.sum())
        smallest = self.budget if self.min_net is None else self.min_net
        broken = [net - self.budget, smallest - net, 0.0]
        broken += [float((lower - weights).max()), float((weights - upper).max())]
        if self.max_gross is not None:
            broken.append(float(np.abs(weights).sum()) - self.max_gross)
        return max(*broken, *(rule.violation(weights) for rule in self.rules))

    def region(self, n_assets: int) -> Region:
        """Return the same set for the solvers, with bounds per asset."""
        lower, upper = self._bounds(n_assets)
        box = Box(self.budget, lower, upper)
        return Region(box, self.max_gross, min_net=self.min_net, rules=self.rules)

    def _bounds(self, n_assets: int) -> tuple[Floats, Floats]:
        for name, bound in (("lower", self.lower), ("upper", self.upper)):
            if np.ndim(bound) and np.shape(bound) != (n_assets,):
                raise ConfigError(
                    f"{name} has {np.size(bound)} bounds for {n_assets} assets: give one number, "
                    "or one per asset"
                )
        return np.full(n_assets, self.lower), np.full(n_assets, self.upper)


def _product(n_assets: int, name: str, bound: float | tuple[float, ...]) -> str:
    if isinstance(bound, tuple):
        return f"{n_assets} {name} bounds sum to {float(np.sum(bound)):g}, which"
    return f"{n_assets} assets x {name} {bound:g}"


LONG_ONLY = Constraints()


@dataclass(frozen=True)
class Problem:
    """One training span: `returns` (time, asset), and annual expected returns (asset,) or None.

    `benchmark` (time,) are returns and `factors` (time, factor) factor returns of the same rows;
    only the optimizers that list them in `needs` read them.
    """

    returns: Floats
    expected_returns: Floats | None
    benchmark: Floats | None = None
    factors: Floats | None = None

    @property
    def n_assets(self) -> int:
        """Number of assets."""
        return int(self.returns.shape[1])

    def covariance(self, estimator: Estimator) -> Floats:
        """Covariance per period, by an estimator of `quant.moments.covariances` or its name."""
        return covariance_matrix(self.returns, estimator=estimator)

    def mean(self, periods_per_year: float) -> Floats:
        """Return expected returns per period: annual ones / periods, or the sample mean."""
        if self.expected_returns is None:
            return np.asarray(self.returns.mean(axis=0))
        return np.asarray(self.expected_returns / periods_per_year)


@dataclass(frozen=True)
class Solution:
    """What one `_solve` found; `objective` is per period, `fallback` is empty without one.

    `gap` bounds how far the objective is from the best, relative to it; NaN: nothing is proven.
    """

    weights: Floats
    solver: str
    objective: float
    iterations: int = 0
    status: str = "optimal"
    fallback: str = ""
    gap: float = NOT_PROVEN


@dataclass(frozen=True)
class SolverReport:
    """How the weights came about; `residual` is the largest constraint violation of the answer.

    `gap` is the proven relative distance of the objective from the best; NaN: nothing is proven.
    """

    solver: str
    status: str
    iterations: int
    objective: float
    residual: float
    fallback: str
    seconds: float = field(compare=False)
    gap: float = field(default=NOT_PROVEN, compare=False)


class Optimizer(ABC):
    """An optimizer: `__init__` stores its parameters, `fit` learns `weights_`.

    A subclass has a `name`, and `_solve`, which returns weights that sum to the budget. Optimizers
    that solve under constraints keep box and gross; the others (equal weight, inverse volatility,
    risk parity) say in `solver_report_.residual` by how much they miss them, and leave it to
    `quant_assets.quant.optimization.hardening`.

    Attributes
    ----------
    weights_
        Shape (asset,), fractions of equity.
    solver_report_
        Solver, status, iterations, objective (per period), residual, fallback, seconds.
    """

    name: ClassVar[str]
    # takes part in the tournament of a venue that does not name its entrants
    is_entrant: ClassVar[bool] = True
    # whether box and gross are in the problem; the others leave them to hardening
    keeps_constraints: ClassVar[bool] = True
    # whether the constraints' rules are in the problem; to the others rules are an error
    keeps_rules: ClassVar[bool] = False
    # whether the objective is in units of return, so that rules may charge costs
    pays_costs: ClassVar[bool] = False
    # whether it is made of other optimizers
    has_members: ClassVar[bool] = False
    # the arguments of `fit` that it cannot do without
    needs: ClassVar[tuple[str, ...]] = ()
    weights_: Floats
    solver_report_: SolverReport

    def __init__(self, *, constraints: Constraints = LONG_ONLY) -> None:
        self.constraints = constraints

    @abstractmethod
    def _solve(self, problem: Problem) -> Solution:
        """Weights for `problem`; its constraints are feasible. Failure is a `SolverError`."""

    def fit(
        self,
        returns: npt.ArrayLike,
        y: object = None,  # noqa: ARG002 - scikit-learn's protocol passes a target
        *,
        expected_returns: npt.ArrayLike | None = None,
        benchmark: npt.ArrayLike | None = None,
        factors: npt.ArrayLike | None = None,
    ) -> Self:
        """Learn the weights from simple `returns` (time, asset), at least 2 rows, no NaN.

        `expected_returns` (asset,) are annual fractions; without them the sample mean is used by
        those who need one. `benchmark` (time,) and `factors` (time, factor) are returns of the
        same rows. Infeasible constraints and non-optimal endings are a `SolverError`, data that
        the optimizer `needs` and did not get a `DataError`.
        """
        began = time.perf_counter()
        problem = _checked(returns, expected_returns)
        problem = replace(
            problem,
            benchmark=_beside("benchmark", benchmark, problem, n_dimensions=1),
            factors=_beside("factors", factors, problem, n_dimensions=2),
        )
        self._require_needs(problem)
        self._require_no_unknown_rules()
        self.constraints.require_feasible(problem.n_assets)
        try:
            solution = self._solve(problem)
        except np.linalg.LinAlgError as cause:
            raise SolverError(f"{self.name}: {cause}; the covariance is singular") from cause
        if not np.isfinite(solution.weights).all():
            raise SolverError(f"{self.name}: {solution.solver} gave weights {solution.weights}")
        self.weights_ = solution.weights
        self.solver_report_ = SolverReport(
            solver=solution.solver,
            status=solution.status,
            iterations=solution.iterations,
            objective=solution.objective,
            residual=self.constraints.violation(solution.weights),
            fallback=solution.fallback,
            seconds=time.perf_counter() - began,
            gap=solution.gap,
        )
        return self

    def _require_no_unknown_rules(self) -> None:
        extra = [rule.name for rule in self.constraints.rules]
        extra += ["min_net"] if self.constraints.min_net is not None else []
        if extra and not self.keeps_rules:
            raise ConfigError(
                f"{self.name} cannot keep {' and '.join(extra)} while it optimises: fit it "
                "without, and harden its weights"
            )
        costs = [rule.name for rule in self.constraints.rules if rule.is_cost]
        if costs and not self.pays_costs:
            raise ConfigError(
                f"{self.name} has no objective in units of return to weigh {' and '.join(costs)} "
                "against: mean_variance has"
            )

    def _require_needs(self, problem: Problem) -> None:
        missing = [name for name in self.needs if getattr(problem, name) is None]
        if missing:
            given = " and ".join(missing)
            raise DataError(f"{self.name} needs {given}: pass {given} to fit, one row per return")

    @classmethod
    def parameter_names(cls) -> tuple[str, ...]:
        """Names of the constructor's parameters, sorted."""
        return tuple(sorted(_parameters(cls)))

    @classmethod
    def required_parameters(cls) -> tuple[str, ...]:
        """Names of the constructor's parameters without a default, sorted."""
        return tuple(name for name, is_required in sorted(_parameters(cls).items()) if is_required)

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002 - sklearn's protocol
        """Return the constructor's parameters, by name; none of them is an estimator."""
        return {name: getattr(self, name) for name in self.parameter_names()}

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name, in place; an unknown one is a `ConfigError`."""
        unknown = sorted(params.keys() - set(self.parameter_names()))
        if unknown:
            raise ConfigError(f"{self.name} has no {unknown}; known: {self.parameter_names()}")
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def __sklearn_clone__(self) -> Self:
        """Make an unfitted optimizer with the same (frozen) parameters: `sklearn.base.clone`."""
        return type(self)(**self.get_params())

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.get_params().items())
        return f"{type(self).__name__}({shown})"


def _checked(returns: npt.ArrayLike, expected_returns: npt.ArrayLike | None) -> Problem:
    values = np.asarray(returns, dtype=np.float64)
    if values.ndim != 2 or values.shape[0] < 2 or values.shape[1] < 1:
        raise DataError(f"returns must be (time >= 2, asset >= 1), found shape {values.shape}")
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        raise DataError(
            f"returns[{row}, {column}] is {values[row, column]}: drop the row or the asset first"
        )
    if expected_returns is None:
        return Problem(values, None)
    expected = np.asarray(expected_returns, dtype=np.float64)
    if expected.shape != (values.shape[1],) or not np.isfinite(expected).all():
        raise DataError(
            f"expected_returns must be {values.shape[1]} finite numbers, one per asset; "
            f"found shape {expected.shape}: {expected}"
        )
    return Problem(values, expected)


def _beside(
    name: str, values: npt.ArrayLike | None, problem: Problem, *, n_dimensions: int
) -> Floats | None:
    """`values` as finite floats with the rows of `returns`, or None when they are not given."""
    if values is None:
        return None
    array = np.asarray(values, dtype=np.float64)
    n_rows = len(problem.returns)
    if array.ndim != n_dimensions or len(array) != n_rows or not np.isfinite(array).all():
        raise DataError(
            f"{name} must be {n_rows} rows of finite numbers in {n_dimensions} dimension(s), as "
            f"returns has; found shape {array.shape} with {int((~np.isfinite(array)).sum())} "
            "that are not finite"
        )
    return array


@cache
def _parameters(kind: type[Optimizer]) -> dict[str, bool]:
    """Parameters of the constructor, and whether each must be given."""
    parameters = inspect.signature(kind).parameters
    return {
        name: parameter.default is inspect.Parameter.empty for name, parameter in parameters.items()
    }
