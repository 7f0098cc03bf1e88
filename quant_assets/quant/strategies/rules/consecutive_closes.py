"""Several closes in a row in one direction."""

from abc import ABC
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.quant.strategies.columns import Rows
from quant_assets.quant.strategies.rules.base import Bools, Floats, Rule

__all__ = ["ConsecutiveDown", "ConsecutiveUp"]


@dataclass(frozen=True, kw_only=True)
class _Run(Rule, ABC):
    """Each of the last `bars` closes against the one before it; equal closes end a run."""

    bars: int = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_rows("bars")

    @property
    def back(self) -> int:
        """See the base class."""
        return self.bars

    def reads(self, rows: Rows) -> tuple[Floats, ...]:
        """See the base class."""
        return tuple(rows.before("close", bars) for bars in range(self.bars + 1))


@dataclass(frozen=True, kw_only=True)
class ConsecutiveUp(_Run):
    """All of them rose."""

    name: ClassVar[str] = "consecutive_up"

    def test(self, *values: Floats) -> Bools:
        """See the base class."""
        return np.asarray((np.diff(np.stack(values), axis=0) < 0.0).all(axis=0))


@dataclass(frozen=True, kw_only=True)
class ConsecutiveDown(_Run):
    """All of them fell."""

    name: ClassVar[str] = "consecutive_down"

    def test(self, *values: Floats) -> Bools:
        """See the base class."""
        return np.asarray((np.diff(np.stack(values), axis=0) > 0.0).all(axis=0))
