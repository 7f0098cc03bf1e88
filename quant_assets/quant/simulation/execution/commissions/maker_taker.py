"""Rates of the notional by who gave and who took liquidity."""

from dataclasses import dataclass
from typing import ClassVar

from quant_assets.core.parameters import number
from quant_assets.quant.simulation.execution.commissions.base import (
    CommissionModel,
    commission_terms,
)
from quant_assets.quant.simulation.execution.terms import CommissionTerms


@dataclass(frozen=True, kw_only=True)
class MakerTaker(CommissionModel):
    """`bps / 10,000 x notional`: limits and targets are makers, the rest takers.

    The defaults are those of Binance's USD-M perpetuals for a new account: 2 and 5 bps. A negative
    `maker_bps` is a rebate.
    """

    name: ClassVar[str] = "maker_taker"
    maker_bps: float = number(2.0, above=-10_000.0, below=10_000.0)
    taker_bps: float = number(5.0, least=0.0, below=10_000.0)

    def schedule(self) -> CommissionTerms:
        """See the base class."""
        return commission_terms(maker=self.maker_bps / 10_000.0, taker=self.taker_bps / 10_000.0)
