"""A stop that follows the best price."""

from dataclasses import dataclass
from typing import ClassVar

from quant_assets.core.parameters import number
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.memory import NOTHING, Memory
from quant_assets.quant.risk.base import ExitRule
from quant_assets.quant.risk.terms import TRAIL_FRACTION, Floats

__all__ = ["TrailingStop"]


@dataclass(frozen=True, kw_only=True)
class TrailingStop(ExitRule):
    """Stop of a long at `highest x (1 - pct)`, of a short at `lowest x (1 + pct)`.

    The extreme is that of the fill price and of completed bars since the entry, so that the bar
    that makes a new high is not stopped by it. It never loosens.
    """

    name: ClassVar[str] = "trailing_stop"
    kind: ClassVar[int] = TRAIL_FRACTION
    pct: float = number(0.02, above=0.0, below=1.0)

    @property
    def memory(self) -> Memory:
        """See the base class."""
        return NOTHING

    def level(self, bars: BarPanel) -> Floats:
        """See the base class."""
        return self.everywhere(bars, self.pct)
