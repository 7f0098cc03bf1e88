"""Signals and target weights become open orders."""

import numpy as np

from quant_assets.quant.simulation.execution.book import (
    Book,
    Market,
)
from quant_assets.quant.simulation.execution.event_kernel.compiling import (
    compiled,
)
from quant_assets.quant.simulation.execution.event_kernel.fields import (
    BY_CUT,
    C_ACTIVE,
    C_EXPIRES,
    C_ID,
    C_KIND,
    C_REASON,
    C_SIDE,
    C_SYMBOL,
    C_UNIT,
    CALLED,
    CUT_DRAWDOWN,
    CUT_SCALE,
    ENTRY,
    ENTRY_ORDER,
    EXIT_SIGNAL,
    LIMIT,
    MARKET,
    N_OPEN,
    NOW,
    O_FILLED,
    O_LIMIT,
    O_SIZE,
    O_STOP,
    O_STRENGTH,
    PEAK,
    QUANTITY,
    REPLACED,
    REVERSAL,
    SIZE_UNIT,
    STOP,
    STOP_LIMIT,
    TARGET_WEIGHT,
    TIME_TO_LIVE,
    WEIGHT,
)
from quant_assets.quant.simulation.execution.event_kernel.limits import (
    refused,
)
from quant_assets.quant.simulation.execution.event_kernel.orders import (
    exit_order,
    finish,
    first_bar,
    new_order,
    veto,
)
from quant_assets.quant.simulation.execution.event_kernel.valuation import (
    row_of,
    worth,
)
from quant_assets.quant.simulation.execution.terms import (
    ENTER_LONG,
    ENTER_SHORT,
    EXIT_LONG,
    EXIT_SHORT,
)


@compiled
def entry_blocks(k: Book, t: int, s: int, at_market: bool) -> bool:
    """Whether a waiting entry of `s` stays; a resting one that was active is replaced."""
    codes, flags = k.codes, k.flags
    if flags[s, ENTRY_ORDER] == 0:
        return False
    for slot in range(k.counters[N_OPEN]):
        if codes[slot, C_ID] == flags[s, ENTRY_ORDER]:
            waits = codes[slot, C_KIND] == MARKET and at_market
            if waits or k.orders[slot, O_FILLED] > 0.0 or codes[slot, C_ACTIVE] > t:
                return True
            finish(k, t, slot, REPLACED)
            return False
    return False  # pragma: no cover  # an order that a flag names is in the book


@compiled
def replace_targets(k: Book, t: int, s: int) -> None:
    """Cancel what remains of older target weights of `s`."""
    codes = k.codes
    if k.flags[s, ENTRY_ORDER] == 0:
        return
    for slot in range(k.counters[N_OPEN]):
        older = codes[slot, C_REASON] == TARGET_WEIGHT and codes[slot, C_ACTIVE] <= t
        if older and codes[slot, C_SYMBOL] == s:
            finish(k, t, slot, REPLACED)


@compiled
def enter(m: Market, k: Book, t: int, s: int, side: int) -> None:
    """Turn an entry signal into an open order, unless a rule refuses."""
    orders, codes, account = k.orders, k.codes, k.account
    rules = m.rules
    limit = m.limit[row_of(m.limit, t), s] if m.limit.size else np.nan
    stop = m.stop[row_of(m.stop, t), s] if m.stop.size else np.nan
    at_market = np.isnan(limit) and np.isnan(stop)
    size = m.size[row_of(m.size, t), s]
    if not size > 0.0 or entry_blocks(k, t, s, at_market) or refused(m, k, t, s, side, size):
        return
    if 1.0 - account[NOW] / account[PEAK] > rules[CUT_DRAWDOWN]:
        veto(k, (t, s, 0), BY_CUT, size, size * rules[CUT_SCALE])
        size *= rules[CUT_SCALE]
    if k.symbols[s, QUANTITY] * side < 0.0:
        exit_order(m, k, t, s, REVERSAL)
    kind = MARKET
    if not at_market:
        kind = LIMIT if np.isnan(stop) else (STOP if np.isnan(limit) else STOP_LIMIT)
    slot = new_order(k, t, s, kind, side, ENTRY)
    orders[slot, O_SIZE], codes[slot, C_UNIT] = size, m.switches[SIZE_UNIT]
    orders[slot, O_LIMIT], orders[slot, O_STOP] = limit, stop
    if m.strength.size:
        strength = m.strength[row_of(m.strength, t), s]
        orders[slot, O_STRENGTH] = 1.0 if np.isnan(strength) else strength
    codes[slot, C_ACTIVE] = first_bar(m, t, at_market)
    if at_market:
        codes[slot, C_EXPIRES] = codes[slot, C_ACTIVE] + m.switches[TIME_TO_LIVE]
    k.flags[s, ENTRY_ORDER] = codes[slot, C_ID]


