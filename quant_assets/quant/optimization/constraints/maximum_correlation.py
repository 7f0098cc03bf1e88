"""No two names together that move too much alike."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.quant.optimization.solvers.rule import HELD, DiscreteRule, Floats, Node

__all__ = ["MaximumCorrelation"]


@dataclass(frozen=True, eq=False)
class MaximumCorrelation(DiscreteRule):
    """Of two names whose correlation exceeds `limit` at most one is held.

    `correlation` (asset, asset), symmetric.
    """

    name: ClassVar[str] = "correlation"
    correlation: Floats
    limit: float

    def _clash(self, weights: Floats) -> tuple[int, int, float]:
        """Find the held pair whose smaller weight is largest, and that weight."""
        size = np.where(np.abs(weights) > HELD, np.abs(weights), 0.0)
        alike = np.triu(self.correlation > self.limit, 1)
        smaller = np.where(alike, np.minimum(size[:, None], size), 0.0)
        first, second = np.unravel_index(int(smaller.argmax()), smaller.shape)
        return int(first), int(second), float(smaller[first, second])

    def split(self, weights: Floats, node: Node) -> list[Node]:
        """Leave the one or the other of a pair out."""
        first, second, size = self._clash(weights)
        if size == 0.0:
            return []
        return [node.without(first), node.without(second)]

    def rounded(self, weights: Floats) -> Floats:
        """Weights below 1e-9 are 0."""
        return np.where(np.abs(weights) > HELD, weights, 0.0)

    def violation(self, weights: Floats) -> float:
        """The smaller weight of the pair that breaks it most."""
        return self._clash(weights)[2]

    def describe(self) -> str:
        """For example `no two names with a correlation above 0.9`."""
        return f"no two names with a correlation above {self.limit:g}"
