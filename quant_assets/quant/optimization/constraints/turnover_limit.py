"""The largest two-way turnover of an optimised portfolio against what is held."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from quant_assets.quant.optimization.solvers.distance import Distance
from quant_assets.quant.optimization.solvers.rule import Expression, Floats, Rule

__all__ = ["TurnoverLimit"]


@dataclass(frozen=True, eq=False)
class TurnoverLimit(Rule):
    """`sum|w - previous| <= limit`; entering from cash (all previous weights 0) is not limited.

    `previous` (asset,) are the drifted weights held now.
    """

    name: ClassVar[str] = "turnover"
    positive: ClassVar[frozenset[str]] = frozenset({"limit"})
    previous: Floats
    limit: float

    @property
    def _in_force(self) -> float:
        return self.limit if self.previous.any() else np.inf

    def numbers(self, cost_unit: float) -> dict[str, Any]:  # noqa: ARG002 - base
        """Previous weights and limit; 1e3 stands for no limit."""
        return {"previous": self.previous, "limit": min(self._in_force, 1e3)}

    @classmethod
    def express(cls, cp: Any, weights: Any, scale: Any, given: dict[str, Any]) -> Expression:
        """One norm."""
        return Expression(
            (cp.norm1(weights - given["previous"] * scale) <= given["limit"] * scale,)
        )

    def violation(self, weights: Floats) -> float:
        """Turnover over the limit."""
        return max(float(np.abs(weights - self.previous).sum()) - self._in_force, 0.0)

    def describe(self) -> str:
        """For example `sum of |weight - previous| <= 0.5`."""
        return f"sum of |weight - previous| <= {self.limit:g}"

    def distance(self) -> Distance:
        """Return it as it is: a limited distance."""
        return Distance(self.previous, np.zeros(len(self.previous)), self._in_force)
