"""The distance of weights from where they stand: what trading is limited by and paid for."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

__all__ = ["Distance"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Distance:
    """`sum|w - position| <= limit`, at `cost_i` per unit: arrays (asset,), infinity: no limit."""

    positions: Floats
    cost: Floats
    limit: float = np.inf

    def of(self, weights: Floats) -> float:
        """Distance of `weights` (asset,)."""
        return float(np.abs(weights - self.positions).sum())

    def in_unit(self, unit: float) -> Self:
        """Return the same with the costs multiplied by `unit`."""
        return replace(self, cost=self.cost * unit)

    def joined(self, other: Self) -> Self | None:
        """Both at once; None when they start from different positions."""
        if not np.array_equal(self.positions, other.positions):
            return None
        return replace(self, cost=self.cost + other.cost, limit=min(self.limit, other.limit))
