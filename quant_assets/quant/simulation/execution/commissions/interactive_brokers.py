"""Interactive Brokers' two plans for shares of the United States."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from quant_assets.core.parameters import choice, number, optional_number
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
PASSED_THROUGH = 0.000738  # of the broker's commission: NYSE 0.000175, FINRA 0.000563
SELL_RATE, SELL_FEE, SELL_FEE_MOST, AUDIT_FEE = 0.0000278, 0.000166, 8.30, 0.000072
CLEARING_FEE, TAKE_FEE, GIVE_FEE = 0.00020, 0.0030, -0.0021


@dataclass(frozen=True, kw_only=True)
class InteractiveBrokers(CommissionModel):
    """`fixed`: USD 0.005 a share, at least 1.00. `tiered`: 0.0035 to 0.0005, at least 0.35.

    Both at most 1 % of the trade value, which holds against the minimum. The tiers are those of the
    shares traded in the calendar month, applied marginally: a month of 400,000 shares costs
    300,000 x 0.0035 + 100,000 x 0.0020.

    What third parties take comes on top. Regulators, in both plans: `sell_rate` of the value of
    sales (SEC), `sell_fee` a share sold, at most `sell_fee_most` an order (FINRA trading activity
    fee), `audit_fee` a share (consolidated audit trail); None: the rates below in `tiered`, nothing
    in `fixed`, where they come to less than a cent on a hundred shares. In `tiered` alone:
    `clearing_fee` a share (NSCC, DTC), `take_fee` a share that takes liquidity and `give_fee` one
    that gives it (the exchange; a rebate is negative), and `passed_through` of the broker's
    commission (NYSE and FINRA).

    Source: interactivebrokers.co.uk, "Commissions: Stocks, ETFs, Warrants", IBKR Pro, United
    States, with the rates in force from 22 May 2024 to 13 May 2025: SEC 27.80 USD per million (from
    14 May 2025 it is 0: set `sell_rate`), FINRA 0.000166 and at most 8.30, audit trail 0.000072,
    clearing 0.00020. Exchange fees differ by venue: these are those of NASDAQ in the broker's own
    "Fixed vs. Tiered Pricing Comparison Examples". Rates change every year: give your own.
    """

    name: ClassVar[str] = "interactive_brokers"
    plan: str = choice("fixed", "tiered")
    sell_rate: float | None = optional_number(least=0.0)
    sell_fee: float | None = optional_number(least=0.0)
    sell_fee_most: float = number(SELL_FEE_MOST, above=0.0)
    audit_fee: float | None = optional_number(least=0.0)
    clearing_fee: float = number(CLEARING_FEE, least=0.0)
    take_fee: float = number(TAKE_FEE)
    give_fee: float = number(GIVE_FEE)
    passed_through: float = number(PASSED_THROUGH, least=0.0)

    def schedule(self) -> CommissionTerms:
        """See the base class."""
        audit = self._fee(self.audit_fee, AUDIT_FEE)
        sales: dict[str, Any] = {
            "sell_rate": self._fee(self.sell_rate, SELL_RATE),
            "unit_sell": self._fee(self.sell_fee, SELL_FEE),
            "unit_sell_most": self.sell_fee_most,
        }
        if self.plan == "fixed":
            return commission_terms(
                per_unit=(FIXED_RATE,),
                minimum=FIXED_MINIMUM,
                maximum=MAXIMUM,
                unit_maker=audit,
                unit_taker=audit,
                **sales,
            )
        each, passed = audit + self.clearing_fee, 1.0 + self.passed_through
        return commission_terms(
            per_unit=tuple(np.multiply(TIER_RATES, passed).tolist()),
            tier_from=TIERS,
            minimum=TIERED_MINIMUM * passed,
            maximum=MAXIMUM * passed,
            unit_maker=each + self.give_fee,
            unit_taker=each + self.take_fee,
            **sales,
        )

    def _fee(self, given: float | None, published: float) -> float:
        if given is not None:
            return given
        return published if self.plan == "tiered" else 0.0
