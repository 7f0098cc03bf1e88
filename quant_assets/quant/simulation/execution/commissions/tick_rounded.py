"""A rate of the notional in whole cents."""

from dataclasses import dataclass
from typing import ClassVar

from quant_assets.core.parameters import number
from quant_assets.quant.simulation.execution.commissions.base import (
    CommissionModel,
    commission_terms,
)
from quant_assets.quant.simulation.execution.terms import CommissionTerms


@dataclass(frozen=True, kw_only=True)
class TickRounded(CommissionModel):
    """`increment x floor(bps / 10,000 x notional / increment + 1/2)`, at least one increment."""

    name: ClassVar[str] = "tick_rounded"
    increment: float = number(0.01, above=0.0)
    bps: float = number(5.0, least=0.0, below=10_000.0)

    def schedule(self) -> CommissionTerms:
        """See the base class."""
        rate = self.bps / 10_000.0
        return commission_terms(maker=rate, taker=rate, minimum=self.increment)
