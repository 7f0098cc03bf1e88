"""Fills: what they change in orders, positions, cash and logs."""

import numpy as np

from quant_assets.quant.simulation.execution.book import (
    Book,
    Market,
)
from quant_assets.quant.simulation.execution.event_kernel.compiling import (
    compiled,
)
from quant_assets.quant.simulation.execution.event_kernel.costs import (
    commission,
    concession,
)
from quant_assets.quant.simulation.execution.event_kernel.fields import (
    AT_CLOSE,
    AVERAGE,
    BEFORE,
    BEFORE_BAR,
    BOUGHT,
    C_BORN,
    C_CHILDREN,
    C_EXPIRES,
    C_GROUP,
    C_ID,
    C_KIND,
    C_PARENT_GROUP,
    C_REASON,
    C_REDUCE,
    C_SIDE,
    C_SYMBOL,
    C_TAG,
    C_UNIT,
    CASH,
    COMMISSION,
    DERIVATIVE,
    DUST,
    ENTRY_NOTIONAL,
    ENTRY_VALUE,
    EXIT_VALUE,
    FILLED,
    FLOW,
    HIGHEST,
    IN_GROUP,
    INVERSE,
    LEVEL,
    LEVEL_FX,
    LIMIT,
    LONG,
    LOT,
    LOWEST,
    MARKET,
    MONTH_UNITS,
    MULTIPLIER,
    N_FILLS,
    N_OPEN,
    NOTHING_LEFT,
    NOW,
    O_BASE,
    O_FEE,
    O_FILLED,
    O_LIMIT,
    O_LOSS,
    O_NOTIONAL,
    O_ORIGINAL,
    O_PROFIT,
    O_QUANTITY,
    O_STOP,
    O_TAX,
    O_VALUE,
    ORDER,
    ORDER_STOP,
    PARTICIPATION,
    QUANTITY,
    REJECTED,
    SHORT,
    SLIPPAGE,
    SOLD,
    STAGE,
    STAMP,
    STOP,
    STOP_LOSS,
    T_COMMISSION,
    T_ID,
    T_IMPACT,
    T_QUALITY,
    T_SLIPPAGE,
    TAKE_PROFIT,
    TIME_TO_LIVE,
    TRADED_NOTIONAL,
    USED,
    USED_BAR,
    WEIGHT,
)
from quant_assets.quant.simulation.execution.event_kernel.limits import (
    allowed,
)
from quant_assets.quant.simulation.execution.event_kernel.orders import (
    finish,
    new_order,
)
from quant_assets.quant.simulation.execution.event_kernel.sizing import (
    size_order,
)
from quant_assets.quant.simulation.execution.event_kernel.trades import (
    close_trade,
    fill_quality,
    open_trade,
)
from quant_assets.quant.simulation.execution.event_kernel.valuation import (
    floored,
    profit,
    revalue,
    row_of,
    worth,
)


@compiled
def fill(
    m: Market, k: Book, t: int, slot: int, quantity: float, how: tuple[float, bool, int]
) -> float:
    """Fill up to `quantity` (never across zero) as volume allows; return the units filled.

    `how` = (reference price, taker, stage of the bar).
    """
    symbols, flags = k.symbols, k.flags
    rules = m.rules
    s, side = k.codes[slot, C_SYMBOL], 1 if quantity > 0.0 else -1
    reference, taker, stage = how
    amount, volume, held = abs(quantity), m.volume[t, s], symbols[s, QUANTITY]
    if volume == 0.0:
        return 0.0
    if rules[PARTICIPATION] != np.inf and not np.isnan(volume):
        if flags[s, USED_BAR] != t:
            flags[s, USED_BAR], symbols[s, USED] = t, 0.0
        left = rules[PARTICIPATION] * volume - symbols[s, USED]
        if amount > left:
            amount = floored(max(left, 0.0), m.instruments[s, LOT])
        if amount <= DUST * abs(quantity):
            return 0.0
        symbols[s, USED] += amount
    price, impact = reference, 0.0
    if taker:
        price, impact = concession(m, (t, s), amount, side, reference)
    if held == 0.0:
        symbols[s, LEVEL], symbols[s, LEVEL_FX] = reference, m.fx[row_of(m.fx, t), s]
        open_trade(m, k, t, slot, price)
        flags[s, STAGE] = stage
    elif reference != symbols[s, LEVEL]:
        revalue(m, k, t, s, reference)
    move(m, k, t, slot, side * amount, (reference, price, impact, taker))
    if stage == AT_CLOSE and flags[s, BEFORE_BAR] != t:
        flags[s, BEFORE_BAR], symbols[s, BEFORE] = t, held
    symbols[s, HIGHEST] = max(symbols[s, HIGHEST], price)
    symbols[s, LOWEST] = min(symbols[s, LOWEST], price)
    if symbols[s, QUANTITY] == 0.0:
        close_trade(m, k, t, slot)
    return amount


