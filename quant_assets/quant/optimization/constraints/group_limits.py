"""Limits on the sum of the weights of a group of assets, for example a sector."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from quant_assets.core.errors import ConfigError
from quant_assets.quant.optimization.solvers.rule import (
    Expression,
    Floats,
    Rule,
    span_excess,
    within,
)

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

    def _members(self) -> Floats:
        """1 where an asset is in a group, shape (group, asset), of the limited groups by name."""
        names = np.array(sorted(self.limits))
        return np.asarray(names[:, None] == np.array(self.groups), dtype=np.float64)

    def _ends(self) -> Floats:
        """Least and most, shape (2, group)."""
        return np.array([self.limits[name] for name in sorted(self.limits)], dtype=np.float64).T

    def numbers(self, cost_unit: float) -> dict[str, Any]:  # noqa: ARG002 - base
        """Membership and both ends."""
        lowest, highest = self._ends()
        return {"members": self._members(), "lowest": lowest, "highest": highest}

    @classmethod
    def express(cls, cp: Any, weights: Any, scale: Any, given: dict[str, Any]) -> Expression:  # noqa: ARG003 - base
        """Two inequalities per group."""
        return within(given["members"] @ weights, scale, given)

    def violation(self, weights: Floats) -> float:
        """Largest distance of a group's sum to its span."""
        return span_excess(self._members() @ weights, *self._ends())

    def describe(self) -> str:
        """For example `0.1 <= tech <= 0.3`."""
        ends = sorted(self.limits.items())
        return ", ".join(f"{low:g} <= {group} <= {high:g}" for group, (low, high) in ends)
