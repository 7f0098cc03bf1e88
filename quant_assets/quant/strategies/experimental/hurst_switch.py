"""Trend where prices persist, reversion where they do not."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.core.errors import ConfigError
from quant_assets.core.parameters import number, whole
from quant_assets.quant.indicators.rolling import ZScore
from quant_assets.quant.indicators.rolling_hurst import Hurst
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.strategies.columns import Line, Rows
from quant_assets.quant.strategies.library_parts import Floats, RowStrategy
from quant_assets.quant.strategies.signals import Signals

__all__ = ["HurstSwitch"]

EXPONENT = "hurst.exponent"


@dataclass(frozen=True, kw_only=True)
class HurstSwitch(RowStrategy):
    """The z-score of the close is followed above a Hurst exponent, and faded below another one.

    Above `persistent`: long where z is above `entry`, short below -`entry`. Below `reverting`: the
    other way round. Closed when z changes its sign. The exponent is that of the last `hurst` log
    returns, by rescaled range: without memory 0.5, and in windows of 256 bars about 0.56.
    """

    name: ClassVar[str] = "hurst_switch"
    source: ClassVar[str] = "Mandelbrot (1972); Peters (1994), Fractal Market Analysis"
    symbolwise: ClassVar[bool] = True
    hurst: int = whole(256, least=16)
    n: int = whole(20, least=2)
    entry: float = number(1.5, above=0.0)
    persistent: float = number(0.62, above=0.0, below=1.0)
    reverting: float = number(0.5, above=0.0, below=1.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.reverting > self.persistent:
            raise ConfigError(
                f"{self.name}: reverting = {self.reverting} is above persistent = {self.persistent}"
            )

    def lines(self) -> tuple[Line, ...]:
        """See the base class."""
        return (Line(ZScore(self.n)),)

    @property
    def warm_up(self) -> int:
        """See the base class."""
        return max(self.n, self.hurst)

    def columns(self, bars: BarPanel) -> Mapping[str, Floats]:
        """The exponent of the returns."""
        returns = np.full_like(bars.close, np.nan)
        returns[1:] = np.diff(np.log(bars.close), axis=0)
        return {EXPONENT: Hurst(self.hurst).compute(returns)}

    def decide(self, rows: Rows) -> Signals:
        """See the base class."""
        z, hurst = rows[self.lines()[0]], rows[EXPONENT]
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
