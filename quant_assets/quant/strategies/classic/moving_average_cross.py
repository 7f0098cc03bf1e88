"""A fast moving average crosses a slow one."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from quant_assets.core.errors import ConfigError
from quant_assets.core.parameters import choice, whole
from quant_assets.quant.strategies.averages import average_of_closes
from quant_assets.quant.strategies.columns import Line, Rows
from quant_assets.quant.strategies.crossing import Crossing, CrossingStrategy
from quant_assets.quant.strategies.library_parts import RowStrategy, crosses_above
from quant_assets.quant.strategies.signals import Signals

__all__ = ["MovingAverageCross"]


@dataclass(frozen=True, kw_only=True)
class MovingAverageCross(CrossingStrategy, RowStrategy):
    """In when the average of `fast` closes crosses above that of `slow`, out when below.

    `both`: short in between. A sweep over many pairs walks from crossing to crossing.
    """

    name: ClassVar[str] = "moving_average_cross"
    source: ClassVar[str] = "Brock, Lakonishok & LeBaron (1992), Simple Technical Trading Rules"
    symbolwise: ClassVar[bool] = True
    fast: int = whole(50, least=1)
    slow: int = whole(200, least=2)
    average: Literal["sma", "ema", "wma", "hma"] = choice("sma", "ema", "wma", "hma")
    sides: Literal["long", "both"] = choice("long", "both")

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

    def crossing(self) -> Crossing:
        """See the base class."""
        fast, slow = self.lines()
        return Crossing(fast=fast, slow=slow, short=self.sides == "both")

    def decide(self, rows: Rows) -> Signals:
        """See the base class."""
        fast, slow = self.lines()
        up, down = crosses_above(rows, fast, slow), crosses_above(rows, slow, fast)
        if self.sides == "both":
            return Signals(entry_long=up, entry_short=down)
        return Signals(entry_long=up, exit_long=down)
