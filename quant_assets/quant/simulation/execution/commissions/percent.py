"""A rate of the notional, and a tax on one side."""

from dataclasses import dataclass
from typing import ClassVar

from quant_assets.core.parameters import number
from quant_assets.quant.simulation.execution.commissions.base import (
    CommissionModel,
    commission_terms,
)
from quant_assets.quant.simulation.execution.terms import CommissionTerms


@dataclass(frozen=True, kw_only=True)
class Percent(CommissionModel):
    """`max(bps / 10,000 x notional, minimum)`, plus the tax of the side.

    buy_tax_bps, sell_tax_bps : transaction taxes, outside of the minimum; 0 unless given. The
    stamp duty reserve tax of the United Kingdom takes 50 bps of purchases (gov.uk, "Tax when you
    buy shares"), the stamp duty of mainland China 5 bps of sales since 28 August 2023, 10 bps
    before (Ministry of Finance and State Taxation Administration, 27 August 2023).

    bps : 5 is a guess between a broker's cent on ten dollars and nothing, no published price.
    """

    name: ClassVar[str] = "percent"
    bps: float = number(5.0, least=0.0, below=10_000.0)
    minimum: float = number(0.0, least=0.0)
    buy_tax_bps: float = number(0.0, least=0.0, below=10_000.0)
    sell_tax_bps: float = number(0.0, least=0.0, below=10_000.0)

    def schedule(self) -> CommissionTerms:
        """See the base class."""
        rate = self.bps / 10_000.0
        return commission_terms(
            maker=rate,
            taker=rate,
            minimum=self.minimum,
            buy_rate=self.buy_tax_bps / 10_000.0,
            sell_rate=self.sell_tax_bps / 10_000.0,
        )
