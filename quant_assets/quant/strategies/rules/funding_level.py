"""The funding rate of a perpetual beyond a level."""

from abc import ABC
from dataclasses import dataclass
from typing import ClassVar

from quant_assets.quant.strategies.columns import Rows
from quant_assets.quant.strategies.rules.base import Bools, Floats, Rule

__all__ = ["FundingAbove", "FundingBelow"]


@dataclass(frozen=True, kw_only=True)
class _Level(Rule, ABC):
    """The bars' extra `column`, a fraction of notional per settlement; NaN: none is known."""

    threshold: float = 0.0
    column: str = "funding_rate"

    def reads(self, rows: Rows) -> tuple[Floats, ...]:
        """See the base class."""
        return (rows[self.column],)


@dataclass(frozen=True, kw_only=True)
class FundingAbove(_Level):
    """The rate is above `threshold`."""

    name: ClassVar[str] = "funding_above"

    def test(self, *values: Floats) -> Bools:
        """See the base class."""
        return values[0] > self.threshold


@dataclass(frozen=True, kw_only=True)
class FundingBelow(_Level):
    """The rate is below `threshold`."""

    name: ClassVar[str] = "funding_below"

    def test(self, *values: Floats) -> Bools:
        """See the base class."""
        return values[0] < self.threshold
