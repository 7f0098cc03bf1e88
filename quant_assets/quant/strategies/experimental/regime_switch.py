"""Trend in calm markets, reversion in turbulent ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.core.parameters import number, whole
from quant_assets.quant.indicators.averages import Sma
from quant_assets.quant.indicators.rolling import ZScore
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.strategies.columns import Line, Rows
from quant_assets.quant.strategies.library_parts import Floats, RowStrategy
from quant_assets.quant.strategies.regimes.volatility_quantile import VolatilityQuantile
from quant_assets.quant.strategies.signals import Signals

__all__ = ["RegimeSwitch"]

REGIME = "regime.code"


@dataclass(frozen=True, kw_only=True)
class RegimeSwitch(RowStrategy):
    """Calm: held above the average of `trend` closes. Turbulent: bought `entry` deviations down.

    The regime is where volatility lies among its own past (`volatility_quantile`). What was bought
    as a fall is sold at the mean of `n` bars; what follows the trend, below its average. In normal
    times nothing is opened.
    """

    name: ClassVar[str] = "regime_switch"
    source: ClassVar[str] = "Ang & Bekaert (2004), How Regimes Affect Asset Allocation"
    symbolwise: ClassVar[bool] = True
    trend: int = whole(100, least=1)
    n: int = whole(20, least=2)
    entry: float = number(1.5, above=0.0)
    period: int = whole(20, least=2)
    history: int = whole(252, least=2)

    def _regime(self) -> VolatilityQuantile:
        return VolatilityQuantile(period=self.period, history=self.history)

    def lines(self) -> tuple[Line, ...]:
        """See the base class."""
        return Line(Sma(self.trend)), Line(ZScore(self.n))

    @property
    def warm_up(self) -> int:
        """See the base class."""
        return max(super().warm_up, self._regime().lookback)

    def columns(self, bars: BarPanel) -> Mapping[str, Floats]:
        """The regime as a number: 0 calm, 1 normal, 2 turbulent, -1 unknown."""
        return {REGIME: self._regime().classify(bars).code.astype(np.float64)}

    def decide(self, rows: Rows) -> Signals:
        """See the base class."""
        average, z = (rows[line] for line in self.lines())
        calm, turbulent = rows[REGIME] == 0.0, rows[REGIME] == 2.0
        above, below = rows["close"] > average, rows["close"] < average
        return Signals(
            entry_long=(calm & above) | (turbulent & (z < -self.entry)),
            exit_long=(calm & below) | (turbulent & (z >= 0.0)),
        )
