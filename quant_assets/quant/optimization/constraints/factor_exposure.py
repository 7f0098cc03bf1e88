"""Limits on a portfolio's exposures to factors."""

from dataclasses import dataclass
from typing import Any, ClassVar

from quant_assets.quant.optimization.solvers.rule import (
    Expression,
    Floats,
    Rule,
    span_excess,
    within,
)

__all__ = ["FactorExposure"]


@dataclass(frozen=True, eq=False)
class FactorExposure(Rule):
    """`lowest_k <= sum_i(loading_ik w_i) <= highest_k`; equal ends fix an exposure.

    `loadings` (asset, factor), `lowest` and `highest` (factor,), all finite.
    """

    name: ClassVar[str] = "factor_exposure"
    loadings: Floats
    lowest: Floats
    highest: Floats

    def numbers(self, cost_unit: float) -> dict[str, Any]:  # noqa: ARG002 - base
        """Loadings and both ends."""
        return {"loadings": self.loadings.T, "lowest": self.lowest, "highest": self.highest}

    @classmethod
    def express(cls, cp: Any, weights: Any, scale: Any, given: dict[str, Any]) -> Expression:  # noqa: ARG003 - base
        """Two inequalities per factor."""
        return within(given["loadings"] @ weights, scale, given)

    def violation(self, weights: Floats) -> float:
        """Largest distance of an exposure to its span."""
        return span_excess(weights @ self.loadings, self.lowest, self.highest)

    def describe(self) -> str:
        """For example `-0.1 <= exposure 0 <= 0.1`."""
        ends = zip(self.lowest, self.highest, strict=True)
        return ", ".join(
            f"{low:g} <= exposure {k} <= {high:g}" for k, (low, high) in enumerate(ends)
        )
