"""What held positions have become by their prices: cut back to limits, resized to their sizes.

Both decide at the close, after the strategy; the orders are weights of equity, sized when they
fill.
"""

import numpy as np

from quant_assets.quant.simulation.execution.book import (
    Book,
    Market,
)
from quant_assets.quant.simulation.execution.event_kernel.compiling import (
    compiled,
)
from quant_assets.quant.simulation.execution.event_kernel.fields import (
    BEYOND,
    C_ACTIVE,
    C_DECIDED,
    C_EXPIRES,
    C_ID,
    C_REASON,
    C_REDUCE,
    C_STATUS,
    C_SYMBOL,
    C_UNIT,
    CUT_DRAWDOWN,
    DRIFT_GROSS,
    DRIFT_NET,
    DRIFT_POSITION,
    DRIFT_SECTOR,
    ENTRY_BAR,
    ENTRY_ORDER,
    EXIT_ORDER,
    HELD_GROSS,
    HELD_NET,
    HELD_POSITION,
    HELD_SECTOR,
    INVERSE,
    KEPT,
    LEAST,
    LEVEL,
    LEVERAGE,
    LIMIT_CUT,
    LONG,
    MARKET,
    MAX_POSITION,
    MULTIPLIER,
    N_HELD,
    N_OPEN,
    NOW,
    O_QUANTITY,
    O_SIZE,
    OPEN_ORDER,
    PEAK,
    QUANTITY,
    REPLACED,
    RESIZE,
    RESIZE_BAND,
    RESIZE_BARS,
    SECTOR,
    SHORT,
    STANDING,
    TIME_TO_LIVE,
    WEIGHT,
)
from quant_assets.quant.simulation.execution.event_kernel.limits import (
    refused,
)
from quant_assets.quant.simulation.execution.event_kernel.orders import (
    finish,
    first_bar,
    new_order,
)
from quant_assets.quant.simulation.execution.event_kernel.valuation import (
    row_of,
    worth,
)


@compiled
def has_drift_limits(m: Market) -> bool:
    """Whether any position is cut back after its entry."""
    rules = m.rules
    least = min(rules[DRIFT_POSITION], rules[DRIFT_GROSS], rules[DRIFT_NET], rules[DRIFT_SECTOR])
    limited: bool = least != np.inf
    return limited


@compiled
def is_beyond(m: Market, k: Book, largest: float) -> bool:
    """Whether anything may have to be cut; `largest`: notional of the largest position."""
    rules, account = m.rules, k.account
    equity, long, short = account[NOW] * BEYOND, account[LONG], account[SHORT]
    beyond: bool = largest > rules[DRIFT_POSITION] * equity
    beyond = beyond or long + short > rules[DRIFT_GROSS] * equity
    if beyond or rules[DRIFT_SECTOR] != np.inf:
        return True
    adds = k.counters[N_OPEN] > 0  # an order that closes may leave more of the other side
    limit = rules[DRIFT_NET]
    return limit != np.inf and (adds or abs(long - short) > limit * equity)


@compiled
def weight_order(m: Market, k: Book, t: int, s: int, weight: float, reason: int) -> int:
    """Slot of an order that brings what is held in `s` to a weight; one that reduces stays one."""
    codes, held = k.codes, k.symbols[s, QUANTITY]
    unit = worth(m, t, s, k.symbols[s, LEVEL])
    grows = abs(weight) * k.account[NOW] > abs(held) * unit
    side = 1 if (held > 0.0) == grows else -1
    slot = new_order(k, t, s, MARKET, side, reason)
    k.orders[slot, O_SIZE], codes[slot, C_UNIT] = weight, WEIGHT
    codes[slot, C_ACTIVE], codes[slot, C_REDUCE] = first_bar(m, t, True), 0 if grows else 1
    if grows:
        codes[slot, C_EXPIRES] = codes[slot, C_ACTIVE] + m.switches[TIME_TO_LIVE]
    return slot


@compiled
def will_stand(m: Market, k: Book, t: int) -> None:
    """Notional of each position after the orders that have not had a bar to fill on yet.

    Orders that close, weights that are smaller or on the other side. What waits for longer, as in a
    halt, may wait on: the position counts whole.
    """
    codes, symbols, equity = k.codes, k.symbols, k.account[NOW]
    for i in range(k.counters[N_HELD]):
        s = k.held[i]
        symbols[s, STANDING] = abs(symbols[s, QUANTITY]) * worth(m, t, s, symbols[s, LEVEL])
    for slot in range(k.counters[N_OPEN]):
        s = codes[slot, C_SYMBOL]
        fresh = codes[slot, C_DECIDED] == t or codes[slot, C_ACTIVE] > t
        if codes[slot, C_STATUS] != OPEN_ORDER or symbols[s, QUANTITY] == 0.0 or not fresh:
            continue
        if codes[slot, C_ID] == k.flags[s, EXIT_ORDER]:
            symbols[s, STANDING] = 0.0
        elif codes[slot, C_UNIT] == WEIGHT and np.isnan(k.orders[slot, O_QUANTITY]):
            weight = k.orders[slot, O_SIZE] * (1.0 if symbols[s, QUANTITY] > 0.0 else -1.0)
            symbols[s, STANDING] = min(symbols[s, STANDING], max(weight, 0.0) * equity)


@compiled
def group_total(m: Market, k: Book, first: int, sector: bool) -> float:
    """Notional that is kept of all positions, or of the sector of the one at `first`.

    0 where the sector has a position before it: it was looked at there.
    """
    total, own = 0.0, m.instruments[k.held[first], SECTOR]
    for i in range(k.counters[N_HELD]):
        s = k.held[i]
        if sector and m.instruments[s, SECTOR] != own:
            continue
        if sector and i < first:
            return 0.0
        total += k.symbols[s, KEPT]
    return total


