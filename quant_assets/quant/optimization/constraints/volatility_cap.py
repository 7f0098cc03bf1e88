"""The largest volatility of a portfolio."""

from dataclasses import dataclass
from typing import Any, ClassVar

from quant_assets.quant.optimization.solvers.rule import Expression, Floats, Rule, deviation, root

__all__ = ["VolatilityCap"]


@dataclass(frozen=True, eq=False)
class VolatilityCap(Rule):
    """`sqrt(w' Sigma w) <= limit`, limit > 0.

    `covariance` (asset, asset) has the limit's unit of time, for example the daily one times 252
    for an annual limit.
    """

    name: ClassVar[str] = "volatility"
    positive: ClassVar[frozenset[str]] = frozenset({"limit"})
    is_conic: ClassVar[bool] = True
    covariance: Floats
    limit: float

    def numbers(self, cost_unit: float) -> dict[str, Any]:  # noqa: ARG002 - base
        """Root of the covariance, scaled so that the limit is 1."""
        return {"root": root(self.covariance) / self.limit, "limit": 1.0}

    @classmethod
    def express(cls, cp: Any, weights: Any, scale: Any, given: dict[str, Any]) -> Expression:
        """One cone."""
        return Expression((cp.norm2(given["root"] @ weights) <= given["limit"] * scale,))

    def violation(self, weights: Floats) -> float:
        """Volatility over the limit."""
        return max(deviation(weights, self.covariance) - self.limit, 0.0)

    def describe(self) -> str:
        """For example `volatility <= 0.1`."""
        return f"volatility <= {self.limit:g}"
