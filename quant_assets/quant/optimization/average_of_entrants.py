"""The equal-weighted average of other optimizers."""

from collections.abc import Mapping
from typing import ClassVar, Self

import numpy as np

from quant_assets.core.errors import ConfigError, SolverError
from quant_assets.quant.optimization.base import (
    LONG_ONLY,
    Constraints,
    Optimizer,
    Problem,
    Solution,
)
from quant_assets.quant.optimization.members import Offer, default_members, member

__all__ = ["AverageOfEntrants"]

WITHOUT = "without "


class AverageOfEntrants(Optimizer):
    """Mean of the weights of `members`, names of optimizers; None: all entrants by default.

    A forecast combination with equal weights (Timmermann 2006). A member whose solver fails is
    left out, and named in the report's fallback. Objective: the largest weight.
    """

    name: ClassVar[str] = "average_of_entrants"
    has_members: ClassVar[bool] = True
    keeps_constraints: ClassVar[bool] = False

    def __init__(
        self,
        *,
        constraints: Constraints = LONG_ONLY,
        members: tuple[str, ...] | None = None,
        risk_aversion: float = 5.0,
        level: float = 0.95,
        periods_per_year: float = 252.0,
    ) -> None:
        super().__init__(constraints=constraints)
        self.members = members
        self.risk_aversion = risk_aversion
        self.level = level
        self.periods_per_year = periods_per_year
        self._known: Mapping[str, Optimizer] = {}

    def knowing(self, fitted: Mapping[str, Optimizer]) -> Self:
        """Take members that the caller has fitted to the very same data instead of fitting again.

        `fitted` is by name and read when it is needed. Only optimizers with equal parameters are
        taken, so that the weights are the same, bit for bit.
        """
        self._known = fitted
        return self

    def _solve(self, problem: Problem) -> Solution:
        names = default_members() if self.members is None else self.members
        if not names or self.name in names:
            raise ConfigError(f"{self.name} averages other optimizers, not {list(names)}")
        offer = Offer(self.constraints, self.risk_aversion, self.level, self.periods_per_year)
        weights, failed, steps = [], [], 0
        for name in names:
            fitted = member(name, offer)
            known = self._known.get(name)
            if known is not None and known.get_params() == fitted.get_params():
                fitted = known
            else:
                try:
                    fitted.fit(problem.returns, expected_returns=problem.expected_returns)
                except SolverError:
                    failed.append(name)
                    continue
            weights.append(fitted.weights_)
            steps += fitted.solver_report_.iterations
        if not weights:
            raise SolverError(f"{self.name}: every member failed: {', '.join(failed)}")
        mean = np.mean(weights, axis=0)
        return Solution(
            mean,
            f"mean of {len(weights)}",
            objective=float(mean.max()),
            iterations=steps,
            fallback=WITHOUT + ", ".join(failed) if failed else "",
        )