@compiled
def move(
    m: Market,
    k: Book,
    t: int,
    slot: int,
    quantity: float,
    prices: tuple[float, float, float, bool],
) -> None:
    """Change position, cash, totals, trade record and logs by one fill of signed `quantity`."""
    orders, codes, counters, symbols, account = k.orders, k.codes, k.counters, k.symbols, k.account
    instruments = m.instruments
    s, amount = codes[slot, C_SYMBOL], abs(quantity)
    reference, price, impact, taker = prices
    held, fx = symbols[s, QUANTITY], m.fx[row_of(m.fx, t), s]
    inverse, scale = instruments[s, INVERSE] != 0.0, instruments[s, MULTIPLIER]
    notional, level = amount * worth(m, t, s, price), worth(m, t, s, reference)
    after, average = held + quantity, symbols[s, AVERAGE]
    after = 0.0 if abs(after) <= DUST * abs(held) else after
    fee, base, tax = commission(m, k, slot, amount, notional, taker)
    slippage = quantity * profit(m, s, reference, price) * fx
    orders[slot, O_BASE], orders[slot, O_TAX] = base, tax
    orders[slot, O_FEE] += fee
    orders[slot, O_NOTIONAL] += notional
    orders[slot, O_FILLED] += amount
    orders[slot, O_VALUE] += amount * price
    account[MONTH_UNITS] += amount
    flow = -quantity * scale * fx * price
    if instruments[s, DERIVATIVE] != 0.0:
        flow = 0.0 if held * quantity >= 0.0 else -quantity * profit(m, s, average, price) * fx
    account[CASH] += flow - fee
    symbols[s, FLOW] += flow - fee
    account[NOW] -= fee + slippage
    account[COMMISSION] += fee
    account[SLIPPAGE] += slippage
    symbols[s, T_COMMISSION] += fee
    symbols[s, T_SLIPPAGE] += slippage
    symbols[s, T_IMPACT] += impact * amount * level
    symbols[s, TRADED_NOTIONAL] += notional
    opening = held * quantity >= 0.0
    if opening:
        symbols[s, BOUGHT] += amount
        symbols[s, ENTRY_VALUE] += amount / price if inverse else amount * price
        symbols[s, ENTRY_NOTIONAL] += notional
        symbols[s, T_QUALITY] += amount * fill_quality(m, (t, s), amount, price)
        if inverse:
            symbols[s, AVERAGE] = abs(after) / (
                (abs(held) / average if held != 0.0 else 0.0) + amount / price
            )
        else:
            cost = abs(held) * average if held != 0.0 else 0.0
            symbols[s, AVERAGE] = (cost + amount * price) / abs(after)
    else:
        symbols[s, SOLD] += amount
        symbols[s, EXIT_VALUE] += amount / price if inverse else amount * price
    kind = LONG if held > 0.0 or (held == 0.0 and quantity > 0.0) else SHORT
    account[kind] += (abs(after) - abs(held)) * level
    symbols[s, QUANTITY] = after
    i = counters[N_FILLS]
    counters[N_FILLS] = i + 1
    row = k.fills
    row[i, 0], row[i, 1], row[i, 2], row[i, 3] = t, s, codes[slot, C_ID], quantity
    row[i, 4], row[i, 5], row[i, 6], row[i, 7] = reference, price, fee, slippage
    row[i, 8], row[i, 9] = impact * amount * level, 0.0
    row[i, 10], row[i, 11], row[i, 12] = codes[slot, C_REASON], k.flags[s, T_ID], fx


