"""The base of hardening constraints, the numbers they are made from, and the set they leave.

A new constraint is a new file: it reads its numbers from the `HardeningProblem`, narrows the
`FeasibleSet` that the projection works on, and measures its own violation afterwards.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from quant_assets.quant.optimization.solvers.rule import Rule

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class HardeningProblem:
    """The limits, as fractions of equity; None means no limit.

    `min_weight` and `max_weight` are numbers, or arrays (asset,). `budget` is the exact sum of the
    weights; `min_net` and `max_net` only bound it. `max_turnover` is two-way. `rules` are further
    ones, as the optimizers take them.
    """

    budget: float | None = 1.0
    min_weight: float | Floats = 0.0
    max_weight: float | Floats = 1.0
    max_gross: float | None = None
    min_net: float | None = None
    max_net: float | None = None
    max_turnover: float | None = None
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, eq=False)
class FeasibleSet:
    """The weights that a set of constraints leaves; infinities mean no limit.

    lower <= w <= upper (asset,), sum(w) in [net_low, net_high], sum|w| <= max_gross and
    sum|w - previous| <= max_turnover.
    """

    lower: Floats
    upper: Floats
    net_low: float = -np.inf
    net_high: float = np.inf
    max_gross: float = np.inf
    max_turnover: float = np.inf

    @classmethod
    def everything(cls, n_assets: int) -> Self:
        """No limit at all."""
        return cls(np.full(n_assets, -np.inf), np.full(n_assets, np.inf))


class Constraint(ABC):
    """One rule that hardened weights must keep."""

    name: ClassVar[str]

    @classmethod
    @abstractmethod
    def from_problem(cls, problem: HardeningProblem) -> Self | None:
        """Build it with the problem's numbers, or return None when the problem does not set it."""

    @abstractmethod
    def narrow(self, feasible: FeasibleSet, previous: Floats) -> FeasibleSet:
        """Return the part of `feasible` that keeps it; `previous` (asset,) as in `harden`."""

    @abstractmethod
    def violation(self, weights: Floats, previous: Floats) -> float:
        """Measure how far `weights` (asset,) break it, as a fraction of equity; 0: not at all."""

    @abstractmethod
    def describe(self) -> str:
        """State the rule with its numbers, for error messages."""
