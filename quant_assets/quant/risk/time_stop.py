"""An end to what leads nowhere."""

from dataclasses import dataclass
from typing import ClassVar

from quant_assets.core.parameters import whole
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.memory import NOTHING, Memory
from quant_assets.quant.risk.base import ExitRule
from quant_assets.quant.risk.terms import TIME_BARS, Floats

__all__ = ["TimeStop"]


@dataclass(frozen=True, kw_only=True)
class TimeStop(ExitRule):
    """A position is closed when it has been held for `bars` bars, whatever it earned."""

    name: ClassVar[str] = "time_stop"
    kind: ClassVar[int] = TIME_BARS
    bars: int = whole(20, least=1)

    @property
    def memory(self) -> Memory:
        """See the base class."""
        return NOTHING

    def level(self, bars: BarPanel) -> Floats:
        """See the base class."""
        return self.everywhere(bars, float(self.bars))
