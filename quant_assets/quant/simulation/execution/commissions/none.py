"""Nobody takes anything."""

from dataclasses import dataclass
from typing import ClassVar

from quant_assets.quant.simulation.execution.commissions.base import (
    CommissionModel,
    commission_terms,
)
from quant_assets.quant.simulation.execution.terms import CommissionTerms


@dataclass(frozen=True, kw_only=True)
class NoCommission(CommissionModel):
    """No commission."""

    name: ClassVar[str] = "none"

    def schedule(self) -> CommissionTerms:
        """See the base class."""
        return commission_terms()
