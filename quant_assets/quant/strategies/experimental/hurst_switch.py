"""Trend where prices persist, reversion where they do not."""

from dataclasses import dataclass
from typing import ClassVar

from quant_assets.core.errors import ConfigError
from quant_assets.core.parameters import number, whole
from quant_assets.quant.indicators.rolling import ZScore
from quant_assets.quant.indicators.rolling_hurst import Hurst
from quant_assets.quant.strategies.columns import Line, Rows
from quant_assets.quant.strategies.library_parts import RowStrategy
from quant_assets.quant.strategies.signals import Signals

__all__ = ["HurstSwitch"]


@dataclass(frozen=True, kw_only=True)
class HurstSwitch(RowStrategy):
    """The z-score of the close is followed above a Hurst exponent, and faded below another one.

    Above `persistent`: long where z is above `entry`, short below -`entry`. Below `reverting`: the
    other way round. A position is closed when z changes its sign.
    """

    name: ClassVar[str] = "hurst_switch"
    source: ClassVar[str] = "Mandelbrot (1972); Peters (1994), Fractal Market Analysis"
    symbolwise: ClassVar[bool] = True
    hurst: int = whole(256, least=16)
    n: int = whole(20, least=2)
    entry: float = number(1.5, above=0.0)
    persistent: float = number(0.6, above=0.0, below=1.0)
    reverting: float = number(0.5, above=0.0, below=1.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.reverting > self.persistent:
            raise ConfigError(
                f"{self.name}: reverting = {self.reverting} is above persistent = {self.persistent}"
            )

    def lines(self) -> tuple[Line, ...]:
        """See the base class."""
        return Line(ZScore(self.n)), Line(Hurst(self.hurst))

    @property
    def back(self) -> int:
        """See the base class."""
        return 1

    def decide(self, rows: Rows) -> Signals:
        """See the base class."""
        z, hurst = (rows[line] for line in self.lines())
        before = rows.before(self.lines()[0], 1)
        high, low = z > self.entry, z < -self.entry
        follow, fade = hurst > self.persistent, hurst < self.reverting
        crossed = ((before < 0.0) & (z >= 0.0)) | ((before > 0.0) & (z <= 0.0))
        return Signals(
            entry_long=(high & follow) | (low & fade),
            exit_long=crossed,
            entry_short=(low & follow) | (high & fade),
            exit_short=crossed,
        )
