"""MACD crosses its signal line."""

from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from quant_assets.quant.indicators.trend import Macd
from quant_assets.quant.strategies.columns import Line, Rows
from quant_assets.quant.strategies.rules.base import Bools, Floats, Rule

__all__ = ["MacdCrossDown", "MacdCrossUp"]


@dataclass(frozen=True, kw_only=True)
class _Cross(Rule, ABC):
    """Histogram of MACD(`fast`, `slow`, `signal`), known on this bar and the one before."""

    takes: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "macd": {"fast": "fast", "slow": "slow", "signal": "signal"}
    }
    fast: int = 12
    slow: int = 26
    signal: int = 9

    def lines(self) -> tuple[Line, ...]:
        """See the base class."""
        return (Line(Macd(self.fast, self.slow, self.signal), "histogram"),)

    @property
    def back(self) -> int:
        """See the base class."""
        return 1

    def reads(self, rows: Rows) -> tuple[Floats, ...]:
        """See the base class."""
        (line,) = self.read_lines
        return rows[line], rows.before(line, 1)


@dataclass(frozen=True, kw_only=True)
class MacdCrossUp(_Cross):
    """The histogram was at most 0 and is above 0."""

    name: ClassVar[str] = "macd_cross_up"

    def test(self, *values: Floats) -> Bools:
        """See the base class."""
        now, before = values
        return (before <= 0.0) & (now > 0.0)


@dataclass(frozen=True, kw_only=True)
class MacdCrossDown(_Cross):
    """The histogram was at least 0 and is below 0."""

    name: ClassVar[str] = "macd_cross_down"

    def test(self, *values: Floats) -> Bools:
        """See the base class."""
        now, before = values
        return (before >= 0.0) & (now < 0.0)
