"""No second position that moves as the first."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from quant_assets.core.parameters import number, whole
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.memory import Memory
from quant_assets.quant.risk.base import LimitRule

__all__ = ["MaxCorrelation"]


@dataclass(frozen=True, kw_only=True)
class MaxCorrelation(LimitRule):
    """An entry is refused when its correlation with a held symbol exceeds `threshold`.

    Pearson correlation of the bar returns over the last `lookback` bars, with symbols that are held
    in the same direction.
    """

    name: ClassVar[str] = "max_correlation"
    threshold: float = number(0.7, least=-1.0, below=1.0)
    lookback: int = whole(60, least=3)

    @property
    def memory(self) -> Memory:
        """See the base class."""
        return Memory(self.lookback + 1)

    def limits(self, bars: BarPanel) -> Mapping[str, Any]:
        """See the base class."""
        del bars
        return {"correlation": self.threshold, "correlation_bars": self.lookback}
