"""The largest two-way turnover against the previous, drifted weights."""

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from quant_assets.quant.optimization.constraints.base import (
    Constraint,
    FeasibleSet,
    Floats,
    HardeningProblem,
)


@dataclass(frozen=True)
class TurnoverConstraint(Constraint):
    """`sum|w - previous| <= limit`; entering from cash (all previous weights 0) is not limited."""

    name: ClassVar[str] = "turnover"
    limit: float

    @classmethod
    def from_problem(cls, problem: HardeningProblem) -> Self | None:
        """Set unless `max_turnover` is None."""
        return None if problem.max_turnover is None else cls(problem.max_turnover)

    def narrow(self, feasible: FeasibleSet, previous: Floats) -> FeasibleSet:
        """Tighten the turnover limit, unless everything is cash."""
        if not previous.any():
            return feasible
        return replace(feasible, max_turnover=min(feasible.max_turnover, self.limit))

    def violation(self, weights: Floats, previous: Floats) -> float:
        """Turnover over the limit."""
        if not previous.any():
            return 0.0
        return max(float(np.abs(weights - previous).sum()) - self.limit, 0.0)

    def describe(self) -> str:
        """For example `sum of |weight - previous| <= 0.5`."""
        return f"sum of |weight - previous| <= {self.limit:g}"