@compiled
def decide_signals(m: Market, k: Book, t: int) -> None:
    """Exits first, then entries, the strongest first."""
    codes, symbols, flags = k.codes, k.symbols, k.flags
    row = t if m.signal.shape[0] > 1 else 0
    n_entries = 0
    for s in range(m.signal.shape[1]):
        code = m.signal[row, s]
        if code == 0 or np.isnan(m.close[t, s]):
            continue
        held = symbols[s, QUANTITY]
        long = (code & ENTER_LONG) != 0 and (code & EXIT_LONG) == 0
        short = (code & ENTER_SHORT) != 0 and (code & EXIT_SHORT) == 0
        leaves = (held > 0.0 and (code & EXIT_LONG) != 0) or (
            held < 0.0 and (code & EXIT_SHORT) != 0
        )
        if flags[s, ENTRY_ORDER] != 0:
            for slot in range(k.counters[N_OPEN]):
                if codes[slot, C_ID] == flags[s, ENTRY_ORDER]:
                    side = codes[slot, C_SIDE]
                    ends = (code & (EXIT_LONG if side > 0 else EXIT_SHORT)) != 0
                    if ends:
                        finish(k, t, slot, REPLACED)
        if leaves:
            exit_order(m, k, t, s, EXIT_SIGNAL)
        if long == short:
            continue
        side = 1 if long else -1
        if held * side > 0.0:
            continue
        strength = m.strength[row_of(m.strength, t), s] if m.strength.size else 1.0
        symbols[s, CALLED] = 1.0 if np.isnan(strength) else strength
        j = n_entries
        while j > 0 and symbols[k.scratch[j - 1] // 2, CALLED] < symbols[s, CALLED]:
            k.scratch[j] = k.scratch[j - 1]
            j -= 1
        k.scratch[j] = 2 * s + (1 if long else 0)
        n_entries += 1
    for i in range(n_entries):
        s = k.scratch[i] // 2
        enter(m, k, t, s, 1 if k.scratch[i] % 2 == 1 else -1)


@compiled
def decide_targets(m: Market, k: Book, t: int) -> None:
    """One order per symbol with a target weight; it is sized when it fills."""
    orders, codes, flags, account = k.orders, k.codes, k.flags, k.account
    rules = m.rules
    row = row_of(m.target, t)
    for s in range(m.target.shape[1]):
        weight = m.target[row, s]
        if np.isnan(weight) or np.isnan(m.close[t, s]):
            continue
        held = k.symbols[s, QUANTITY]
        replace_targets(k, t, s)
        if weight == 0.0 and held == 0.0 and flags[s, ENTRY_ORDER] == 0:
            continue
        now = held * worth(m, t, s, m.close[t, s]) / account[NOW]
        side = 1 if weight > now else -1
        grows = weight * held < 0.0 or abs(weight) > abs(now)
        if grows and refused(m, k, t, s, side, weight):
            continue
        if grows and 1.0 - account[NOW] / account[PEAK] > rules[CUT_DRAWDOWN]:
            veto(k, (t, s, 0), BY_CUT, weight, weight * rules[CUT_SCALE])
            weight *= rules[CUT_SCALE]
        slot = new_order(k, t, s, MARKET, side, TARGET_WEIGHT)
        orders[slot, O_SIZE], codes[slot, C_UNIT] = weight, WEIGHT
        codes[slot, C_ACTIVE] = first_bar(m, t, True)
        if grows:
            codes[slot, C_EXPIRES] = codes[slot, C_ACTIVE] + m.switches[TIME_TO_LIVE]
        if m.strength.size:
            strength = m.strength[row_of(m.strength, t), s]
            orders[slot, O_STRENGTH] = 1.0 if np.isnan(strength) else strength
        flags[s, ENTRY_ORDER] = codes[slot, C_ID]
