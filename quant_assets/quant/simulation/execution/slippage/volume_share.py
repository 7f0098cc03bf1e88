"""Impact by the squared share of the bar's volume, as zipline has it."""

from dataclasses import dataclass
from typing import ClassVar

from quant_assets.core.parameters import number
from quant_assets.quant.simulation.execution.slippage.base import NO_SLIPPAGE, SlippageModel
from quant_assets.quant.simulation.execution.terms import SlippageTerms


@dataclass(frozen=True, kw_only=True)
class VolumeShare(SlippageModel):
    """`price_impact x (Q / volume[t])^2`, and at most `volume_limit` of the bar's volume fills.

    zipline's `VolumeShareSlippage` with its defaults, 0.1 and 2.5 % (zipline/finance/slippage.py,
    `DEFAULT_EQUITY_VOLUME_SLIPPAGE_BAR_LIMIT`, as of 2026). The limit tightens the
    participation of the fill model.
    """

    name: ClassVar[str] = "volume_share"
    price_impact: float = number(0.1, least=0.0)
    volume_limit: float = number(0.025, above=0.0, most=1.0)

    def terms(self) -> SlippageTerms:
        """See the base class."""
        return NO_SLIPPAGE._replace(volume_share=self.price_impact)

    @property
    def participation(self) -> float:
        """See the base class."""
        return self.volume_limit
