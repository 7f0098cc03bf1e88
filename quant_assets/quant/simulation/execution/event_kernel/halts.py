"""What ends the trading of an account for a while, of a position or of a symbol for good."""

from quant_assets.quant.simulation.execution.book import Book, Market
from quant_assets.quant.simulation.execution.event_kernel.compiling import compiled
from quant_assets.quant.simulation.execution.event_kernel.fields import (
    BLOCKED,
    C_REDUCE,
    C_SIDE,
    C_SYMBOL,
    CLOSES_LEFT,
    DAILY_HALT,
    DAILY_LOSS,
    DAY_START,
    DRAWDOWN_HALT,
    HALT_BARS,
    HALT_DRAWDOWN,
    HALT_SINCE,
    HALTED,
    IN_HALT,
    LEFT_UNIVERSE,
    N_HELD,
    N_OPEN,
    NOW,
    OUTSIDE,
    PEAK,
    QUANTITY,
    RESUME_DRAWDOWN,
    TIME_EXIT,
    TIME_STOP,
)
from quant_assets.quant.simulation.execution.event_kernel.orders import (
    exit_order,
    finish,
    first_bar,
    leave,
)


@compiled
def watch(m: Market, k: Book, t: int) -> None:
    """Drawdown halt, daily loss and time stops at the close."""
    counters, account = k.counters, k.account
    rules = m.rules
    equity = account[NOW]
    drop = 1.0 - equity / account[PEAK]
    if counters[HALTED] == 1:
        waited = t - counters[HALT_SINCE] >= m.switches[HALT_BARS]
        if drop < rules[RESUME_DRAWDOWN] or waited:
            counters[HALTED] = 0
            account[PEAK] = equity if waited else account[PEAK]
    elif drop >= rules[HALT_DRAWDOWN]:
        counters[HALTED], counters[HALT_SINCE] = 1, t
    if equity <= account[DAY_START] * (1.0 - rules[DAILY_LOSS]):
        counters[BLOCKED] = 1
    stopped = counters[HALTED] == 1 or counters[BLOCKED] == 1
    if stopped:
        for slot in range(counters[N_OPEN]):
            if k.codes[slot, C_REDUCE] == 0:
                finish(k, t, slot, IN_HALT)
    for i in range(counters[N_HELD]):
        s = k.held[i]
        if stopped:
            exit_order(m, k, t, s, DRAWDOWN_HALT if counters[HALTED] == 1 else DAILY_HALT)
        elif t >= k.flags[s, TIME_EXIT]:
            exit_order(m, k, t, s, TIME_STOP)


@compiled
def leave_universe(m: Market, k: Book, t: int) -> None:
    """In symbols that are known to be no members at the close: no order opens, positions end.

    Where positions are kept, an order against one goes on to reduce it. An order is cancelled at
    once, as in a halt; where decisions reach the market later, so do cancels.
    """
    codes, closes = k.codes, m.switches[CLOSES_LEFT] == 1
    for slot in range(k.counters[N_OPEN]):
        s = codes[slot, C_SYMBOL]
        if m.member[t, s] != 0 or codes[slot, C_REDUCE] != 0:
            continue
        if not closes and k.symbols[s, QUANTITY] * codes[slot, C_SIDE] < 0.0:
            codes[slot, C_REDUCE] = 1
        elif first_bar(m, t, False) > t + 1:
            leave(m, k, t, slot)
        else:
            finish(k, t, slot, OUTSIDE)
    for i in range(k.counters[N_HELD]):
        s = k.held[i]
        if closes and m.member[t, s] == 0:
            exit_order(m, k, t, s, LEFT_UNIVERSE)
