"""Back from far away to the mean, in standard deviations."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from quant_assets.core.errors import ConfigError
from quant_assets.core.parameters import choice, number, whole
from quant_assets.quant.indicators.rolling import ZScore
from quant_assets.quant.strategies.columns import Line, Rows
from quant_assets.quant.strategies.library_parts import RowStrategy, flags
from quant_assets.quant.strategies.signals import Signals

__all__ = ["ZScoreReversion"]


@dataclass(frozen=True, kw_only=True)
class ZScoreReversion(RowStrategy):
    """Bought where the z-score of the close is below -`entry`, sold where it is above -`leave`.

    z : close less its mean over n bars, over their standard deviation (divisor n - 1). `both`:
    the mirror of it short.
    """

    name: ClassVar[str] = "zscore_reversion"
    source: ClassVar[str] = "Chan (2013), Algorithmic Trading, chapter 2"
    symbolwise: ClassVar[bool] = True
    n: int = whole(20, least=2)
    entry: float = number(2.0, above=0.0)
    leave: float = number(0.0, least=0.0)
    sides: Literal["both", "long"] = choice("both", "long")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.leave >= self.entry:
            raise ConfigError(
                f"{self.name}: leave = {self.leave} and entry = {self.entry}; leave must be less"
            )

    def lines(self) -> tuple[Line, ...]:
        """See the base class."""
        return (Line(ZScore(self.n)),)

    def decide(self, rows: Rows) -> Signals:
        """See the base class."""
        z = rows[self.lines()[0]]
        return flags(
            self.sides,
            long=(z < -self.entry, z >= -self.leave),
            short=(z > self.entry, z <= self.leave),
        )
