"""Fills at the reference price."""

from dataclasses import dataclass
from typing import ClassVar

from quant_assets.quant.simulation.execution.slippage.base import NO_SLIPPAGE, SlippageModel
from quant_assets.quant.simulation.execution.terms import SlippageTerms


@dataclass(frozen=True, kw_only=True)
class NoSlippage(SlippageModel):
    """No concession at all."""

    name: ClassVar[str] = "none"

    def terms(self) -> SlippageTerms:
        """See the base class."""
        return NO_SLIPPAGE
