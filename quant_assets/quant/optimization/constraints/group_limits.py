"""Limits on the sum of the weights of a group of assets, for example a sector."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from quant_assets.core.errors import ConfigError
from quant_assets.quant.optimization.constraints.factor_exposure import FactorExposure
from quant_assets.quant.optimization.constraints.rule import Expression, Floats, Rule

__all__ = ["GroupLimits"]


@dataclass(frozen=True, eq=False)
class GroupLimits(Rule):
    """`least <= sum of the group's weights <= most`, as `limits[group] = (least, most)`.

    `groups` names the group of each asset, in order; a group without a limit is free, a limit
    without a group is a `ConfigError`.
    """

    name: ClassVar[str] = "group"
    groups: tuple[str, ...]
    limits: Mapping[str, tuple[float, float]]

    def __post_init__(self) -> None:
        unknown = sorted(set(self.limits) - set(self.groups))
        if unknown:
            raise ConfigError(f"limits for groups {unknown}, but the assets have {self.groups}")

    def _exposure(self) -> FactorExposure:
        names = sorted(self.limits)
        members = np.array([[float(group == name) for name in names] for group in self.groups])
        ends = np.array([self.limits[name] for name in names], dtype=np.float64)
        return FactorExposure(members, ends[:, 0], ends[:, 1])

    def numbers(self, cost_unit: float) -> dict[str, Any]:
        """Membership and both ends."""
        return self._exposure().numbers(cost_unit)

    @classmethod
    def express(cls, cp: Any, weights: Any, scale: Any, given: dict[str, Any]) -> Expression:
        """Two inequalities per group."""
        return FactorExposure.express(cp, weights, scale, given)

    def violation(self, weights: Floats) -> float:
        """Largest distance of a group's sum to its span."""
        return self._exposure().violation(weights)

    def describe(self) -> str:
        """For example `0.1 <= tech <= 0.3`."""
        ends = sorted(self.limits.items())
        return ", ".join(f"{low:g} <= {group} <= {high:g}" for group, (low, high) in ends)
