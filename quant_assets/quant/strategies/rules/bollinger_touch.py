"""The bar touches a Bollinger band."""

from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from quant_assets.quant.indicators.volatility import BollingerBands
from quant_assets.quant.strategies.columns import Line, Rows
from quant_assets.quant.strategies.rules.base import Bools, Floats, Rule

__all__ = ["BbLowerTouch", "BbUpperTouch"]


@dataclass(frozen=True, kw_only=True)
class _Touch(Rule, ABC):
    """Bands of `period` closes, `std_dev` standard deviations away; touching counts."""

    takes: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "bollinger_bands": {"period": "n", "std_dev": "k"}
    }
    output: ClassVar[str]
    extreme: ClassVar[str]
    period: int = 20
    std_dev: float = 2.0

    def lines(self) -> tuple[Line, ...]:
        """See the base class."""
        return (Line(BollingerBands(self.period, self.std_dev), self.output),)

    def reads(self, rows: Rows) -> tuple[Floats, ...]:
        """See the base class."""
        return rows[self.extreme], rows[self.read_lines[0]]


@dataclass(frozen=True, kw_only=True)
class BbLowerTouch(_Touch):
    """The low is at the lower band or below."""

    name: ClassVar[str] = "bb_lower_touch"
    output: ClassVar[str] = "lower"
    extreme: ClassVar[str] = "low"

    def test(self, *values: Floats) -> Bools:
        """See the base class."""
        low, band = values
        return low <= band


@dataclass(frozen=True, kw_only=True)
class BbUpperTouch(_Touch):
    """The high is at the upper band or above."""

    name: ClassVar[str] = "bb_upper_touch"
    output: ClassVar[str] = "upper"
    extreme: ClassVar[str] = "high"

    def test(self, *values: Floats) -> Bools:
        """See the base class."""
        high, band = values
        return high >= band
