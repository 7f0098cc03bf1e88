"""Interactive Brokers' two plans for shares of the United States."""

from dataclasses import dataclass
from typing import ClassVar

from quant_assets.core.parameters import choice, number
from quant_assets.quant.simulation.execution.commissions.base import (
    CommissionModel,
    commission_terms,
)
from quant_assets.quant.simulation.execution.terms import CommissionTerms

FIXED_RATE, FIXED_MINIMUM = 0.005, 1.00
TIERS = (0.0, 300_000.0, 3_000_000.0, 20_000_000.0, 100_000_000.0)  # shares in the month
TIER_RATES = (0.0035, 0.0020, 0.0015, 0.0010, 0.0005)
TIERED_MINIMUM = 0.35
MAXIMUM = 0.01  # of the trade value


@dataclass(frozen=True, kw_only=True)
class InteractiveBrokers(CommissionModel):
    """`fixed`: USD 0.005 a share, at least 1.00. `tiered`: 0.0035 to 0.0005, at least 0.35.

    Both at most 1 % of the trade value, which holds against the minimum. The tiers are those of the
    shares traded in the calendar month, applied marginally: a month of 400,000 shares costs
    300,000 x 0.0035 + 100,000 x 0.0020.

    sell_rate : what the exchange commission takes from sales (`0.0000278` of the value in 2024),
    passed on in both plans; 0 leaves it out. The exchange, clearing and other fees of third parties
    that come on top of `tiered` are not in it. Source: interactivebrokers.com, "Commissions:
    Stocks, ETFs, Warrants", IBKR Pro, United States.
    """

    name: ClassVar[str] = "interactive_brokers"
    plan: str = choice("fixed", "tiered")
    sell_rate: float = number(0.0, least=0.0, below=1.0)

    def schedule(self) -> CommissionTerms:
        """See the base class."""
        if self.plan == "fixed":
            return commission_terms(
                per_unit=(FIXED_RATE,),
                minimum=FIXED_MINIMUM,
                maximum=MAXIMUM,
                sell_rate=self.sell_rate,
            )
        return commission_terms(
            per_unit=TIER_RATES,
            tier_from=TIERS,
            minimum=TIERED_MINIMUM,
            maximum=MAXIMUM,
            sell_rate=self.sell_rate,
        )
