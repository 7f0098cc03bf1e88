"""The order book: orders begin, end, and are logged."""

import numpy as np

from quant_assets.quant.simulation.execution.book import (
    Book,
    Market,
)
from quant_assets.quant.simulation.execution.event_kernel.compiling import (
    compiled,
)
from quant_assets.quant.simulation.execution.event_kernel.fields import (
    C_ACTIVE,
    C_BORN,
    C_DAY,
    C_DECIDED,
    C_EXPIRES,
    C_FORCE,
    C_GROUP,
    C_ID,
    C_KIND,
    C_LEAVES,
    C_REASON,
    C_REDUCE,
    C_SIDE,
    C_STATUS,
    C_SYMBOL,
    C_TAG,
    C_UNIT,
    DAY,
    DAY_ORDER,
    ENTRY_ORDER,
    EXIT_ORDER,
    EXPIRED,
    IOC,
    LATENCY,
    MARKET,
    MODEL,
    N_DEAD,
    N_IDS,
    N_OPEN,
    N_ORDERS,
    N_VETOES,
    NEVER,
    O_EXTREME,
    O_FILLED,
    O_LIMIT,
    O_LOSS,
    O_ORIGINAL,
    O_PROFIT,
    O_QUANTITY,
    O_SIZE,
    O_STOP,
    O_STRENGTH,
    O_VALUE,
    OPEN_ORDER,
    ORDER,
    ORDER_STOP,
    QUANTITY,
    STAMP,
    STOP,
    TRAILING,
    UNFILLED,
    WEIGHT,
    WITHDRAWN,
)
from quant_assets.quant.simulation.execution.terms import (
    SAME_CLOSE,
)


@compiled
def veto(k: Book, place: tuple[int, int, int], rule: int, before: float, after: float) -> None:
    """Log what a rule has changed; `place` = (bar, symbol, order id)."""
    counters = k.counters
    i = counters[N_VETOES]
    k.vetoes[i, 0], k.vetoes[i, 1], k.vetoes[i, 2] = place[0], place[1], rule
    k.vetoes[i, 3], k.vetoes[i, 4], k.vetoes[i, 5] = before, after, place[2]
    counters[N_VETOES] = i + 1


@compiled
def new_order(k: Book, t: int, s: int, kind: int, side: int, reason: int) -> int:
    """Slot of a new good-till-cancelled order without size or prices, active from bar t on."""
    orders, codes, counters = k.orders, k.codes, k.counters
    slot = counters[N_OPEN]
    counters[N_OPEN] = slot + 1
    counters[N_IDS] += 1
    for field in range(orders.shape[1]):
        orders[slot, field] = np.nan if field <= O_EXTREME else 0.0
    for field in range(codes.shape[1]):
        codes[slot, field] = 0
    orders[slot, O_STRENGTH] = 1.0
    orders[slot, O_PROFIT] = orders[slot, O_LOSS] = np.nan
    codes[slot, C_ID], codes[slot, C_SYMBOL] = counters[N_IDS], s
    codes[slot, C_KIND], codes[slot, C_SIDE], codes[slot, C_REASON] = kind, side, reason
    codes[slot, C_DECIDED] = codes[slot, C_ACTIVE] = t
    codes[slot, C_EXPIRES], codes[slot, C_LEAVES], codes[slot, C_BORN] = NEVER, NEVER, -1
    codes[slot, C_DAY] = -NEVER
    return slot


@compiled
def first_bar(m: Market, t: int, at_market: bool) -> int:
    """First bar on which an order that is decided at bar t can fill."""
    switches = m.switches
    same = at_market and switches[MODEL] == SAME_CLOSE
    return switches[LATENCY] + (t if same else m.first_fill[t])


@compiled
def exit_order(m: Market, k: Book, t: int, s: int, reason: int) -> None:
    """Close what is held in `s` at market, unless an order does so already."""
    orders, codes, flags = k.orders, k.codes, k.flags
    if flags[s, EXIT_ORDER] != 0:
        return
    quantity = k.symbols[s, QUANTITY]
    slot = new_order(k, t, s, MARKET, -1 if quantity > 0.0 else 1, reason)
    orders[slot, O_QUANTITY] = orders[slot, O_ORIGINAL] = -quantity
    codes[slot, C_ACTIVE], codes[slot, C_REDUCE] = first_bar(m, t, True), 1
    flags[s, EXIT_ORDER] = codes[slot, C_ID]


