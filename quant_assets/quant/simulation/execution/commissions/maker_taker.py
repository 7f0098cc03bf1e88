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

    The defaults are those of a regular account for Binance's USD-M perpetuals, 0.02 % and 0.05 %
    before the discount of 10 % for fees that are paid in BNB (binance.com, FAQ 360033544231,
    "Binance Futures Fee Structure", as tables of 2025 quote it). A negative `maker_bps` is a
    rebate.
    """

    name: ClassVar[str] = "maker_taker"
    maker_bps: float = number(2.0, above=-10_000.0, below=10_000.0)
    taker_bps: float = number(5.0, least=0.0, below=10_000.0)

    def schedule(self) -> CommissionTerms:
        """See the base class."""
        return commission_terms(maker=self.maker_bps / 10_000.0, taker=self.taker_bps / 10_000.0)
