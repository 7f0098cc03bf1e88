"""The largest volatility of a portfolio."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from quant_assets.quant.optimization.constraints.rule import Expression, Floats, Rule

__all__ = ["VolatilityCap"]


@dataclass(frozen=True, eq=False)
class VolatilityCap(Rule):
    """`sqrt(w' Sigma w) <= limit`, limit > 0.

    `covariance` (asset, asset) has the limit's unit of time, for example the daily one times 252
    for an annual limit.
    """

    name: ClassVar[str] = "volatility"
    positive: ClassVar[frozenset[str]] = frozenset({"limit"})
    covariance: Floats
    limit: float

    def numbers(self, cost_unit: float) -> dict[str, Any]:  # noqa: ARG002 - base
        """Root of the covariance, scaled so that the limit is 1."""
        values, vectors = np.linalg.eigh(self.covariance)
        root = np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T
        return {"deviation_root": root / self.limit, "limit": 1.0}

    @classmethod
    def express(cls, cp: Any, weights: Any, scale: Any, given: dict[str, Any]) -> Expression:
        """One cone."""
        return Expression((cp.norm2(given["deviation_root"] @ weights) <= given["limit"] * scale,))

    def violation(self, weights: Floats) -> float:
        """Volatility over the limit."""
        variance = max(float(weights @ self.covariance @ weights), 0.0)
        return max(float(np.sqrt(variance)) - self.limit, 0.0)

    def describe(self) -> str:
        """For example `volatility <= 0.1`."""
        return f"volatility <= {self.limit:g}"
