"""What trading from the present weights costs: fees and half spreads, and market impact."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from quant_assets.quant.optimization.solvers.distance import Distance
from quant_assets.quant.optimization.solvers.rule import Expression, Floats, Rule

__all__ = ["TransactionCost"]


@dataclass(frozen=True, eq=False)
class TransactionCost(Rule):
    """`sum(rate_i |w_i - previous_i|) + sum(impact_i |w_i - previous_i|^(3/2))`, of equity.

    `rate` and `impact` (number or (asset,)) are fractions per unit of weight traded; for the
    square-root law (Almgren et al. 2005) impact is `Y sigma_i sqrt(equity / ADV_i)`. The cost is
    paid once, and is weighed against one period's utility: divide by the periods that the
    weights are held for. Only for objectives in units of return: mean-variance utility.
    """

    name: ClassVar[str] = "transaction_cost"
    positive: ClassVar[frozenset[str]] = frozenset({"rate", "impact"})
    is_conic: ClassVar[bool] = True
    is_cost: ClassVar[bool] = True
    previous: Floats
    rate: float | Floats = 0.0
    impact: float | Floats = 0.0

    def numbers(self, cost_unit: float) -> dict[str, Any]:
        """Previous weights and both prices, per asset."""
        ones = np.full(len(self.previous), cost_unit)
        return {
            "previous": self.previous,
            "rate": ones * self.rate,
            "impact": ones * self.impact,
        }

    @classmethod
    def express(cls, cp: Any, weights: Any, scale: Any, given: dict[str, Any]) -> Expression:  # noqa: ARG003 - base
        """A weighted norm and a power of 3/2."""
        traded = cp.abs(weights - given["previous"])
        power = cp.power(traded, 1.5, approx=False)  # one cone each; squares of squares are inexact
        impact = cp.sum(cp.multiply(given["impact"], power))
        return Expression(cost=cp.sum(cp.multiply(given["rate"], traded)) + impact)

    def violation(self, weights: Floats) -> float:  # noqa: ARG002 - base
        """Return 0: a cost forbids nothing."""
        return 0.0

    def cost(self, weights: Floats) -> float:
        """Both parts, as a fraction of equity."""
        traded = np.abs(weights - self.previous)
        return float((self.rate * traded).sum() + (self.impact * traded**1.5).sum())

    def describe(self) -> str:
        """For example `costs of 0.001 |traded| + 0 |traded|^1.5`."""
        rate, impact = float(np.max(self.rate)), float(np.max(self.impact))
        return f"costs of {rate:g} |traded| + {impact:g} |traded|^1.5"

    def distance(self) -> Distance | None:
        """Return a charged distance, unless there is impact."""
        if np.any(self.impact):
            return None
        return Distance(self.previous, np.full(len(self.previous), 1.0) * self.rate)
