"""The largest gross exposure."""

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
class GrossConstraint(Constraint):
    """`sum|w| <= limit`."""

    name: ClassVar[str] = "gross"
    limit: float

    @classmethod
    def from_problem(cls, problem: HardeningProblem) -> Self | None:
        """Set unless `max_gross` is None."""
        return None if problem.max_gross is None else cls(problem.max_gross)

    def narrow(self, feasible: FeasibleSet, previous: Floats) -> FeasibleSet:  # noqa: ARG002 - base
        """Tighten the gross limit."""
        return replace(feasible, max_gross=min(feasible.max_gross, self.limit))

    def violation(self, weights: Floats, previous: Floats) -> float:  # noqa: ARG002 - base
        """Gross exposure over the limit."""
        return max(float(np.abs(weights).sum()) - self.limit, 0.0)

    def describe(self) -> str:
        """For example `sum of |weight| <= 1`."""
        return f"sum of |weight| <= {self.limit:g}"
