"""Which orders and protective exits a bar, or a part of it, fills."""

import numpy as np

from quant_assets.quant.simulation.execution.book import (
    Book,
    Market,
)
from quant_assets.quant.simulation.execution.event_kernel.compiling import (
    compiled,
)
from quant_assets.quant.simulation.execution.event_kernel.fields import (
    AT_CLOSE,
    AT_OPEN,
    C_ACTIVE,
    C_BORN,
    C_DECIDED,
    C_GROUP,
    C_ID,
    C_KIND,
    C_PART,
    C_REDUCE,
    C_SIDE,
    C_STATUS,
    C_SYMBOL,
    C_TRIGGERED,
    EXIT_ORDER,
    INSIDE,
    LIMIT,
    MARKET,
    MODEL,
    N_HELD,
    N_OPEN,
    O_EXTREME,
    O_LIMIT,
    O_ORIGINAL,
    O_QUANTITY,
    O_STOP,
    O_STRENGTH,
    O_TRAIL,
    OPEN_ORDER,
    OPTIMISTIC,
    POINT,
    QUANTITY,
    STAMP,
    STOP,
    STOP_AT,
    STOP_LIMIT,
    STOP_LOSS,
    T_DECIDED,
    TAKE_PROFIT,
    TARGET_AT,
    THROUGH,
    TOUCHED,
    TRAILING,
    TRAILING_STOP,
    TRAILS,
    WHOLE,
)
from quant_assets.quant.simulation.execution.event_kernel.fills import (
    carry_on,
    execute,
    fill,
)
from quant_assets.quant.simulation.execution.event_kernel.orders import (
    is_live,
    new_order,
)
from quant_assets.quant.simulation.execution.terms import (
    NEXT_OPEN,
    NEXT_VWAP,
)


@compiled
def quote(m: Market, t: int, s: int, part: int) -> tuple[float, float, float]:
    """Open, high and low of a part of bar t: its open alone, all of it, or a detail bar."""
    if part == WHOLE:
        return m.open[t, s], m.high[t, s], m.low[t, s]
    if part == POINT:
        return m.open[t, s], m.open[t, s], m.open[t, s]
    i = m.detail_first[t] + part
    return m.detail_open[i, s], m.detail_high[i, s], m.detail_low[i, s]


@compiled
def touch(m: Market, k: Book, slot: int, bar: tuple[float, float, float]) -> tuple[float, bool]:
    """Reference price at which a resting order fills in this part of a bar, NaN: it does not.

    With it, whether it takes liquidity.
    """
    orders, codes = k.orders, k.codes
    kind, side = codes[slot, C_KIND], codes[slot, C_SIDE]
    start, high, low = bar
    far, near = (high, low) if side > 0 else (low, high)
    limit, stop = orders[slot, O_LIMIT], orders[slot, O_STOP]
    if kind == TRAILING:
        distance = orders[slot, O_TRAIL]
        if codes[slot, C_PART] == 1:
            distance *= orders[slot, O_EXTREME]
        stop = orders[slot, O_EXTREME] + side * distance
        orders[slot, O_STOP] = stop
    if kind in (STOP, TRAILING):
        if side * start >= side * stop:
            return start, True
        return (stop, True) if side * far >= side * stop else (np.nan, True)
    if kind == STOP_LIMIT and codes[slot, C_TRIGGERED] == 0:
        if not side * far >= side * stop:
            return np.nan, False
        codes[slot, C_TRIGGERED] = 1
        if not side * start >= side * stop:  # inside: the price stands at the stop
            return (stop, False) if side * stop <= side * limit else (np.nan, False)
    beyond = m.switches[THROUGH] == 1
    if side * start < side * limit or (not beyond and start == limit):
        return start, False
    hit = side * near < side * limit or (not beyond and near == limit)
    return (limit, False) if hit else (np.nan, False)


@compiled
def protect(
    m: Market,
    k: Book,
    t: int,
    s: int,
    bar: tuple[float, float, float],
    rules: tuple[bool, bool, int],
) -> None:
    """Close a position whose stop or target is met; `rules` = (stop may, target may, stage)."""
    orders, codes, symbols, flags = k.orders, k.codes, k.symbols, k.flags
    switches = m.switches
    quantity, stop, target = symbols[s, QUANTITY], symbols[s, STOP_AT], symbols[s, TARGET_AT]
    if flags[s, EXIT_ORDER] != 0 and flags[s, TOUCHED] == flags[s, EXIT_ORDER]:
        return  # the remainder of a met stop or target waits for volume
    side = 1 if quantity > 0.0 else -1
    start, high, low = bar
    best, worst = (high, low) if side > 0 else (low, high)
    beyond = switches[THROUGH] == 1
    reference, stopped = np.nan, True
    at_target = side * best > side * target or (not beyond and best == target)
    at_stop = side * worst <= side * stop
    if side * start <= side * stop and rules[0]:
        reference = start
    elif rules[1] and (side * start > side * target or (not beyond and start == target)):
        reference, stopped = start, False
    elif at_stop and rules[0] and not (at_target and rules[1] and switches[OPTIMISTIC] == 1):
        reference = stop
    elif at_target and rules[1]:
        reference, stopped = target, False
    if np.isnan(reference):
        return
    reason = TAKE_PROFIT
    if stopped:
        reason = TRAILING_STOP if flags[s, TRAILS] == 1 else STOP_LOSS
    kind = LIMIT if not stopped else (TRAILING if reason == TRAILING_STOP else STOP)
    slot = new_order(k, t, s, kind, -side, reason)
    orders[slot, O_QUANTITY] = orders[slot, O_ORIGINAL] = -quantity
    orders[slot, O_STOP if stopped else O_LIMIT] = stop if stopped else target
    codes[slot, C_DECIDED], codes[slot, C_REDUCE] = flags[s, T_DECIDED], 1
    codes[slot, C_BORN] = k.counters[STAMP]
    done = fill(m, k, t, slot, -quantity, (reference, stopped, rules[2]))
    carry_on(m, k, t, slot, -quantity, (done, False))
    if codes[slot, C_STATUS] == OPEN_ORDER:
        codes[slot, C_KIND], codes[slot, C_ACTIVE] = MARKET, t + 1
        flags[s, EXIT_ORDER] = flags[s, TOUCHED] = codes[slot, C_ID]


