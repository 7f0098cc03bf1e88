"""The same money for every fill."""

from dataclasses import dataclass
from typing import ClassVar

from quant_assets.core.parameters import number
from quant_assets.quant.simulation.execution.commissions.base import (
    CommissionModel,
    commission_terms,
)
from quant_assets.quant.simulation.execution.terms import CommissionTerms


@dataclass(frozen=True, kw_only=True)
class Flat(CommissionModel):
    """`amount` of money per fill, whatever its size."""

    name: ClassVar[str] = "flat"
    amount: float = number(1.0, least=0.0)

    def schedule(self) -> CommissionTerms:
        """See the base class."""
        return commission_terms(flat=self.amount)
