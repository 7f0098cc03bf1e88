"""Records of trades, from the first fill of a position to its last."""

import numpy as np

from quant_assets.quant.simulation.execution.book import (
    Book,
    Market,
)
from quant_assets.quant.simulation.execution.event_kernel.compiling import (
    compiled,
    compiled_door,
)
from quant_assets.quant.simulation.execution.event_kernel.exits import (
    arm,
)
from quant_assets.quant.simulation.execution.event_kernel.fields import (
    BOUGHT,
    C_DECIDED,
    C_REASON,
    C_REDUCE,
    C_SIDE,
    C_SYMBOL,
    C_TAG,
    COOL_DOWN,
    COOL_UNTIL,
    ENTRY_BAR,
    ENTRY_NOTIONAL,
    FLOW,
    GAPS,
    HEAT,
    HELD_AT,
    HIGHEST,
    LAST_TRADE,
    LOWEST,
    N_HELD,
    N_OPEN,
    N_TRADE_IDS,
    N_TRADES,
    NOTHING_LEFT,
    NOW,
    O_STRENGTH,
    ORDER,
    ORDER_STOP,
    PEAK,
    RESIZE,
    STOP_AT,
    T_DECIDED,
    T_DRAWDOWN,
    T_EQUITY,
    T_HEAT,
    T_ID,
    T_IMPACT,
    T_STRENGTH,
    T_TAG,
    TARGET_AT,
    TRADED_NOTIONAL,
)
from quant_assets.quant.simulation.execution.event_kernel.orders import (
    finish,
)


@compiled_door
def fill_quality(m: Market, place: tuple[int, int], amount: float, price: float) -> float:
    """Share of volume beyond 1 %, and distance outside the bar beyond 0 of 1 %, lower it from 1."""
    t, s = place
    score, volume = 1.0, m.volume[t, s]
    if volume > 0.0:
        score -= min(max(amount / volume - 0.01, 0.0) / 0.99, 1.0)
    outside = max(price - m.high[t, s], m.low[t, s] - price, 0.0)
    if outside > 0.0:
        score *= max(0.0, 1.0 - outside / (0.01 * price))
    return score


@compiled
def open_trade(m: Market, k: Book, t: int, slot: int, price: float) -> None:
    """Start the record of a trade: what the account looked like before its first fill."""
    codes, counters, symbols, flags, account = k.codes, k.counters, k.symbols, k.flags, k.account
    s = codes[slot, C_SYMBOL]
    flags[s, HELD_AT] = counters[N_HELD]
    k.held[counters[N_HELD]] = s
    counters[N_HELD] += 1
    counters[N_TRADE_IDS] += 1
    for field in range(BOUGHT, TRADED_NOTIONAL + 1):
        symbols[s, field] = 0.0
    flags[s, T_ID], flags[s, ENTRY_BAR] = counters[N_TRADE_IDS], t
    flags[s, T_DECIDED], flags[s, GAPS] = codes[slot, C_DECIDED], 0
    flags[s, T_TAG] = codes[slot, C_TAG]
    symbols[s, HIGHEST] = symbols[s, LOWEST] = price
    symbols[s, ORDER_STOP] = np.nan
    symbols[s, T_EQUITY], symbols[s, T_HEAT] = account[NOW], account[HEAT]
    symbols[s, T_DRAWDOWN] = max(0.0, 1.0 - account[NOW] / account[PEAK])
    symbols[s, T_STRENGTH] = k.orders[slot, O_STRENGTH]
    arm(m, k, t, slot, price)


@compiled
def close_trade(m: Market, k: Book, t: int, slot: int) -> None:
    """Log the trade of a symbol that is flat again, and forget its exits."""
    codes, counters, symbols, flags = k.codes, k.counters, k.symbols, k.flags
    s, i = codes[slot, C_SYMBOL], counters[N_TRADES]
    log_trade(k, i, s, t, -codes[slot, C_SIDE], codes[slot, C_REASON])
    flags[s, LAST_TRADE] = i
    counters[N_TRADES] = i + 1
    if symbols[s, FLOW] < 0.0:
        flags[s, COOL_UNTIL] = t + m.switches[COOL_DOWN]
    last = k.held[counters[N_HELD] - 1]
    k.held[flags[s, HELD_AT]], flags[last, HELD_AT] = last, flags[s, HELD_AT]
    flags[s, HELD_AT] = -1
    counters[N_HELD] -= 1
    symbols[s, STOP_AT] = symbols[s, TARGET_AT] = np.nan
    for other in range(counters[N_OPEN]):
        reason = codes[other, C_REASON]
        goes = reason == RESIZE or (codes[other, C_REDUCE] == 1 and reason != ORDER)
        if other != slot and codes[other, C_SYMBOL] == s and goes:
            finish(k, t, other, NOTHING_LEFT)


@compiled
def log_trade(k: Book, i: int, s: int, t: int, side: int, reason: int) -> None:
    """Write row i of the trades from the record of symbol s."""
    symbols, flags = k.symbols, k.flags
    row = k.trades
    row[i, 0], row[i, 1], row[i, 2] = flags[s, T_ID], s, side
    row[i, 3], row[i, 4], row[i, 5] = flags[s, T_DECIDED], flags[s, ENTRY_BAR], t
    for field in range(BOUGHT, T_IMPACT + 1):
        row[i, 6 + field - BOUGHT] = symbols[s, field]
    for field in range(HIGHEST, T_STRENGTH + 1):
        row[i, 17 + field - HIGHEST] = symbols[s, field]
    row[i, 24], row[i, 25], row[i, 26] = flags[s, GAPS], reason, flags[s, T_TAG]
    row[i, 27], row[i, 28] = symbols[s, ENTRY_NOTIONAL], symbols[s, TRADED_NOTIONAL]