@compiled
def protect_all(m: Market, k: Book, t: int, part: int) -> None:
    """Protective exits of everything that was held when this part of the bar began."""
    counters = k.counters
    stage = AT_OPEN if part == POINT else INSIDE
    i = 0
    while i < counters[N_HELD]:
        s = k.held[i]
        bar = quote(m, t, s, part)
        if not (np.isnan(bar[1]) or np.isnan(bar[2])):  # an unknown open passes nothing
            protect(m, k, t, s, bar, (True, True, stage))
        if i < counters[N_HELD] and k.held[i] == s:
            i += 1


@compiled
def reference_of(m: Market, k: Book, t: int, slot: int, at_open: bool) -> tuple[float, bool]:
    """Price of a market order at its own time, of a resting one at the open; NaN: none."""
    codes = k.codes
    s = codes[slot, C_SYMBOL]
    if codes[slot, C_KIND] != MARKET:
        if not at_open:
            return np.nan, True
        bar = quote(m, t, s, POINT)
        return touch(m, k, slot, bar)
    model = m.switches[MODEL]
    if at_open:
        return (m.open[t, s] if model == NEXT_OPEN else np.nan), True
    if model == NEXT_VWAP:
        return (m.open[t, s] + m.high[t, s] + m.low[t, s] + m.close[t, s]) / 4.0, True
    return m.close[t, s], True


@compiled
def batch(m: Market, k: Book, t: int, at_open: bool) -> None:
    """Fill what fills at one instant: reductions first, then entries, the strongest first."""
    orders, codes = k.orders, k.codes
    stage, n, ready = AT_OPEN if at_open else AT_CLOSE, k.counters[N_OPEN], 0
    for slot in range(n):
        if not is_live(k, t, slot):
            continue
        reference, taker = reference_of(m, k, t, slot, at_open)
        if np.isnan(reference):
            continue
        execute(m, k, t, slot, (reference, taker, stage), False)
        if codes[slot, C_STATUS] == OPEN_ORDER:
            j = ready
            while j > 0 and orders[k.scratch[j - 1], O_STRENGTH] < orders[slot, O_STRENGTH]:
                k.scratch[j] = k.scratch[j - 1]
                j -= 1
            k.scratch[j] = slot
            ready += 1
    if at_open:
        protect_all(m, k, t, POINT)
    for i in range(ready):
        slot = k.scratch[i]
        if codes[slot, C_STATUS] == OPEN_ORDER:
            reference, taker = reference_of(m, k, t, slot, at_open)
            execute(m, k, t, slot, (reference, taker, stage), True)


@compiled
def inside(m: Market, k: Book, t: int, part: int) -> None:
    """One part of the bar after its open: protective exits, then stop orders, then limit orders."""
    codes, counters = k.codes, k.counters
    counters[STAMP] += 1
    protect_all(m, k, t, part)
    optimistic = m.switches[OPTIMISTIC] == 1
    for turn in range(2):
        stops = (turn == 0) != optimistic
        for slot in range(counters[N_OPEN]):
            kind = codes[slot, C_KIND]
            if kind == MARKET or not is_live(k, t, slot):
                continue
            if stops != (kind in (STOP, TRAILING, STOP_LIMIT)):
                continue
            s = codes[slot, C_SYMBOL]
            bar = quote(m, t, s, part)
            if np.isnan(bar[1]) or np.isnan(bar[2]):
                continue
            reference, taker = touch(m, k, slot, bar)
            if np.isnan(reference):
                continue
            opened = execute(m, k, t, slot, (reference, taker, INSIDE), True)
            if opened > 0.0 and not optimistic:
                guard(m, k, t, slot, (reference, bar[1], bar[2]))


@compiled
def guard(m: Market, k: Book, t: int, slot: int, bar: tuple[float, float, float]) -> None:
    """Protect what was opened inside a bar for the rest of it.

    A stop that the bar touched counts as met. A target counts only after a stop entry, whose price
    moved toward it; after a limit entry its touch may have come before. A bracket that is not met
    is at work from the next part of the bar on.
    """
    codes = k.codes
    s, by_stop = codes[slot, C_SYMBOL], codes[slot, C_KIND] in (STOP, TRAILING)
    n = k.counters[N_OPEN]
    for child in range(n):
        mine = codes[child, C_GROUP] == -codes[slot, C_ID] and codes[child, C_GROUP] != 0
        if not mine or codes[child, C_STATUS] != OPEN_ORDER:
            continue
        if codes[child, C_KIND] == LIMIT and not by_stop:
            continue
        reference, taker = touch(m, k, child, bar)
        if not np.isnan(reference):
            execute(m, k, t, child, (reference, taker, INSIDE), False)
    if k.symbols[s, QUANTITY] != 0.0:
        protect(m, k, t, s, bar, (True, by_stop, INSIDE))
