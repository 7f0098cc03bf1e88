"""Prices and commissions of fills."""

import numpy as np

from quant_assets.quant.simulation.execution.book import (
    Book,
    Market,
)
from quant_assets.quant.simulation.execution.event_kernel.compiling import (
    compiled,
)
from quant_assets.quant.simulation.execution.event_kernel.fields import (
    BUDGET_ROUNDING,
    BUY_RATE,
    C_SIDE,
    EXPONENT,
    FIXED,
    FLAT,
    HALF_SPREAD,
    HALVES,
    IMPACT,
    INCREMENT,
    LEAST_SHARE,
    LOT_ROUNDING,
    MAKER,
    MAXIMUM,
    MINIMUM,
    MONTH_UNITS,
    O_BASE,
    O_FEE,
    O_FILLED,
    O_NOTIONAL,
    O_TAX,
    SELL_RATE,
    TAKER,
    TICK,
    TURNS,
    UNIT_MAKER,
    UNIT_SELL,
    UNIT_SELL_MOST,
    UNIT_TAKER,
    VOLUME_SHARE,
)
from quant_assets.quant.simulation.execution.event_kernel.valuation import (
    row_of,
    worth,
)


@compiled
def concession(
    m: Market, place: tuple[int, int], amount: float, side: int, reference: float
) -> tuple[float, float]:
    """Price of a market fill, rounded to the tick against the trader, and its impact's part."""
    rules = m.rules
    t, s = place
    slip, impact = rules[FIXED], 0.0
    if rules[HALF_SPREAD] != 0.0:
        spread = m.spread[row_of(m.spread, t), s]
        slip += 0.0 if np.isnan(spread) else rules[HALF_SPREAD] * spread
    if rules[IMPACT] != 0.0:
        volatility = m.volatility[row_of(m.volatility, t), s]
        usual = m.average_volume[row_of(m.average_volume, t), s]
        if volatility > 0.0 and usual > 0.0:
            impact += rules[IMPACT] * volatility * (amount / usual) ** rules[EXPONENT]
    volume = m.volume[t, s]
    if rules[VOLUME_SHARE] != 0.0 and volume > 0.0:
        impact += rules[VOLUME_SHARE] * (amount / volume) ** 2
    price = reference * (1.0 + side * (slip + impact))
    tick = m.instruments[s, TICK]
    if tick > 0.0 and slip + impact > 0.0:
        if side > 0:
            price = np.ceil(price / tick - LOT_ROUNDING) * tick
        else:
            price = np.floor(price / tick + LOT_ROUNDING) * tick
    return max(price, 1e-9 * reference), impact


@compiled
def unit_commission(m: Market, before: float, amount: float) -> float:
    """Commission per unit of `amount` units that follow `before` units of the month, by tiers."""
    total, n = 0.0, m.commission.shape[1]
    for i in range(n):
        start = m.commission[0, i]
        end = m.commission[0, i + 1] if i + 1 < n else np.inf
        inside = min(before + amount, end) - max(before, start)
        if inside > 0.0:
            total += inside * m.commission[1, i]
    return total


@compiled
def commission(
    m: Market, k: Book, slot: int, amount: float, notional: float, taker: bool
) -> tuple[float, float, float]:
    """Commission of a further fill of the order; the parts that its next fill adds up."""
    orders = k.orders
    rules = m.rules
    base = orders[slot, O_BASE] + unit_commission(m, k.account[MONTH_UNITS], amount)
    base += notional * (rules[TAKER] if taker else rules[MAKER])
    tax = notional * (rules[BUY_RATE] if k.codes[slot, C_SIDE] > 0 else rules[SELL_RATE])
    tax += orders[slot, O_TAX] + amount * (rules[UNIT_TAKER] if taker else rules[UNIT_MAKER])
    if rules[UNIT_SELL] != 0.0 and k.codes[slot, C_SIDE] < 0:
        before, most = orders[slot, O_FILLED], rules[UNIT_SELL_MOST]
        tax += min(rules[UNIT_SELL] * (before + amount), most)
        tax -= min(rules[UNIT_SELL] * before, most)
    total = max(rules[FLAT] + base, rules[MINIMUM])
    if rules[MAXIMUM] != np.inf:
        total = min(total, rules[MAXIMUM] * (orders[slot, O_NOTIONAL] + notional))
    total += tax
    if rules[INCREMENT] > 0.0:
        total = np.floor(total / rules[INCREMENT] + 0.5 + LOT_ROUNDING) * rules[INCREMENT]
    return total - orders[slot, O_FEE], base, tax


@compiled
def price_of(
    m: Market, place: tuple[int, int], amount: float, side: int, fill: tuple[float, bool]
) -> float:
    """Price at which `amount` fills; `fill` = (reference, taker)."""
    reference, taker = fill
    if not taker:
        return reference
    price, _ = concession(m, place, amount, side, reference)
    return price


@compiled
def within_budget(
    m: Market, k: Book, place: tuple[int, int, int], money: float, fill: tuple[float, bool]
) -> float:
    """Units that `money` buys with the fee inside it; 0 where the fee alone takes more."""
    t, s, slot = place
    reference, taker = fill
    if money <= 0.0:
        return 0.0
    side = k.codes[slot, C_SIDE]
    first = money / worth(m, t, s, reference)
    amount, low, high = first, 0.0, first
    for _ in range(TURNS):
        unit = worth(m, t, s, price_of(m, (t, s), amount, side, fill))
        fee, _, _ = commission(m, k, slot, amount, amount * unit, taker)
        better = money / (unit * (1.0 + max(fee, 0.0) / (amount * unit)))
        if abs(better - amount) <= 1e-15 * amount and amount <= 2.0 * first:
            return amount
        amount = better
    amount = first  # a fee that is most of the money, an impact that swings or halves the price
    for _ in range(HALVES):
        unit = worth(m, t, s, price_of(m, (t, s), amount, side, fill))
        fee, _, _ = commission(m, k, slot, amount, amount * unit, taker)
        if amount * unit + max(fee, 0.0) > money * (1.0 + BUDGET_ROUNDING):
            high = amount
        elif amount == first:
            return first
        else:
            low = amount
        amount = 0.5 * (low + high)
    return low if low > LEAST_SHARE * first else 0.0
