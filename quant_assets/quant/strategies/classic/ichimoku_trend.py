"""Above the cloud, with the faster line above the slower one."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from quant_assets.core.parameters import choice, whole
from quant_assets.quant.indicators.channels import Ichimoku
from quant_assets.quant.strategies.columns import Line, Rows
from quant_assets.quant.strategies.library_parts import RowStrategy, flags
from quant_assets.quant.strategies.signals import Signals

__all__ = ["IchimokuTrend"]


@dataclass(frozen=True, kw_only=True)
class IchimokuTrend(RowStrategy):
    """In where the close is above both edges of the cloud and the conversion line above the base.

    Out where the close is below the base line. `both`: the mirror of it short.
    """

    name: ClassVar[str] = "ichimoku_trend"
    source: ClassVar[str] = "Hosoda (1969), Ichimoku Kinko Hyo; Elliott (2007)"
    symbolwise: ClassVar[bool] = True
    conversion: int = whole(9, least=1)
    base: int = whole(26, least=1)
    span: int = whole(52, least=1)
    sides: Literal["long", "both"] = choice("long", "both")

    def lines(self) -> tuple[Line, ...]:
        """See the base class."""
        found = Ichimoku(self.conversion, self.base, self.span, self.base)
        return tuple(Line(found, name) for name in found.outputs)

    def decide(self, rows: Rows) -> Signals:
        """See the base class."""
        close = rows["close"]
        fast, slow, edge_a, edge_b = (rows[line] for line in self.lines())
        above = (close > edge_a) & (close > edge_b) & (fast > slow)
        below = (close < edge_a) & (close < edge_b) & (fast < slow)
        return flags(self.sides, long=(above, close < slow), short=(below, close > slow))
