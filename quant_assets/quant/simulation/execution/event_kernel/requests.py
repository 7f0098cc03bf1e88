"""What a bar-by-bar strategy places and cancels."""

import numpy as np

from quant_assets.quant.simulation.execution.book import (
    Book,
    Market,
)
from quant_assets.quant.simulation.execution.event_kernel.compiling import (
    compiled,
)
from quant_assets.quant.simulation.execution.event_kernel.fields import (
    ALL_ORDERS,
    BRACKETS,
    C_ACTIVE,
    C_CHILDREN,
    C_EXPIRES,
    C_FORCE,
    C_GROUP,
    C_PARENT_GROUP,
    C_PART,
    C_REASON,
    C_REDUCE,
    C_STATUS,
    C_SYMBOL,
    C_TAG,
    CANCEL,
    ENTRY,
    EXIT_SIGNAL,
    GTD,
    IOC,
    MARKET,
    N_OPEN,
    N_REQUESTS,
    NO_BRACKETS,
    O_EXTREME,
    O_LIMIT,
    O_LOSS,
    O_ORIGINAL,
    O_PROFIT,
    O_QUANTITY,
    O_STOP,
    O_TRAIL,
    OPEN_ORDER,
    ORDER,
    QUANTITY,
    R_BARS,
    R_FORCE,
    R_GROUP,
    R_KIND,
    R_LIMIT,
    R_LOSS,
    R_PART,
    R_PROFIT,
    R_QUANTITY,
    R_REDUCE,
    R_STOP,
    R_SYMBOL,
    R_TAG,
    R_TRAIL,
    REVERSAL,
    TARGET_WEIGHT,
)
from quant_assets.quant.simulation.execution.event_kernel.limits import (
    refused,
)
from quant_assets.quant.simulation.execution.event_kernel.orders import (
    first_bar,
    leave,
    new_order,
)


@compiled
def is_chosen(k: Book, slot: int, i: int) -> bool:
    """Whether request i, a cancel, names this order.

    What closes a position by a rule of the account (a protective exit that waits for volume, a
    time stop, a halt) is not for the strategy to cancel.
    """
    codes, r = k.codes, k.requests
    bracket, reason = codes[slot, C_GROUP] < 0, codes[slot, C_REASON]
    decided = reason in (ENTRY, EXIT_SIGNAL, TARGET_WEIGHT, ORDER, REVERSAL)
    part = int(r[i, R_PART])
    wrong_part = part == (NO_BRACKETS if bracket else BRACKETS)
    if codes[slot, C_STATUS] != OPEN_ORDER or not (bracket or decided) or wrong_part:
        return False
    of_group = C_PARENT_GROUP if bracket else C_GROUP
    for field, code in ((R_SYMBOL, C_SYMBOL), (R_GROUP, of_group), (R_TAG, C_TAG)):
        if not np.isnan(r[i, field]) and r[i, field] != codes[slot, code]:
            return False
    return True


@compiled
def withdraw(m: Market, k: Book, t: int, i: int) -> None:
    """Cancel the orders that request i names, and the brackets that they brought to life."""
    codes = k.codes
    with_brackets = int(k.requests[i, R_PART]) == ALL_ORDERS
    for slot in range(k.counters[N_OPEN]):
        if not is_chosen(k, slot, i):
            continue
        leave(m, k, t, slot)
        children = codes[slot, C_CHILDREN] if with_brackets else 0
        for child in range(k.counters[N_OPEN]):
            if children != 0 and codes[child, C_GROUP] == children:
                leave(m, k, t, child)


@compiled
def ingest(m: Market, k: Book, t: int) -> None:
    """Cancel what a bar-by-bar strategy cancels, then turn what it placed into open orders."""
    orders, codes, counters = k.orders, k.codes, k.counters
    for i in range(counters[N_REQUESTS]):
        if k.requests[i, R_KIND] == CANCEL:
            withdraw(m, k, t, i)
    for i in range(counters[N_REQUESTS]):
        if k.requests[i, R_KIND] == CANCEL:
            continue
        r, quantity = k.requests, k.requests[i, R_QUANTITY]
        s, side = int(r[i, R_SYMBOL]), 1 if quantity > 0.0 else -1
        held, reduce = k.symbols[s, QUANTITY], int(r[i, R_REDUCE])
        opens = reduce == 0 and (held * side >= 0.0 or abs(quantity) > abs(held))
        if opens and refused(m, k, t, s, side, abs(quantity)):
            continue
        kind = int(r[i, R_KIND])
        slot = new_order(k, t, s, kind, side, ORDER)
        orders[slot, O_QUANTITY] = orders[slot, O_ORIGINAL] = quantity
        orders[slot, O_LIMIT], orders[slot, O_STOP] = r[i, R_LIMIT], r[i, R_STOP]
        orders[slot, O_TRAIL], orders[slot, O_EXTREME] = r[i, R_TRAIL], m.close[t, s]
        orders[slot, O_PROFIT], orders[slot, O_LOSS] = r[i, R_PROFIT], r[i, R_LOSS]
        codes[slot, C_PART], codes[slot, C_FORCE] = int(r[i, R_PART]), int(r[i, R_FORCE])
        codes[slot, C_GROUP], codes[slot, C_REDUCE] = int(r[i, R_GROUP]), reduce
        codes[slot, C_TAG] = int(r[i, R_TAG])
        active = first_bar(m, t, kind == MARKET)
        codes[slot, C_ACTIVE] = active
        if codes[slot, C_FORCE] == IOC:
            codes[slot, C_EXPIRES] = active
        elif codes[slot, C_FORCE] == GTD:
            codes[slot, C_EXPIRES] = active + int(r[i, R_BARS]) - 1
    counters[N_REQUESTS] = 0
