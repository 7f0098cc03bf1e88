"""What the limits of the account leave of an order."""

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
    price_of,
)
from quant_assets.quant.simulation.execution.event_kernel.exits import (
    heat_of,
    heat_per_unit,
)
from quant_assets.quant.simulation.execution.event_kernel.fields import (
    BLOCKED,
    BUDGET_ROUNDING,
    BY_COOL,
    BY_CORRELATION,
    BY_COUNT,
    BY_DAILY,
    BY_GROSS,
    BY_HALT,
    BY_HEAT,
    BY_LEAST,
    BY_LEVERAGE,
    BY_LOT,
    BY_NET,
    BY_POSITION,
    BY_RUIN,
    BY_SECTOR,
    BY_UNIVERSE,
    C_ID,
    C_SIDE,
    C_SYMBOL,
    COOL_UNTIL,
    CORRELATION,
    CORRELATION_BARS,
    ENTRY_ORDER,
    HALTED,
    HALVES,
    INVERSE,
    LEAST,
    LEAST_SHARE,
    LEVEL,
    LEVERAGE,
    LONG,
    LOT,
    MAX_HEAT,
    MAX_POSITIONS,
    MULTIPLIER,
    N_HELD,
    N_OPEN,
    NOW,
    QUANTITY,
    SECTOR,
    SHORT,
    TURNS,
)
from quant_assets.quant.simulation.execution.event_kernel.orders import (
    veto,
)
from quant_assets.quant.simulation.execution.event_kernel.valuation import (
    floored,
    worth,
)


@compiled
def sector_of(m: Market, k: Book, t: int, s: int) -> float:
    """Gross notional that is held in the sector of `s`."""
    symbols = k.symbols
    instruments = m.instruments
    used = 0.0
    for i in range(k.counters[N_HELD]):
        j = k.held[i]
        if instruments[j, SECTOR] == instruments[s, SECTOR]:
            used += abs(symbols[j, QUANTITY]) * worth(m, t, j, symbols[j, LEVEL])
    return used


@compiled
def room(
    m: Market, k: Book, place: tuple[int, int], side: int, order: tuple[float, float, float]
) -> tuple[float, int]:
    """Notional that the limits leave for more of `s`, and the rule that leaves least.

    `order` = (cost per notional, notional per unit, heat per unit). A limit of M times equity,
    used up to u, leaves x = M (equity - cost x) - u, so x = (M equity - u) / (1 + M cost).
    """
    counters, symbols, account = k.counters, k.symbols, k.account
    rules = m.rules
    t, s = place
    cost, unit, heat = order
    equity, long, short = account[NOW], account[LONG], account[SHORT]
    if equity <= 0.0:
        return 0.0, BY_RUIN
    held = abs(symbols[s, QUANTITY])
    if held == 0.0 and counters[N_HELD] >= m.switches[MAX_POSITIONS]:
        return 0.0, BY_COUNT
    least, rule = np.inf, BY_LEVERAGE
    for number in range(BY_SECTOR + 1):
        limit, used = rules[LEVERAGE + number], 0.0
        if limit == np.inf:
            continue
        if number in (BY_LEVERAGE, BY_GROSS):
            used = long + short
        elif number == BY_NET:
            used = side * (long - short)
        elif number == BY_POSITION:
            used = held * worth(m, t, s, symbols[s, LEVEL]) if held != 0.0 else 0.0
        else:
            used = sector_of(m, k, t, s)
        left = (limit * equity - used) / (1.0 + limit * cost)
        if left < least:
            least, rule = left, number
    if rules[MAX_HEAT] != np.inf and heat > 0.0:
        used = 0.0
        for i in range(counters[N_HELD]):
            used += heat_of(m, k, t, k.held[i])
        left = (rules[MAX_HEAT] * equity - used) / (heat / unit + rules[MAX_HEAT] * cost)
        if left < least:
            least, rule = left, BY_HEAT
    return max(least, 0.0), rule


@compiled
def room_after_fee(
    m: Market,
    k: Book,
    place: tuple[int, int, int],
    amount: float,
    order: tuple[float, float, bool],
) -> float:
    """Notional that the limits leave for `amount` units whose fee is paid from equity.

    `order` = (notional per unit, heat per unit, taker).
    """
    t, s, slot = place
    unit, heat, taker = order
    fee, _, _ = commission(m, k, slot, amount, amount * unit, taker)
    cost = max(fee, 0.0) / (amount * unit)
    left, _ = room(m, k, (t, s), k.codes[slot, C_SIDE], (cost, unit, heat))
    return left


