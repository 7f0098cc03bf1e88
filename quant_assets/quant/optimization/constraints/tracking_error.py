"""The largest deviation from a benchmark's weights, measured in risk."""

from dataclasses import dataclass
from typing import Any, ClassVar

from quant_assets.quant.optimization.solvers.rule import Expression, Floats, Rule, deviation, root

__all__ = ["TrackingErrorLimit"]


@dataclass(frozen=True, eq=False)
class TrackingErrorLimit(Rule):
    """`sqrt((w - b)' Sigma (w - b)) <= limit`: ex-ante tracking error.

    `benchmark` (asset,) are the weights b; `covariance` (asset, asset) has the limit's unit of
    time, for example the daily one times 252 for an annual limit.
    """

    name: ClassVar[str] = "tracking_error"
    positive: ClassVar[frozenset[str]] = frozenset({"limit"})
    is_conic: ClassVar[bool] = True
    benchmark: Floats
    covariance: Floats
    limit: float

    def numbers(self, cost_unit: float) -> dict[str, Any]:  # noqa: ARG002 - base
        """Root of the covariance, scaled so that the limit is 1, and the benchmark."""
        scaled = root(self.covariance) / self.limit
        return {"root": scaled, "limit": 1.0, "benchmark": self.benchmark}

    @classmethod
    def express(cls, cp: Any, weights: Any, scale: Any, given: dict[str, Any]) -> Expression:
        """One cone."""
        active = weights - given["benchmark"] * scale
        return Expression((cp.norm2(given["root"] @ active) <= given["limit"] * scale,))

    def violation(self, weights: Floats) -> float:
        """Tracking error over the limit."""
        return max(deviation(weights - self.benchmark, self.covariance) - self.limit, 0.0)

    def describe(self) -> str:
        """For example `tracking error <= 0.03`."""
        return f"tracking error <= {self.limit:g}"
