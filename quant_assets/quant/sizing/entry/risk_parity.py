"""Every symbol carries the same share of the risk."""

from dataclasses import dataclass
from typing import ClassVar

from quant_assets.core.parameters import number, whole
from quant_assets.quant.market.bar_panel import BarPanel, Floats
from quant_assets.quant.sizing import risk_parity
from quant_assets.quant.sizing.entry.base import FollowedSizer
from quant_assets.quant.sizing.entry.portfolio import weights_every

__all__ = ["RiskParity"]


@dataclass(frozen=True, kw_only=True)
class RiskParity(FollowedSizer):
    """`w_i (Sigma w)_i` equal for all symbols, gross `max_leverage`.

    Equal risk contribution (Maillard, Roncalli & Teiletche 2010) of the returns of the last
    `lookback` bars, positions on the side of their entries, Sigma by Ledoit & Wolf (2004). Found
    every `refit_bars` bars (the sizer `risk_parity` of `quant.sizing`).
    """

    name: ClassVar[str] = "risk_parity"
    max_leverage: float = number(1.0, above=0.0)
    lookback: int = whole(120, least=20)
    refit_bars: int = whole(21, least=1)

    def size(self, bars: BarPanel, sides: Floats) -> Floats:
        """See the base class."""
        sizer = risk_parity.RiskParity(max_leverage=self.max_leverage)
        return weights_every(
            lambda _: sizer, bars, sides, lookback=self.lookback, refit_bars=self.refit_bars
        )
