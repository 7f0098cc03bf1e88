"""The portfolio of largest expected growth, or of a fraction of its risk."""

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError, SolverError
from quant_assets.quant.moments.rows import gram
from quant_assets.quant.optimization.base import (
    LONG_ONLY,
    Constraints,
    Optimizer,
    Problem,
    Solution,
)
from quant_assets.quant.optimization.solvers.convex import Region
from quant_assets.quant.optimization.solvers.newton import Slope, climb
from quant_assets.quant.optimization.solvers.quadratic import Answer
from quant_assets.quant.optimization.solvers.ruled import best, nearest
from quant_assets.quant.optimization.solvers.tail import minimise

__all__ = ["Kelly"]

Floats = npt.NDArray[np.float64]
ACCEPTED = 1e-9


class Kelly(Optimizer):
    """Maximise the mean utility of `1 + R w`, with relative risk aversion `1 / fraction`.

    `fraction` 1 is logarithmic utility, the growth rate of Kelly (1956). A smaller one is power
    utility: in the limit of short periods it holds that fraction of the Kelly portfolio (MacLean,
    Ziemba & Blazenko 1992). With expected returns in `fit` the rows are shifted to that mean. What
    is not invested must be an asset of its own (cash, with return 0), or the budget is spent.
    Objective: the certainty-equivalent growth rate per period, `log` of the mean utility inverted.
    """

    name: ClassVar[str] = "kelly"
    keeps_rules: ClassVar[bool] = True

    def __init__(
        self,
        *,
        constraints: Constraints = LONG_ONLY,
        fraction: float = 0.5,
        periods_per_year: float = 252.0,
    ) -> None:
        super().__init__(constraints=constraints)
        self.fraction = fraction
        self.periods_per_year = periods_per_year

    def _solve(self, problem: Problem) -> Solution:
        if not 0 < self.fraction <= 1:
            raise ConfigError(f"fraction is {self.fraction}; give one in (0, 1]")
        rows = problem.returns
        if problem.expected_returns is not None:
            rows = rows - rows.mean(axis=0) + problem.mean(self.periods_per_year)
        aversion = 1.0 / self.fraction

        def value_at(weights: Floats) -> float:
            return _utility(rows @ weights, aversion)

        def slope_at(weights: Floats) -> Slope:
            wealth = 1.0 + rows @ weights
            marginal = wealth**-aversion
            pull = np.sqrt(aversion * marginal / wealth / len(rows))
            gradient = np.asarray(marginal @ rows / len(rows))
            return Slope(value_at(weights), gradient, gram(pull[:, None] * rows))

        def solve(region: Region) -> Answer:
            found = climb(slope_at, value_at, _solvent(rows, region), region)
            if found.promise > ACCEPTED * float(np.abs(rows).mean()):
                raise SolverError(
                    f"{self.name}: after {found.steps} steps one more still promises "
                    f"{found.promise:g}"
                )
            return Answer(found.weights, "newton steps", found.steps)

        answer = best(
            self.constraints.region(problem.n_assets), solve, lambda weights: -value_at(weights)
        )
        return Solution(
            answer.weights,
            answer.solver,
            objective=_growth(value_at(answer.weights), aversion),
            iterations=answer.iterations,
        )


def _solvent(rows: Floats, region: Region) -> Floats:
    """Weights that no row ruins: near equal ones, or those of the least worst loss."""
    n_assets = rows.shape[1]
    weights = nearest(np.full(n_assets, 1.0 / n_assets), region).weights
    if (rows @ weights).min() > -1.0:
        return weights
    weights = minimise(rows, 1.0, region).weights
    if (rows @ weights).min() > -1.0:
        return weights
    raise SolverError(
        f"kelly: even the portfolio of the least worst loss is ruined in row "
        f"{int((rows @ weights).argmin())} ({(rows @ weights).min():.3g}). Lower the bounds."
    )


def _utility(returns: Floats, aversion: float) -> float:
    """Mean of `log(1 + r)`, or of `((1 + r)^(1 - a) - 1) / (1 - a)`; -inf after a ruin."""
    wealth = 1.0 + returns
    if not (wealth > 0.0).all():
        return -np.inf
    growth = np.log1p(returns)
    if aversion == 1.0:
        return float(growth.mean())
    return float((np.expm1((1.0 - aversion) * growth) / (1.0 - aversion)).mean())


def _growth(value: float, aversion: float) -> float:
    """Growth rate of the certain return that is worth `value`."""
    if aversion == 1.0:
        return value
    return float(np.log1p((1.0 - aversion) * value) / (1.0 - aversion))
