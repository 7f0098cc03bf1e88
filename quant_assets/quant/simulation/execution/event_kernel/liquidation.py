"""Margin at the worst prices of a bar."""

import numpy as np

from quant_assets.quant.simulation.execution.book import (
    Book,
    Market,
)
from quant_assets.quant.simulation.execution.event_kernel.carry import (
    pay,
)
from quant_assets.quant.simulation.execution.event_kernel.compiling import (
    compiled,
)
from quant_assets.quant.simulation.execution.event_kernel.fields import (
    AVERAGE,
    C_REDUCE,
    C_SYMBOL,
    CASH,
    DERIVATIVE,
    ENTRY_BAR,
    FILLED,
    HIGHEST,
    LEVEL,
    LIQUIDATION,
    LIQUIDATION_FEE,
    LOWEST,
    MARKET,
    MULTIPLIER,
    N_FILLS,
    N_HELD,
    N_OPEN,
    NOW,
    O_ORIGINAL,
    O_QUANTITY,
    PENALTY,
    QUANTITY,
)
from quant_assets.quant.simulation.execution.event_kernel.fills import (
    move,
)
from quant_assets.quant.simulation.execution.event_kernel.orders import (
    finish,
    new_order,
)
from quant_assets.quant.simulation.execution.event_kernel.trades import (
    close_trade,
)
from quant_assets.quant.simulation.execution.event_kernel.valuation import (
    profit,
    revalue,
    row_of,
    worth,
)


@compiled
def on_the_way(m: Market, k: Book, t: int, s: int, share: float) -> float:
    """Price that has gone `share` of the way from the open, or a fill of this bar, to the worst."""
    worst = m.low[t, s] if k.symbols[s, QUANTITY] > 0.0 else m.high[t, s]
    begin = k.symbols[s, LEVEL]
    if k.flags[s, ENTRY_BAR] < t and not np.isnan(m.open[t, s]):
        begin = m.open[t, s]
    return begin if np.isnan(worst) else begin + share * (worst - begin)


@compiled
def stressed(m: Market, k: Book, t: int, share: float) -> float:
    """Equity less maintenance margin when prices have gone `share` of the way to their worst."""
    symbols = k.symbols
    instruments = m.instruments
    left = k.account[CASH]
    for i in range(k.counters[N_HELD]):
        s = k.held[i]
        quantity, price = symbols[s, QUANTITY], on_the_way(m, k, t, s, share)
        fx, notional = m.fx[row_of(m.fx, t), s], abs(quantity) * worth(m, t, s, price)
        if instruments[s, DERIVATIVE] != 0.0:
            left += quantity * fx * profit(m, s, symbols[s, AVERAGE], price)
        else:
            left += quantity * fx * instruments[s, MULTIPLIER] * price
        rate, deduction = 0.0, 0.0
        for tier in range(m.margin.shape[2]):
            if notional >= m.margin[0, s, tier]:
                rate, deduction = m.margin[1, s, tier], m.margin[2, s, tier]
        left -= notional * rate - deduction
    return left


@compiled
def fee_of(m: Market, t: int, s: int, quantity: float, price: float) -> float:
    """Penalty of closing so much at this price."""
    return abs(quantity) * worth(m, t, s, price) * m.rules[LIQUIDATION_FEE]


@compiled
def close_out(m: Market, k: Book, t: int, s: int) -> float:
    """Fill all of `s` at its level; return the penalty that is due for it."""
    orders, symbols = k.orders, k.symbols
    quantity, price = symbols[s, QUANTITY], symbols[s, LEVEL]
    slot = new_order(k, t, s, MARKET, -1 if quantity > 0.0 else 1, LIQUIDATION)
    orders[slot, O_QUANTITY] = orders[slot, O_ORIGINAL] = -quantity
    k.codes[slot, C_REDUCE] = 1
    move(m, k, t, slot, -quantity, (price, price, 0.0, True))
    symbols[s, HIGHEST] = max(symbols[s, HIGHEST], price)
    symbols[s, LOWEST] = min(symbols[s, LOWEST], price)
    return fee_of(m, t, s, quantity, price)


@compiled
def margin_call(m: Market, k: Book, t: int) -> None:
    """Close everything at the prices at which equity meets the maintenance margin, if it does.

    The penalty takes no more than what is left after that. Bars that open beyond these prices are
    closed at their opens: equity may be below 0 then, by the prices alone.
    """
    if stressed(m, k, t, 1.0) > 0.0:
        return
    low, high = 0.0, 1.0
    if stressed(m, k, t, 0.0) <= 0.0:
        high = 0.0
    else:
        for _ in range(60):
            middle = 0.5 * (low + high)
            if stressed(m, k, t, middle) > 0.0:
                low = middle
            else:
                high = middle
    counters, symbols = k.counters, k.symbols
    n, first_slot, first_fill, due = counters[N_HELD], counters[N_OPEN], counters[N_FILLS], 0.0
    for i in range(n):
        revalue(m, k, t, k.held[i], on_the_way(m, k, t, k.held[i], high))
    for i in range(n):
        due += close_out(m, k, t, k.held[n - 1 - i])
    share = min(1.0, max(k.account[NOW], 0.0) / due) if due > 0.0 else 0.0
    for i in range(n):
        slot = first_slot + i
        s = k.codes[slot, C_SYMBOL]
        penalty = share * fee_of(m, t, s, k.orders[slot, O_ORIGINAL], symbols[s, LEVEL])
        pay(k, s, -penalty, PENALTY)
        k.fills[first_fill + i, 9] = penalty
        close_trade(m, k, t, slot)
        finish(k, t, slot, FILLED)
