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
from quant_assets.quant.optimization.solvers.newton import Slope, climb

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
        region = self.constraints.region(problem.n_assets)
        aversion = 1.0 / self.fraction
        start = region.box.vertex(rows.min(axis=0))[0]
        if not _utility(rows @ start, aversion) > -np.inf:
            raise SolverError(
                f"{self.name}: even the portfolio of the smallest worst losses is ruined in row "
                f"{int((rows @ start).argmin())} ({(rows @ start).min():.3g}). Lower the bounds."
            )

        def slope_at(weights: Floats) -> Slope:
            wealth = 1.0 + rows @ weights
            marginal = wealth**-aversion
            pull = np.sqrt(aversion * marginal / wealth / len(rows))
            gradient = np.asarray(marginal @ rows / len(rows))
            value = _utility(wealth - 1.0, aversion)
            return Slope(value, gradient, gram(pull[:, None] * rows))

        found = climb(slope_at, lambda w: _utility(rows @ w, aversion), start, region)
        size = float(np.abs(rows).mean())
        if found.promise > ACCEPTED * size:
            raise SolverError(
                f"{self.name}: after {found.steps} steps one more still promises {found.promise:g}"
            )
        return Solution(
            found.weights,
            "newton active set",
            objective=_growth(found.slope.value, aversion),
            iterations=found.steps,
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
