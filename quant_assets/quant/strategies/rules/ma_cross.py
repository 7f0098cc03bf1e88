"""A fast moving average crosses a slow one."""

from abc import ABC
from dataclasses import dataclass
from typing import ClassVar

from quant_assets.core.errors import ConfigError
from quant_assets.quant.strategies.averages import Average, average_of_closes
from quant_assets.quant.strategies.columns import Line, Rows
from quant_assets.quant.strategies.rules.base import Bools, Floats, Rule

__all__ = ["MaCrossDown", "MaCrossUp"]


@dataclass(frozen=True, kw_only=True)
class _Cross(Rule, ABC):
    """Averages of `fast` and `slow` closes; d = fast - slow, known on this bar and the one before.

    `average` is sma, ema, wma or hma.
    """

    fast: int = 20
    slow: int = 50
    average: Average = "sma"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.fast >= self.slow:
            raise ConfigError(
                f"{self.name}: fast = {self.fast} and slow = {self.slow}; fast must be less"
            )

    def lines(self) -> tuple[Line, ...]:
        """See the base class."""
        return tuple(average_of_closes(self.average, n) for n in (self.fast, self.slow))

    @property
    def back(self) -> int:
        """See the base class."""
        return 1

    def reads(self, rows: Rows) -> tuple[Floats, ...]:
        """See the base class."""
        fast, slow = self.read_lines
        return rows[fast] - rows[slow], rows.before(fast, 1) - rows.before(slow, 1)


@dataclass(frozen=True, kw_only=True)
class MaCrossUp(_Cross):
    """d was at most 0 and is above 0."""

    name: ClassVar[str] = "ma_cross_up"

    def test(self, *values: Floats) -> Bools:
        """See the base class."""
        now, before = values
        return (before <= 0.0) & (now > 0.0)


@dataclass(frozen=True, kw_only=True)
class MaCrossDown(_Cross):
    """d was at least 0 and is below 0."""

    name: ClassVar[str] = "ma_cross_down"

    def test(self, *values: Floats) -> Bools:
        """See the base class."""
        now, before = values
        return (before >= 0.0) & (now < 0.0)