@compiled
def after_fill(k: Book, t: int, slot: int, amount: float, opened: bool) -> None:
    """Cancel the order's group; for what was opened bring its bracket to life or add to it."""
    orders, codes, counters = k.orders, k.codes, k.counters
    s, group = codes[slot, C_SYMBOL], codes[slot, C_GROUP]
    if group != 0:
        for other in range(counters[N_OPEN]):
            if other != slot and codes[other, C_GROUP] == group:
                finish(k, t, other, IN_GROUP)
    profit_at, loss_at = orders[slot, O_PROFIT], orders[slot, O_LOSS]
    if not opened or (np.isnan(profit_at) and np.isnan(loss_at)):
        return
    side = codes[slot, C_SIDE]
    if codes[slot, C_CHILDREN] != 0:
        for other in range(counters[N_OPEN]):
            if codes[other, C_GROUP] == codes[slot, C_CHILDREN]:
                orders[other, O_QUANTITY] -= side * amount
                orders[other, O_ORIGINAL] -= side * amount
        return
    codes[slot, C_CHILDREN] = -codes[slot, C_ID]
    for part in range(2):
        price = loss_at if part == 0 else profit_at
        if np.isnan(price):
            continue
        kind, reason = (STOP, STOP_LOSS) if part == 0 else (LIMIT, TAKE_PROFIT)
        if part == 0:
            k.symbols[s, ORDER_STOP] = price
        child = new_order(k, t, s, kind, -side, reason)
        orders[child, O_QUANTITY] = orders[child, O_ORIGINAL] = -side * amount
        orders[child, O_STOP if part == 0 else O_LIMIT] = price
        codes[child, C_REDUCE], codes[child, C_GROUP] = 1, -codes[slot, C_ID]
        codes[child, C_BORN], codes[child, C_TAG] = counters[STAMP], codes[slot, C_TAG]
        codes[child, C_PARENT_GROUP] = group


@compiled
def carry_on(
    m: Market, k: Book, t: int, slot: int, quantity: float, done: tuple[float, bool]
) -> None:
    """After a fill: what remains of `quantity`, and how long; `done` = (units, they opened)."""
    codes = k.codes
    amount, opened = done
    if amount <= 0.0:
        return
    left = abs(quantity) - amount
    left = 0.0 if left <= DUST * abs(quantity) else left
    k.orders[slot, O_QUANTITY] = left if quantity > 0.0 else -left
    lives_on = codes[slot, C_KIND] != MARKET and codes[slot, C_REASON] == ORDER
    if codes[slot, C_REDUCE] == 0 and not lives_on:
        expires = t + m.switches[TIME_TO_LIVE]
        codes[slot, C_EXPIRES] = min(codes[slot, C_EXPIRES], expires)
    after_fill(k, t, slot, amount, opened)
    if left == 0.0:
        finish(k, t, slot, FILLED)


@compiled
def execute(
    m: Market, k: Book, t: int, slot: int, how: tuple[float, bool, int], may_open: bool
) -> float:
    """Fill an order that is touched: first what reduces a position, then what opens one.

    Returns the units opened. What limits refuse is dropped; what volume refuses is carried.
    """
    orders, codes = k.orders, k.codes
    s, price = codes[slot, C_SYMBOL], (how[0], how[1])
    held, opened, quantity = k.symbols[s, QUANTITY], 0.0, orders[slot, O_QUANTITY]
    if np.isnan(how[0]) or m.volume[t, s] == 0.0:
        return opened
    unsized = np.isnan(quantity)
    if unsized:
        against = codes[slot, C_UNIT] == WEIGHT
        if not may_open and not against:
            return opened
        quantity = size_order(m, k, t, slot, price)
        if not may_open and held * quantity >= 0.0:
            return opened
        if quantity == 0.0 or abs(quantity) * worth(m, t, s, how[0]) <= DUST * k.account[NOW]:
            finish(k, t, slot, REJECTED if codes[slot, C_UNIT] != WEIGHT else NOTHING_LEFT)
            return opened
        orders[slot, O_QUANTITY] = orders[slot, O_ORIGINAL] = quantity
        codes[slot, C_SIDE] = 1 if quantity > 0.0 else -1
    if held * quantity < 0.0:
        part = min(abs(quantity), abs(held))
        if codes[slot, C_UNIT] == WEIGHT and part < abs(held):
            part = floored(part, m.instruments[s, LOT])
            quantity = codes[slot, C_SIDE] * part
        if part > 0.0:
            done = fill(m, k, t, slot, codes[slot, C_SIDE] * part, how)
            carry_on(m, k, t, slot, quantity, (done, False))
            if done < part * (1.0 - DUST):
                return opened
        quantity = orders[slot, O_QUANTITY] if part > 0.0 else 0.0
    elif codes[slot, C_REDUCE] == 1:
        finish(k, t, slot, NOTHING_LEFT)
        return opened
    if abs(quantity) <= 0.0 or codes[slot, C_REDUCE] == 1:
        finish(k, t, slot, FILLED if orders[slot, O_FILLED] > 0.0 else NOTHING_LEFT)
        return opened
    if may_open:
        amount = allowed(m, k, t, slot, abs(quantity), price)
        if amount > 0.0:
            opened = fill(m, k, t, slot, codes[slot, C_SIDE] * amount, how)
            carry_on(m, k, t, slot, codes[slot, C_SIDE] * amount, (opened, True))
        else:
            finish(k, t, slot, FILLED if orders[slot, O_FILLED] > 0.0 else REJECTED)
    return opened
