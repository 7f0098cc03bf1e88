"""Bounds of the net exposure."""

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
class NetConstraint(Constraint):
    """`low <= sum(w) <= high`."""

    name: ClassVar[str] = "net"
    low: float
    high: float

    @classmethod
    def from_problem(cls, problem: HardeningProblem) -> Self | None:
        """Set when `min_net` or `max_net` is."""
        if problem.min_net is None and problem.max_net is None:
            return None
        low = -np.inf if problem.min_net is None else problem.min_net
        high = np.inf if problem.max_net is None else problem.max_net
        return cls(low, high)

    def narrow(self, feasible: FeasibleSet, previous: Floats) -> FeasibleSet:  # noqa: ARG002 - base
        """Tighten both ends of the net exposure."""
        low, high = max(feasible.net_low, self.low), min(feasible.net_high, self.high)
        return replace(feasible, net_low=low, net_high=high)

    def violation(self, weights: Floats, previous: Floats) -> float:  # noqa: ARG002 - base
        """Distance of the sum to the allowed span."""
        net = float(weights.sum())
        return max(self.low - net, net - self.high, 0.0)

    def describe(self) -> str:
        """For example `-0.1 <= sum of weights <= 0.1`."""
        return f"{self.low:g} <= sum of weights <= {self.high:g}"