@compiled
def allowed(
    m: Market, k: Book, t: int, slot: int, amount: float, fill: tuple[float, bool]
) -> float:
    """The part of `amount` more units that limits, lots and least notional leave."""
    codes = k.codes
    instruments = m.instruments
    s, side = codes[slot, C_SYMBOL], codes[slot, C_SIDE]
    reference, taker = fill
    if amount == np.inf:  # as much as the limits leave
        amount, _ = room(m, k, (t, s), side, (0.0, worth(m, t, s, reference), 0.0))
        amount /= worth(m, t, s, reference)
        if amount == np.inf:
            return 0.0
    price = price_of(m, (t, s), amount, side, fill)
    unit, wanted, order = worth(m, t, s, price), amount, codes[slot, C_ID]
    heat = heat_per_unit(m, k, (t, s, slot), price) if m.rules[MAX_HEAT] != np.inf else 0.0
    free, free_rule = room(m, k, (t, s), side, (0.0, unit, heat))
    if amount * unit > free * (1.0 + 1e-9):
        veto(k, (t, s, order), free_rule, amount, free / unit)
    low, high, settled, turn = 0.0, np.inf, amount <= 0.0, 0
    while not settled and turn < TURNS + HALVES:
        left = room_after_fee(m, k, (t, s, slot), amount, (unit, heat, taker))
        fitting = min(wanted, left / unit)
        if amount * unit <= left * (1.0 + BUDGET_ROUNDING):
            low = max(low, amount)
        else:
            high = min(high, amount)
        halves = turn >= TURNS and high != np.inf  # a fee that is most of what is left
        settled = not halves and abs(fitting - amount) <= 1e-15 * amount
        if not settled:
            amount = 0.5 * (low + high) if halves else fitting
        settled = settled or amount <= 0.0
        turn += 1
    if not settled:
        amount = low
        if low <= LEAST_SHARE * wanted:
            veto(k, (t, s, order), BY_RUIN, wanted, 0.0)
            return 0.0
    if amount < LEAST_SHARE * wanted:  # what rounding leaves of an account that is used up
        return 0.0
    lots = floored(amount, instruments[s, LOT])
    if lots <= 0.0 < amount:
        veto(k, (t, s, order), BY_LOT, amount, 0.0)
    least = instruments[s, LEAST]
    contract = instruments[s, MULTIPLIER] * (1.0 if instruments[s, INVERSE] != 0.0 else price)
    if lots > 0.0 and lots * contract < least * (1.0 - 1e-12):
        veto(k, (t, s, order), BY_LEAST, lots, 0.0)
        return 0.0
    return lots


@compiled
def correlation_with_held(m: Market, k: Book, t: int, s: int, side: int) -> float:
    """Highest correlation of close-to-close returns with what is held or about to be, on `side`."""
    codes, symbols, flags = k.codes, k.symbols, k.flags
    n, highest = m.switches[CORRELATION_BARS], -2.0
    first = max(1, t - n + 1)
    for other in range(symbols.shape[0]):
        same = symbols[other, QUANTITY] * side > 0.0
        if flags[other, ENTRY_ORDER] != 0 and not same:
            for slot in range(k.counters[N_OPEN]):
                mine = codes[slot, C_ID] == flags[other, ENTRY_ORDER]
                same = same or (mine and codes[slot, C_SIDE] == side)
        if other == s or not same:
            continue
        count, mean_x, mean_y, xx, yy, xy = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for i in range(first, t + 1):
            x = m.close[i, s] / m.close[i - 1, s] - 1.0
            y = m.close[i, other] / m.close[i - 1, other] - 1.0
            if np.isnan(x) or np.isnan(y):
                continue
            count += 1.0
            dx, dy = x - mean_x, y - mean_y
            mean_x += dx / count
            mean_y += dy / count
            xx += dx * (x - mean_x)
            yy += dy * (y - mean_y)
            xy += dx * (y - mean_y)
        if count > 2.0 and xx > 0.0 and yy > 0.0:
            highest = max(highest, xy / np.sqrt(xx * yy))
    return highest


@compiled
def refused(m: Market, k: Book, t: int, s: int, side: int, size: float) -> bool:
    """Whether universe or account forbid a new entry; each refusal is logged."""
    counters = k.counters
    rules = m.rules
    place = (t, s, 0)
    if m.member.size and m.member[t, s] == 0:
        veto(k, place, BY_UNIVERSE, size, 0.0)
    elif counters[HALTED] == 1:
        veto(k, place, BY_HALT, size, 0.0)
    elif counters[BLOCKED] == 1:
        veto(k, place, BY_DAILY, size, 0.0)
    elif t < k.flags[s, COOL_UNTIL]:
        veto(k, place, BY_COOL, size, 0.0)
    elif rules[CORRELATION] != np.inf and (
        correlation_with_held(m, k, t, s, side) > rules[CORRELATION]
    ):
        veto(k, place, BY_CORRELATION, size, 0.0)
    else:
        return False
    return True