@compiled
def finish(k: Book, t: int, slot: int, status: int) -> None:
    """Take an order out of the book and log it."""
    orders, codes, counters, flags = k.orders, k.codes, k.counters, k.flags
    if codes[slot, C_STATUS] != OPEN_ORDER:
        return
    s, filled = codes[slot, C_SYMBOL], orders[slot, O_FILLED]
    codes[slot, C_STATUS] = status
    counters[N_DEAD] += 1
    if flags[s, EXIT_ORDER] == codes[slot, C_ID]:
        flags[s, EXIT_ORDER] = 0
    if flags[s, ENTRY_ORDER] == codes[slot, C_ID]:
        flags[s, ENTRY_ORDER] = 0
    i = counters[N_ORDERS]
    counters[N_ORDERS] = i + 1
    k.order_log[i, 0], k.order_log[i, 1] = codes[slot, C_ID], s
    k.order_log[i, 2], k.order_log[i, 3] = codes[slot, C_KIND], codes[slot, C_REASON]
    k.order_log[i, 4], k.order_log[i, 5] = codes[slot, C_DECIDED], t
    k.order_log[i, 6], k.order_log[i, 7] = orders[slot, O_ORIGINAL], orders[slot, O_LIMIT]
    k.order_log[i, 8], k.order_log[i, 9] = orders[slot, O_STOP], codes[slot, C_SIDE] * filled
    k.order_log[i, 10] = orders[slot, O_VALUE] / filled if filled > 0.0 else np.nan
    k.order_log[i, 11], k.order_log[i, 12] = status, codes[slot, C_GROUP]
    k.order_log[i, 13], k.order_log[i, 14] = codes[slot, C_TAG], orders[slot, O_STRENGTH]


@compiled
def compact(k: Book) -> None:
    """Close the gaps that finished orders left."""
    orders, codes, counters = k.orders, k.codes, k.counters
    n = 0
    for slot in range(counters[N_OPEN]):
        if codes[slot, C_STATUS] != OPEN_ORDER:
            continue
        if n != slot:
            for field in range(orders.shape[1]):
                orders[n, field] = orders[slot, field]
            for field in range(codes.shape[1]):
                codes[n, field] = codes[slot, field]
        n += 1
    counters[N_OPEN], counters[N_DEAD] = n, 0


@compiled
def drop(k: Book, t: int, slot: int) -> None:
    """Take a cancelled order out of the book; a stop of a bracket protects no more."""
    orders, codes = k.orders, k.codes
    finish(k, t, slot, WITHDRAWN)
    if codes[slot, C_GROUP] >= 0 or codes[slot, C_KIND] != STOP:
        return
    s = codes[slot, C_SYMBOL]
    k.symbols[s, ORDER_STOP] = np.nan
    for other in range(k.counters[N_OPEN]):
        mine = codes[other, C_SYMBOL] == s and codes[other, C_STATUS] == OPEN_ORDER
        if mine and codes[other, C_GROUP] < 0 and codes[other, C_KIND] == STOP:
            k.symbols[s, ORDER_STOP] = orders[other, O_STOP]


@compiled
def leave(m: Market, k: Book, t: int, slot: int) -> None:
    """Cancel an order; like an order, the cancel reaches the market when its decision does."""
    codes = k.codes
    at_market = codes[slot, C_KIND] == MARKET
    same_close = at_market and m.switches[MODEL] == SAME_CLOSE
    last = first_bar(m, t, at_market) - (0 if same_close else 1)
    codes[slot, C_LEAVES] = min(codes[slot, C_LEAVES], last)
    if last <= t:
        drop(k, t, slot)


@compiled
def is_live(k: Book, t: int, slot: int) -> bool:
    """Whether an order is open, active, and older than this part of the bar."""
    codes = k.codes
    return (
        codes[slot, C_STATUS] == OPEN_ORDER
        and codes[slot, C_ACTIVE] <= t
        and codes[slot, C_BORN] != k.counters[STAMP]
    )


@compiled
def expire(m: Market, k: Book, t: int, starts: bool) -> None:
    """End orders whose time is over: DAY orders as a day starts, the others after their last bar.

    After the bar, trailing stop orders follow its extreme. Of a target weight on the other side,
    the part that closes what is held stays.
    """
    orders, codes, counters = k.orders, k.codes, k.counters
    for slot in range(counters[N_OPEN]):
        if codes[slot, C_STATUS] != OPEN_ORDER:
            continue
        if not starts and t >= codes[slot, C_LEAVES]:
            drop(k, t, slot)
            continue
        if codes[slot, C_ACTIVE] > t:
            continue
        s = codes[slot, C_SYMBOL]
        if starts:
            if codes[slot, C_DAY] == -NEVER:
                codes[slot, C_DAY] = counters[DAY]
            if codes[slot, C_FORCE] == DAY_ORDER and codes[slot, C_DAY] != counters[DAY]:
                finish(k, t, slot, EXPIRED)
        elif t >= codes[slot, C_EXPIRES]:
            unsized = codes[slot, C_UNIT] == WEIGHT and np.isnan(orders[slot, O_QUANTITY])
            if unsized and orders[slot, O_SIZE] * k.symbols[s, QUANTITY] < 0.0:
                orders[slot, O_SIZE], codes[slot, C_EXPIRES] = 0.0, NEVER
            else:
                finish(k, t, slot, UNFILLED if codes[slot, C_FORCE] == IOC else EXPIRED)
        elif codes[slot, C_KIND] == TRAILING and codes[slot, C_REASON] == ORDER:
            best = m.low[t, s] if codes[slot, C_SIDE] > 0 else m.high[t, s]
            if codes[slot, C_SIDE] * best < codes[slot, C_SIDE] * orders[slot, O_EXTREME]:
                orders[slot, O_EXTREME] = best
