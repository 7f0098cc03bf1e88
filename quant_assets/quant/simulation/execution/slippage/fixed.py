"""The same concession for every fill."""

from dataclasses import dataclass
from typing import ClassVar

from quant_assets.core.parameters import number
from quant_assets.quant.simulation.execution.slippage.base import NO_SLIPPAGE, SlippageModel
from quant_assets.quant.simulation.execution.terms import SlippageTerms


@dataclass(frozen=True, kw_only=True)
class FixedSlippage(SlippageModel):
    """`bps` basis points of the price, 1 bp = 1e-4.

    2 is about half of the spread of large stocks and perpetuals: a guess, no measurement.
    """

    name: ClassVar[str] = "fixed"
    bps: float = number(2.0, least=0.0, below=10_000.0)

    def terms(self) -> SlippageTerms:
        """See the base class."""
        return NO_SLIPPAGE._replace(fixed=self.bps / 10_000.0)