@compiled
def scale_group(m: Market, k: Book, first: int, group: tuple[bool, int], factor: float) -> None:
    """Keep less of a group = (the sector of `first` alone, side or 0: both)."""
    sector, side = group
    for i in range(k.counters[N_HELD]):
        s = k.held[i]
        other = sector and m.instruments[s, SECTOR] != m.instruments[k.held[first], SECTOR]
        if not other and (side == 0 or k.symbols[s, QUANTITY] * side > 0.0):
            k.symbols[s, KEPT] *= factor


@compiled
def keep_within(m: Market, k: Book) -> None:
    """What the limits leave of each position: its own, its sector's, net, then gross.

    Later ones undo no earlier one: they only take from what those left, the last from all alike.
    """
    symbols, rules, n, equity = k.symbols, m.rules, k.counters[N_HELD], k.account[NOW]
    long, short = 0.0, 0.0
    for i in range(n):
        s = k.held[i]
        symbols[s, KEPT] = symbols[s, STANDING]
        if symbols[s, KEPT] > rules[DRIFT_POSITION] * equity * BEYOND:
            symbols[s, KEPT] = min(symbols[s, KEPT], rules[HELD_POSITION] * equity)
    if rules[DRIFT_SECTOR] != np.inf:
        for i in range(n):
            total = group_total(m, k, i, True)
            if total > rules[DRIFT_SECTOR] * equity * BEYOND:
                factor = min(1.0, rules[HELD_SECTOR] * equity / total)
                scale_group(m, k, i, (True, 0), factor)
    for i in range(n):
        s = k.held[i]
        if symbols[s, QUANTITY] > 0.0:
            long += symbols[s, KEPT]
        else:
            short += symbols[s, KEPT]
    if abs(long - short) > rules[DRIFT_NET] * equity * BEYOND:
        less, more, side = (short, long, 1) if long > short else (long, short, -1)
        factor = min(1.0, (less + rules[HELD_NET] * equity) / more)
        scale_group(m, k, 0, (False, side), factor)
    total = group_total(m, k, 0, False)
    if total > rules[DRIFT_GROSS] * equity * BEYOND:
        factor = min(1.0, rules[HELD_GROSS] * equity / total)
        scale_group(m, k, 0, (False, 0), factor)


@compiled
def cut_back(m: Market, k: Book, t: int) -> None:
    """Let orders wait that bring positions beyond a limit back into it."""
    codes, symbols, equity = k.codes, k.symbols, k.account[NOW]
    will_stand(m, k, t)
    keep_within(m, k)
    for i in range(k.counters[N_HELD]):
        s = k.held[i]
        if symbols[s, KEPT] >= symbols[s, STANDING] * (2.0 - BEYOND):
            continue
        unit = worth(m, t, s, symbols[s, LEVEL])
        contract = m.instruments[s, MULTIPLIER]
        contract *= 1.0 if m.instruments[s, INVERSE] != 0.0 else symbols[s, LEVEL]
        excess = abs(symbols[s, QUANTITY]) * unit - symbols[s, KEPT]
        waits = excess / unit * contract < m.instruments[s, LEAST]
        for slot in range(k.counters[N_OPEN]):
            if codes[slot, C_SYMBOL] != s or codes[slot, C_STATUS] != OPEN_ORDER:
                continue
            fresh = codes[slot, C_DECIDED] == t or codes[slot, C_ACTIVE] > t
            if codes[slot, C_ID] == k.flags[s, EXIT_ORDER] or (
                codes[slot, C_REASON] == LIMIT_CUT and not fresh
            ):
                waits = True
        if waits:
            continue
        for slot in range(k.counters[N_OPEN]):
            weight = codes[slot, C_UNIT] == WEIGHT and np.isnan(k.orders[slot, O_QUANTITY])
            if weight and codes[slot, C_SYMBOL] == s:
                finish(k, t, slot, REPLACED)
        side = 1.0 if symbols[s, QUANTITY] > 0.0 else -1.0
        weight_order(m, k, t, s, side * symbols[s, KEPT] / equity, LIMIT_CUT)


@compiled
def resize(m: Market, k: Book, t: int) -> None:
    """Let orders wait that bring positions to the sizes of this bar, where they differ by enough.

    Nothing is resized that is being opened or closed. A size beyond what one position may be counts
    as that.
    """
    codes, symbols, flags, account = k.codes, k.symbols, k.flags, k.account
    rules = m.rules
    for i in range(k.counters[N_HELD]):
        s = k.held[i]
        held = t - flags[s, ENTRY_BAR]
        busy = flags[s, EXIT_ORDER] != 0 or flags[s, ENTRY_ORDER] != 0
        if busy or held == 0 or held % m.switches[RESIZE_BARS] != 0 or np.isnan(m.close[t, s]):
            continue
        size = m.size[row_of(m.size, t), s]
        if not size > 0.0 or account[NOW] <= 0.0:
            continue
        size = min(size, rules[MAX_POSITION], rules[LEVERAGE])
        side = 1 if symbols[s, QUANTITY] > 0.0 else -1
        now = abs(symbols[s, QUANTITY]) * worth(m, t, s, symbols[s, LEVEL]) / account[NOW]
        if abs(now - size) <= rules[RESIZE_BAND] * size:
            continue
        cut = 1.0 - account[NOW] / account[PEAK] > rules[CUT_DRAWDOWN]
        if size > now and (cut or refused(m, k, t, s, side, size)):
            continue
        for slot in range(k.counters[N_OPEN]):
            if codes[slot, C_REASON] == RESIZE and codes[slot, C_SYMBOL] == s:
                finish(k, t, slot, REPLACED)
        weight_order(m, k, t, s, side * size, RESIZE)
