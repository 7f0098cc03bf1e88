"""Weights that are whole numbers of lots."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.quant.optimization.solvers.rule import DiscreteRule, Floats, Node

__all__ = ["Lots"]

WHOLE = 1e-7  # of a lot


@dataclass(frozen=True, eq=False)
class Lots(DiscreteRule):
    """Every weight is a whole number of `sizes` (asset,): lot x price / equity.

    Whole lots seldom add up to a budget: give it room through `Constraints.min_net`.
    """

    name: ClassVar[str] = "lots"
    sizes: Floats

    def split(self, weights: Floats, node: Node) -> list[Node]:
        """Round the weight that is furthest from whole lots, down and up."""
        lots = weights / self.sizes
        fraction = np.abs(lots - np.round(lots))
        asset = int(fraction.argmax())
        if fraction[asset] <= WHOLE:
            return []
        size, below = float(self.sizes[asset]), float(np.floor(lots[asset]))
        low, high = float(node.lower[asset]), float(node.upper[asset])
        return [
            node.between(asset, low, below * size),
            node.between(asset, (below + 1.0) * size, high),
        ]

    def rounded(self, weights: Floats) -> Floats:
        """Whole lots exactly."""
        return np.asarray(np.round(weights / self.sizes) * self.sizes)

    def violation(self, weights: Floats) -> float:
        """Largest distance of a weight to whole lots."""
        return float(np.abs(weights - self.rounded(weights)).max())

    def describe(self) -> str:
        """For example `whole lots of 0.001..0.02`."""
        return f"whole lots of {self.sizes.min():g}..{self.sizes.max():g}"
