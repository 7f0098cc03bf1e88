"""What ends the trading of an account for a while, and of a position for good."""

from quant_assets.quant.simulation.execution.book import Book, Market
from quant_assets.quant.simulation.execution.event_kernel.compiling import compiled
from quant_assets.quant.simulation.execution.event_kernel.fields import (
    BLOCKED,
    C_REDUCE,
    DAILY_HALT,
    DAILY_LOSS,
    DAY_START,
    DRAWDOWN_HALT,
    HALT_BARS,
    HALT_DRAWDOWN,
    HALT_SINCE,
    HALTED,
    IN_HALT,
    N_HELD,
    N_OPEN,
    NOW,
    PEAK,
    RESUME_DRAWDOWN,
    TIME_EXIT,
    TIME_STOP,
)
from quant_assets.quant.simulation.execution.event_kernel.orders import exit_order, finish


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
