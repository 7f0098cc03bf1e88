"""The bar opens away from the last close."""

from abc import ABC
from dataclasses import dataclass
from typing import ClassVar

from quant_assets.quant.strategies.columns import Rows
from quant_assets.quant.strategies.rules.base import Bools, Floats, Rule

__all__ = ["GapDown", "GapUp"]


@dataclass(frozen=True, kw_only=True)
class _Gap(Rule, ABC):
    """`fraction` of the close of the bar before."""

    fraction: float = 0.01

    @property
    def back(self) -> int:
        """See the base class."""
        return 1

    def reads(self, rows: Rows) -> tuple[Floats, ...]:
        """See the base class."""
        return rows["open"], rows.before("close", 1)


@dataclass(frozen=True, kw_only=True)
class GapUp(_Gap):
    """The open is above the last close by more than that."""

    name: ClassVar[str] = "gap_up"

    def test(self, *values: Floats) -> Bools:
        """See the base class."""
        opened, closed = values
        return opened > closed * (1.0 + self.fraction)


@dataclass(frozen=True, kw_only=True)
class GapDown(_Gap):
    """The open is below the last close by more than that."""

    name: ClassVar[str] = "gap_down"

    def test(self, *values: Floats) -> Bools:
        """See the base class."""
        opened, closed = values
        return opened < closed * (1.0 - self.fraction)
