"""A stop at a fixed distance from the entry."""

from dataclasses import dataclass
from typing import ClassVar

from quant_assets.core.parameters import number
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.memory import NOTHING, Memory
from quant_assets.quant.risk.base import ExitRule
from quant_assets.quant.risk.terms import STOP_FRACTION, Floats

__all__ = ["StopLoss"]


@dataclass(frozen=True, kw_only=True)
class StopLoss(ExitRule):
    """Stop of a long at `fill price x (1 - pct)`, of a short at `fill price x (1 + pct)`.

    Touching it is enough; a bar that opens beyond it fills at its open.
    """

    name: ClassVar[str] = "stop_loss"
    kind: ClassVar[int] = STOP_FRACTION
    pct: float = number(0.05, above=0.0, below=1.0)

    @property
    def memory(self) -> Memory:
        """See the base class."""
        return NOTHING

    def level(self, bars: BarPanel) -> Floats:
        """See the base class."""
        return self.everywhere(bars, self.pct)
