"""At most so many names, none of them tiny."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.quant.optimization.solvers.rule import HELD, DiscreteRule, Floats, Node

__all__ = ["Cardinality"]


@dataclass(frozen=True, eq=False)
class Cardinality(DiscreteRule):
    """At most `most` names are held, each at `floor` or more; for weights that are never negative.

    The search is that of Bertsimas & Shioda (2009): a name is either out, or in with its floor.
    """

    name: ClassVar[str] = "cardinality"
    most: int
    floor: float = 0.0

    def split(self, weights: Floats, node: Node) -> list[Node]:
        """Take the largest undecided name in, or leave it out; once it is full all are out."""
        undecided = ~node.held & (node.upper > 0.0)
        in_use = weights > HELD
        tiny = in_use & (weights < self.floor - HELD)
        if int(in_use.sum()) <= self.most and not tiny.any():
            return []
        if int(node.held.sum()) >= self.most:
            upper = np.where(undecided, 0.0, node.upper)
            return [Node(np.minimum(node.lower, upper), upper, node.held)]
        asset = int(np.where(undecided & in_use, weights, -1.0).argmax())
        return [node.holding(asset, self.floor), node.without(asset)]

    def rounded(self, weights: Floats) -> Floats:
        """Weights below 1e-9 are 0."""
        return np.where(weights > HELD, weights, 0.0)

    def violation(self, weights: Floats) -> float:
        """Largest of the shortfalls from the floor, and of the names that are too many."""
        in_use = weights[np.abs(weights) > HELD]
        short = float((self.floor - in_use).max(initial=0.0))
        surplus = np.sort(np.abs(in_use))[: max(len(in_use) - self.most, 0)]
        return max(short, float(surplus.max(initial=0.0)), 0.0)

    def describe(self) -> str:
        """For example `at most 5 names of 0.02 or more`."""
        return f"at most {self.most} names of {self.floor:g} or more"
