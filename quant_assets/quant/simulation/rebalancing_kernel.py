"""Orders of a rebalance: sizes that leave the target weights exact after their own costs.

Import this module lazily: it loads numba.
"""

import numpy as np

from quant_assets.core.kernels import across_files
from quant_assets.quant.simulation.state import (
    FINE,
    RUINED,
    UNAFFORDABLE,
    Flags,
    Floats,
    Orders,
    Rules,
)

compiled = across_files(error_model="numpy")

DONE, OPEN, REMAINDER = 0, 1, 2
LOT_ROUNDING, DUST, ROUNDING = 1e-9, 1e-12, 2.0**-52


@compiled
def post_cost_equity(
    equity: float, value: Floats, weight: Floats, traded: Flags, cost: tuple[float, float]
) -> float:
    """Solve E' + costs(E') = E for E'; NaN when the costs swallow the whole equity.

    costs(x) = sum over traded symbols of buy_cost max(w x - v, 0) + sell_cost max(v - w x, 0),
    `cost` = (buy_cost, sell_cost) per unit of reference notional. The left side is convex and
    piecewise linear: Newton's method from x = E reaches the root in at most one step a segment.
    """
    buy_cost, sell_cost = cost
    x = equity
    for _ in range(value.size + 3):
        excess, slope = x - equity, 1.0
        for s in range(value.size):
            if not traded[s]:
                continue
            order = weight[s] * x - value[s]
            if order > 0.0:
                excess += buy_cost * order
                slope += buy_cost * weight[s]
            elif order < 0.0:
                excess -= sell_cost * order
                slope -= sell_cost * weight[s]
        if slope <= 0.0:
            return np.nan
        step = excess / slope
        x -= step
        if abs(step) <= ROUNDING * abs(equity):
            break
    return x if x > 0.0 else np.nan


@compiled
def floor_to_lot(quantity: float, lot_size: float) -> float:
    """`quantity` rounded toward zero to a multiple of `lot_size`; unchanged for lot size 0."""
    if lot_size <= 0.0:
        return quantity
    lots: float = np.floor(abs(quantity) / lot_size + LOT_ROUNDING)
    return lots * lot_size if quantity > 0.0 else -lots * lot_size


@compiled
def unit_costs(rules: Rules) -> tuple[float, float]:
    """Cost of buying and of selling one unit of reference notional: slippage plus fee on it."""
    fee, slip = rules.fee_rate, rules.slippage_rate
    return slip + fee * (1.0 + slip), slip + fee * (1.0 - slip)


@compiled
def _limit_purchases(
    orders: Floats, price: Floats, spendable: float, tolerance: float, rules: Rules
) -> bool:
    """Scale all purchases down to the cash there is; True when that was needed.

    `spendable` is the cash that may be paid out before sales. Only partial rebalances (a gap
    blocks some order) come here: whole ones are within the budget by construction.
    """
    buy_cost, sell_cost = unit_costs(rules)
    need = 0.0
    for s in range(orders.size):
        if orders[s] > 0.0:
            need += orders[s] * price[s] * (1.0 + buy_cost)
        elif orders[s] < 0.0:
            spendable -= orders[s] * price[s] * (1.0 - sell_cost)
    if need <= max(spendable, 0.0) + tolerance:
        return False
    share = max(spendable, 0.0) / need
    for s in range(orders.size):
        if orders[s] > 0.0:
            order = floor_to_lot(orders[s] * share, rules.lot_size)
            orders[s] = order if order * price[s] > tolerance else 0.0
    return True


@compiled
def _assess(
    holding: tuple[float, Floats, Floats, Orders],
    price: Floats,
    level: Floats,
    value: Floats,
    traded: Flags,
) -> tuple[bool, bool, float, float]:
    """Write value and tradability per symbol; return (blocked, carried, total weight, equity).

    blocked: some pending order has no price. carried: part of the rebalance is already done.
    """
    equity, quantity, weight, pending = holding
    blocked, carried, total = False, False, 0.0
    for s in range(quantity.size):
        traded[s] = pending[s] != DONE and not np.isnan(price[s])
        blocked = blocked or (pending[s] != DONE and not traded[s])
        carried = carried or (pending[s] == DONE and (quantity[s] != 0.0 or weight[s] != 0.0))
        total += weight[s]
        value[s] = quantity[s] * level[s] if quantity[s] != 0.0 else 0.0
        equity += value[s]
    return blocked, carried, total, equity


@compiled
def plan_orders(
    holding: tuple[float, Floats, Floats, Orders],
    price: Floats,
    level: Floats,
    rules: Rules,
    orders: Floats,
) -> tuple[int, float]:
    """Write the signed orders into `orders`; return status and equity before trading.

    `holding` is (cash, quantity, weight, pending); `level` values what is held. Pending symbols
    with a price are traded to weight x E', E' after costs. While another one has no price, buying
    is limited to the cash in hand and the remainder waits; without a blocked one all are done.
    """
    cash, quantity, weight, pending = holding
    value, traded = np.zeros(quantity.size), np.zeros(quantity.size, dtype=np.bool_)
    blocked, carried, total, equity = _assess(holding, price, level, value, traded)
    if equity <= 0.0:
        return RUINED, equity
    after = post_cost_equity(equity, value, weight, traded, unit_costs(rules))
    if np.isnan(after):
        return UNAFFORDABLE, equity
    for s in range(quantity.size):
        orders[s] = 0.0
        if traded[s]:
            target = floor_to_lot(weight[s] * after / price[s], rules.lot_size)
            order = target - quantity[s]
            if target == 0.0 or abs(order) * price[s] > DUST * equity:
                orders[s] = order
    limited = False
    if blocked or carried:
        spendable = cash - min(0.0, (1.0 - total) * after)
        limited = _limit_purchases(orders, price, spendable, DUST * equity, rules)
    for s in range(quantity.size):
        if traded[s]:
            remains = blocked and limited and weight[s] * after > value[s]
            pending[s] = REMAINDER if remains else DONE
    return FINE, equity
