"""Equity in equal parts."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.core.parameters import number, whole
from quant_assets.quant.market.bar_panel import BarPanel, Floats
from quant_assets.quant.market.memory import NOTHING, Memory
from quant_assets.quant.sizing.entry.base import EntrySizer
from quant_assets.quant.sizing.entry.units import EQUITY_FRACTION

__all__ = ["Equal"]


@dataclass(frozen=True, kw_only=True)
class Equal(EntrySizer):
    """`gross / slots` of equity; without `slots` (0), one part for each member that has a close."""

    name: ClassVar[str] = "equal"
    unit: ClassVar[int] = EQUITY_FRACTION
    gross: float = number(1.0, above=0.0)
    slots: int = whole(0, least=0)

    @property
    def memory(self) -> Memory:
        """See the base class."""
        return NOTHING

    def size(self, bars: BarPanel, sides: Floats) -> Floats:
        """See the base class."""
        del sides
        if self.slots:
            return self.everywhere(bars, self.gross / self.slots)
        present = ~np.isnan(bars.close) & bars.members
        n = present.sum(axis=1, keepdims=True)
        return np.where(present, self.gross / np.maximum(n, 1), 0.0)
