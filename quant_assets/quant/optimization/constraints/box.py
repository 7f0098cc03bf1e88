"""Bounds of every weight."""

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from quant_assets.quant.optimization.constraints.base import (
    Constraint,
    FeasibleSet,
    Floats,
    HardeningProblem,
)


@dataclass(frozen=True, eq=False)
class BoxConstraint(Constraint):
    """`lower <= w_i <= upper`, numbers or arrays (asset,)."""

    name: ClassVar[str] = "box"
    lower: float | Floats
    upper: float | Floats

    @classmethod
    def from_problem(cls, problem: HardeningProblem) -> Self | None:
        """Build it: always set."""
        return cls(problem.min_weight, problem.max_weight)

    def narrow(self, feasible: FeasibleSet, previous: Floats) -> FeasibleSet:  # noqa: ARG002 - base
        """Tighten both bounds."""
        lower = np.maximum(feasible.lower, self.lower)
        upper = np.minimum(feasible.upper, self.upper)
        return replace(feasible, lower=lower, upper=upper)

    def violation(self, weights: Floats, previous: Floats) -> float:  # noqa: ARG002 - base
        """Largest excess over a bound."""
        below = float((self.lower - weights).max())
        above = float((weights - self.upper).max())
        return max(below, above, 0.0)

    def describe(self) -> str:
        """For example `0 <= weight <= 0.2`."""
        return f"{_span(self.lower)} <= weight <= {_span(self.upper)}"


def _span(bound: float | Floats) -> str:
    low, high = float(np.min(bound)), float(np.max(bound))
    return f"{low:g}" if low == high else f"{low:g}..{high:g}"
