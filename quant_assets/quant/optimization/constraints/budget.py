"""The exact sum of the weights."""

from dataclasses import dataclass, replace
from typing import ClassVar, Self

from quant_assets.quant.optimization.constraints.base import (
    Constraint,
    FeasibleSet,
    Floats,
    HardeningProblem,
)


@dataclass(frozen=True)
class BudgetConstraint(Constraint):
    """`sum(w) = total`."""

    name: ClassVar[str] = "budget"
    total: float

    @classmethod
    def from_problem(cls, problem: HardeningProblem) -> Self | None:
        """Set unless `budget` is None."""
        return None if problem.budget is None else cls(problem.budget)

    def narrow(self, feasible: FeasibleSet, previous: Floats) -> FeasibleSet:  # noqa: ARG002 - base
        """Both ends of the net exposure become the total."""
        low, high = max(feasible.net_low, self.total), min(feasible.net_high, self.total)
        return replace(feasible, net_low=low, net_high=high)

    def violation(self, weights: Floats, previous: Floats) -> float:  # noqa: ARG002 - base
        """Distance of the sum to the total."""
        return abs(float(weights.sum()) - self.total)

    def describe(self) -> str:
        """For example `sum of weights = 1`."""
        return f"sum of weights = {self.total:g}"
