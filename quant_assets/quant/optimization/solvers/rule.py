"""The base of the rules that portfolios keep while they are optimised, beyond box and budget.

A new rule is a new file. A convex one says how to state it to cvxpy, once per shape, with its
numbers as parameters; a discrete one says how to split a box in which it is broken. Both measure
their own violation afterwards. Rules are pure data: their arrays are not to be changed.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from quant_assets.quant.optimization.solvers.distance import Distance

__all__ = [
    "DiscreteRule",
    "Expression",
    "Node",
    "Rule",
    "deviation",
    "root",
    "span_excess",
    "within",
]

Floats = npt.NDArray[np.float64]
HELD = 1e-9  # a smaller weight is none
ROUNDING = 1e-12


@dataclass(frozen=True)
class Expression:
    """What a rule adds to a program of cvxpy: constraints, and a cost or None."""

    constraints: tuple[Any, ...] = ()
    cost: Any = None


class Rule(ABC):
    """One rule that optimised weights keep, or pay for."""

    name: ClassVar[str]
    # parameters that are never negative: cvxpy must know it to see that a program is convex
    positive: ClassVar[frozenset[str]] = frozenset()
    # stated with second-order or power cones, on which interior points are less exact
    is_conic: ClassVar[bool] = False
    # costs are fractions of equity, and belong into an objective of the same unit
    is_cost: ClassVar[bool] = False

    @abstractmethod
    def numbers(self, cost_unit: float) -> dict[str, Any]:
        """Values of the program's parameters, by name; costs are multiplied by `cost_unit`."""

    @classmethod
    @abstractmethod
    def express(cls, cp: Any, weights: Any, scale: Any, given: dict[str, Any]) -> Expression:
        """State it in cvxpy (the module `cp`), with the parameters `given` by name.

        Where the program is homogenised, `weights` (asset,) are `scale` times the portfolio.
        """

    @abstractmethod
    def violation(self, weights: Floats) -> float:
        """Measure how far `weights` (asset,) break it; 0: not at all."""

    @abstractmethod
    def describe(self) -> str:
        """State the rule with its numbers, for error messages."""

    def cost(self, weights: Floats) -> float:  # noqa: ARG002 - most rules are free
        """What holding `weights` (asset,) costs, as a fraction of equity."""
        return 0.0

    def distance(self) -> Distance | None:
        """Return the rule as a limited or charged distance, if it is no more than that."""
        return None


@dataclass(frozen=True, eq=False)
class Node:
    """A part of the box in a search: bounds (asset,), and who is known to be held."""

    lower: Floats
    upper: Floats
    held: npt.NDArray[np.bool_]

    def without(self, asset: int) -> "Node":
        """Return the part in which `asset` is not held."""
        lower, upper = self.lower.copy(), self.upper.copy()
        lower[asset] = upper[asset] = 0.0
        return Node(lower, upper, self.held)

    def between(self, asset: int, low: float, high: float) -> "Node":
        """Return the part with `low <= w[asset] <= high`; ends that cross by rounding meet."""
        lower, upper = self.lower.copy(), self.upper.copy()
        low, high = max(low, float(lower[asset])), min(high, float(upper[asset]))
        lower[asset], upper[asset] = high if high < low <= high + ROUNDING else low, high
        return Node(lower, upper, self.held)

    def holding(self, asset: int, floor: float) -> "Node":
        """Return the part in which `asset` is held, at `floor` or more."""
        held = self.held.copy()
        held[asset] = True
        part = self.between(asset, floor, float(self.upper[asset]))
        return Node(part.lower, part.upper, held)

    @property
    def is_empty(self) -> bool:
        """Whether some bounds cross."""
        return bool((self.lower > self.upper).any())


class DiscreteRule(Rule):
    """A rule that no convex program can state; a search splits the box until it holds."""

    def numbers(self, cost_unit: float) -> dict[str, Any]:  # noqa: ARG002 - base
        """Return none: the convex relaxation leaves the rule out."""
        return {}

    @classmethod
    def express(cls, cp: Any, weights: Any, scale: Any, given: dict[str, Any]) -> Expression:  # noqa: ARG003 - base
        """Leave it out of the relaxation."""
        return Expression()

    @abstractmethod
    def split(self, weights: Floats, node: Node) -> list[Node]:
        """Parts of `node` that together hold all that keeps the rule; none when `weights` do.

        `weights` (asset,) are the best of the node without the rule; no part contains them, or
        every part is smaller.
        """

    def rounded(self, weights: Floats) -> Floats:
        """`weights` that keep the rule up to rounding, made exact."""
        return weights


def within(exposures: Any, scale: Any, given: dict[str, Any]) -> Expression:
    """State `lowest <= exposures <= highest`, of the parameters `given`."""
    return Expression((exposures >= given["lowest"] * scale, exposures <= given["highest"] * scale))


def span_excess(exposures: Floats, lowest: Floats, highest: Floats) -> float:
    """Largest distance of an exposure to its span."""
    excess = np.maximum(lowest - exposures, exposures - highest)
    return max(float(excess.max(initial=0.0)), 0.0)


def root(covariance: Floats) -> Floats:
    """R with `R'R` the covariance (asset, asset)."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T)


def deviation(weights: Floats, covariance: Floats) -> float:
    """`sqrt(w' Sigma w)`."""
    return float(np.sqrt(max(float(weights @ covariance @ weights), 0.0)))
