"""Bought when others are forced to sell."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from quant_assets.core.parameters import choice, number, whole
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.risk.combined import exit_terms
from quant_assets.quant.risk.time_stop import TimeStop
from quant_assets.quant.strategies.columns import Rows
from quant_assets.quant.strategies.library_parts import Floats, RowStrategy, flags, trailing_mean
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.signals import Signals

__all__ = ["LiquidationReversion"]

SOLD, BOUGHT = "liquidation_reversion.sold", "liquidation_reversion.bought"


@dataclass(frozen=True, kw_only=True)
class LiquidationReversion(RowStrategy):
    """Bought after a falling bar whose forced sales were `multiple` times their mean; `hold` bars.

    Forced sales and purchases are the bars' extras `liquidated_long` and `liquidated_short`: money
    of longs and shorts that were closed by force, NaN unknown. The mean is that of the known values
    of the `n` bars before. `both`: a rising bar of forced purchases is sold short.
    """

    name: ClassVar[str] = "liquidation_reversion"
    source: ClassVar[str] = "Brunnermeier & Pedersen (2009), Market Liquidity and Funding Liquidity"
    symbolwise: ClassVar[bool] = True
    n: int = whole(288, least=1)
    multiple: float = number(5.0, above=0.0)
    hold: int = whole(12, least=1)
    sides: Literal["both", "long"] = choice("both", "long")

    @property
    def back(self) -> int:
        """See the base class."""
        return self.n

    def columns(self, bars: BarPanel) -> Mapping[str, Floats]:
        """Forced orders over their mean so far, 0 where there were none."""
        found = {}
        for name, extra in ((SOLD, "liquidated_long"), (BOUGHT, "liquidated_short")):
            usual = np.full_like(bars.close, np.nan)
            usual[1:] = trailing_mean(bars[extra], self.n)[:-1]
            found[name] = bars[extra] / np.where(usual > 0.0, usual, np.nan)
        return found

    def decide(self, rows: Rows) -> Signals:
        """See the base class."""
        close, before = rows["close"], rows.before("close", 1)
        fell = (close < before) & (rows[SOLD] > self.multiple)
        rose = (close > before) & (rows[BOUGHT] > self.multiple)
        never = np.zeros(rows.shape, dtype=np.bool_)
        return flags(self.sides, long=(fell, never), short=(rose, never))

    def plan(self, bars: BarPanel) -> Plan:
        """See the base class."""
        return Plan(exits=exit_terms([TimeStop(bars=self.hold)], bars))
