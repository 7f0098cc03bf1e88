"""Against a gap that its bar did not close."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from quant_assets.core.parameters import choice, number, whole
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.risk.terms import TARGET_PRICE, TIME_BARS, ExitTerms
from quant_assets.quant.strategies.columns import Rows
from quant_assets.quant.strategies.library_parts import RowStrategy, flags
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.signals import Signals

__all__ = ["GapFade"]


@dataclass(frozen=True, kw_only=True)
class GapFade(RowStrategy):
    """Bought after a bar that opened `gap` below the last close and closed below it, too.

    Sold at the price that closes the gap, counted from the close, or after `hold` bars. `both`:
    gaps upwards sold short likewise.
    """

    name: ClassVar[str] = "gap_fade"
    source: ClassVar[str] = "Chan (2013), Algorithmic Trading, chapter 4"
    symbolwise: ClassVar[bool] = True
    gap: float = number(0.01, above=0.0)
    hold: int = whole(5, least=1)
    sides: Literal["long", "both"] = choice("long", "both")

    @property
    def back(self) -> int:
        """See the base class."""
        return 1

    def decide(self, rows: Rows) -> Signals:
        """See the base class."""
        opened, close, before = rows["open"], rows["close"], rows.before("close", 1)
        down = (opened < before * (1.0 - self.gap)) & (close < before)
        up = (opened > before * (1.0 + self.gap)) & (close > before)
        never = np.zeros(rows.shape, dtype=np.bool_)
        return flags(self.sides, long=(down, never), short=(up, never))

    def plan(self, bars: BarPanel) -> Plan:
        """See the base class."""
        way_back = np.full(bars.close.shape, np.nan)
        way_back[1:] = np.abs(bars.close[:-1] - bars.close[1:])
        way_back[way_back == 0.0] = np.nan
        kinds = np.array([TARGET_PRICE, TIME_BARS], dtype=np.int8)
        time = np.full(way_back.shape, float(self.hold))
        return Plan(exits=ExitTerms(kinds, np.stack([way_back, time])))
