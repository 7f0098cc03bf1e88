"""The largest deviation from a benchmark's weights, measured in risk."""

from dataclasses import dataclass
from typing import Any, ClassVar

from quant_assets.quant.optimization.constraints.rule import Expression, Floats, Rule
from quant_assets.quant.optimization.constraints.volatility_cap import VolatilityCap

__all__ = ["TrackingErrorLimit"]


@dataclass(frozen=True, eq=False)
class TrackingErrorLimit(Rule):
    """`sqrt((w - b)' Sigma (w - b)) <= limit`: ex-ante tracking error.

    `benchmark` (asset,) are the weights b; `covariance` (asset, asset) has the limit's unit of
    time, for example the daily one times 252 for an annual limit.
    """

    name: ClassVar[str] = "tracking_error"
    positive: ClassVar[frozenset[str]] = frozenset({"limit"})
    benchmark: Floats
    covariance: Floats
    limit: float

    def numbers(self, cost_unit: float) -> dict[str, Any]:
        """Root of the covariance in units of the limit, and the benchmark."""
        cap = VolatilityCap(self.covariance, self.limit)
        return cap.numbers(cost_unit) | {"benchmark": self.benchmark}

    @classmethod
    def express(cls, cp: Any, weights: Any, scale: Any, given: dict[str, Any]) -> Expression:
        """One cone."""
        return VolatilityCap.express(cp, weights - given["benchmark"] * scale, scale, given)

    def violation(self, weights: Floats) -> float:
        """Tracking error over the limit."""
        return VolatilityCap(self.covariance, self.limit).violation(weights - self.benchmark)

    def describe(self) -> str:
        """For example `tracking error <= 0.03`."""
        return f"tracking error <= {self.limit:g}"
