"""Money per unit, between a minimum and a share of the notional."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.core.parameters import number
from quant_assets.quant.simulation.execution.commissions.base import (
    CommissionModel,
    commission_terms,
)
from quant_assets.quant.simulation.execution.terms import CommissionTerms


@dataclass(frozen=True, kw_only=True)
class PerShare(CommissionModel):
    """`min(max(rate x units, minimum), maximum x notional)`.

    rate : money per unit. minimum : money per order. maximum : share of the notional; infinity:
    none.
    """

    name: ClassVar[str] = "per_share"
    rate: float = number(0.005, least=0.0)
    minimum: float = number(0.0, least=0.0)
    maximum: float = number(np.inf, above=0.0)

    def schedule(self) -> CommissionTerms:
        """See the base class."""
        return commission_terms(per_unit=(self.rate,), minimum=self.minimum, maximum=self.maximum)
