"""Bought on the way up, a part of the last range away."""

from dataclasses import dataclass
from typing import ClassVar

from quant_assets.core.parameters import number, whole
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.risk.combined import exit_terms
from quant_assets.quant.risk.time_stop import TimeStop
from quant_assets.quant.strategies.columns import Rows
from quant_assets.quant.strategies.library_parts import RowStrategy
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.signals import Signals

__all__ = ["VolatilityBreakout"]


@dataclass(frozen=True, kw_only=True)
class VolatilityBreakout(RowStrategy):
    """A stop order at `close + k x (high - low)` of the last bar, anew each bar; held `hold` bars.

    Williams adds the range to the next open, which is not known when the order is placed; without
    a gap it is the close.
    """

    name: ClassVar[str] = "volatility_breakout"
    source: ClassVar[str] = "Williams (1999), Long-Term Secrets to Short-Term Trading, chapter 4"
    symbolwise: ClassVar[bool] = True
    k: float = number(0.5, above=0.0)
    hold: int = whole(1, least=1)

    def decide(self, rows: Rows) -> Signals:
        """See the base class."""
        span = rows["high"] - rows["low"]
        return Signals(entry_long=span >= 0.0, stop=rows["close"] + self.k * span)

    def plan(self, bars: BarPanel) -> Plan:
        """See the base class."""
        return Plan(exits=exit_terms([TimeStop(bars=self.hold)], bars))
