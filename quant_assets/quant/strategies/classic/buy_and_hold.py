"""Buy, and hold."""

from dataclasses import dataclass
from typing import ClassVar

from quant_assets.quant.strategies.columns import Rows
from quant_assets.quant.strategies.library_parts import RowStrategy
from quant_assets.quant.strategies.signals import Signals

__all__ = ["BuyAndHold"]


@dataclass(frozen=True, kw_only=True)
class BuyAndHold(RowStrategy):
    """Every symbol is bought as soon as it has a close, and never sold: what others must beat.

    Each gets the same part of the equity of its day, one for each symbol of the bars.
    """

    name: ClassVar[str] = "buy_and_hold"
    source: ClassVar[str] = "Sharpe (1991), The Arithmetic of Active Management"
    symbolwise: ClassVar[bool] = True

    def decide(self, rows: Rows) -> Signals:
        """See the base class."""
        return Signals(entry_long=rows["close"] > 0.0)
