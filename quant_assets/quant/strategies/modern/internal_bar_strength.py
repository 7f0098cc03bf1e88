"""Bought near the low of the bar, sold near a high."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from quant_assets.core.parameters import choice, number
from quant_assets.quant.strategies.columns import Rows
from quant_assets.quant.strategies.library_parts import RowStrategy, flags
from quant_assets.quant.strategies.signals import Signals

__all__ = ["InternalBarStrength"]


@dataclass(frozen=True, kw_only=True)
class InternalBarStrength(RowStrategy):
    """Bought where the close lies in the lowest `entry` of the bar's range, sold above 1 - `entry`.

    Strength: (close - low) / (high - low); a bar without a range says nothing. `both`: short there.
    """

    name: ClassVar[str] = "internal_bar_strength"
    source: ClassVar[str] = "Pagonidis (2014), The IBS Effect: Mean Reversion in Equity ETFs"
    symbolwise: ClassVar[bool] = True
    entry: float = number(0.2, above=0.0, below=0.5)
    sides: Literal["long", "both"] = choice("long", "both")

    def decide(self, rows: Rows) -> Signals:
        """See the base class."""
        low, span = rows["low"], rows["high"] - rows["low"]
        strength = (rows["close"] - low) / np.where(span > 0.0, span, np.nan)
        weak, strong = strength < self.entry, strength > 1.0 - self.entry
        return flags(self.sides, long=(weak, strong), short=(strong, weak))
