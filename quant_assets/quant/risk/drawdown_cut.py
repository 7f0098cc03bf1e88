"""Smaller entries in a drawdown."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from quant_assets.core.parameters import number
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.risk.base import LimitRule

__all__ = ["DrawdownCut"]


@dataclass(frozen=True, kw_only=True)
class DrawdownCut(LimitRule):
    """Entries are multiplied by `scale` while `1 - equity / highest equity > pct`."""

    name: ClassVar[str] = "drawdown_cut"
    pct: float = number(0.10, above=0.0, below=1.0)
    scale: float = number(0.5, least=0.0, below=1.0)

    def limits(self, bars: BarPanel) -> Mapping[str, Any]:
        """See the base class."""
        del bars
        return {"cut_drawdown": self.pct, "cut_scale": self.scale}
