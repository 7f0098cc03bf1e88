"""A pause after a loss."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from quant_assets.core.parameters import whole
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.risk.base import LimitRule

__all__ = ["CoolDown"]


@dataclass(frozen=True, kw_only=True)
class CoolDown(LimitRule):
    """No entry in a symbol for `bars` bars after its losing trade was closed."""

    name: ClassVar[str] = "cool_down"
    bars: int = whole(5, least=1)

    def limits(self, bars: BarPanel) -> Mapping[str, Any]:
        """See the base class."""
        del bars
        return {"cool_down": self.bars}
