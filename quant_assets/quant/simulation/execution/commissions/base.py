"""What a commission schedule is, and what it charges for one fill."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from quant_assets.core.errors import DataError
from quant_assets.core.parameters import Parameters, number
from quant_assets.quant.simulation.execution.terms import CommissionTerms

COMMISSIONS = "quant_assets.quant.simulation.execution.commissions"

ROUNDING = 1e-9  # of an increment: 0.045 is half a cent above four, whatever its last bit


def commission_terms(
    *,
    per_unit: tuple[float, ...] = (0.0,),
    tier_from: tuple[float, ...] = (0.0,),
    minimum: float = -np.inf,
    maximum: float = np.inf,
    **rates: float,
) -> CommissionTerms:
    """Terms of what is named, nothing of what is not."""
    nothing = dict.fromkeys(("flat", "maker", "taker", "sell_rate", "increment", "buy_rate"), 0.0)
    tiers = np.array(tier_from, dtype=np.float64)
    prices = np.array(per_unit, dtype=np.float64)
    return CommissionTerms(
        per_unit=prices, tier_from=tiers, minimum=minimum, maximum=maximum, **(nothing | rates)
    )


@dataclass(frozen=True, kw_only=True)
class CommissionModel(Parameters, ABC):
    """Commission of a fill, in money of the instrument's currency.

    increment : multiple to which a commission is rounded, half up; 0: exact.
    """

    increment: float = number(0.0, least=0.0)

    @abstractmethod
    def schedule(self) -> CommissionTerms:
        """The schedule before rounding."""

    def terms(self) -> CommissionTerms:
        """What the kernel is told."""
        return self.schedule()._replace(increment=self.increment)


def charge(
    terms: CommissionTerms,
    quantity: float,
    price: float,
    *,
    maker: bool = False,
    month_units: float = 0.0,
) -> float:
    """Commission of an order of `quantity` (signed: buys above 0) that fills whole at `price`.

    min(max(flat + per unit + rate x notional, minimum), maximum x notional), then the rate of its
    side and the fees per unit, then rounding. maker : it gave liquidity. month_units : units traded
    in the month before.
    """
    units, notional = abs(quantity), abs(quantity) * price
    if not (np.isfinite(notional) and notional > 0.0 and month_units >= 0.0):
        raise DataError(f"{quantity} units at {price} after {month_units} in the month: no fill")
    ends = np.r_[terms.tier_from[1:], np.inf]
    inside = np.minimum(ends, month_units + units) - np.maximum(terms.tier_from, month_units)
    due = terms.flat + float(np.maximum(inside, 0.0) @ terms.per_unit)
    due += (terms.maker if maker else terms.taker) * notional
    due = min(max(due, terms.minimum), terms.maximum * notional)
    due += (terms.buy_rate if quantity > 0.0 else terms.sell_rate) * notional
    due += (terms.unit_maker if maker else terms.unit_taker) * units
    due += min(terms.unit_sell * units, terms.unit_sell_most) if quantity < 0.0 else 0.0
    if terms.increment > 0.0:
        due = float(np.floor(due / terms.increment + 0.5 + ROUNDING)) * terms.increment
    return due
