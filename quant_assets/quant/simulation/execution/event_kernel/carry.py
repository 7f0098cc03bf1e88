"""What standing positions and cash cost or earn: borrow, interest, funding."""

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
    BEFORE,
    BEFORE_BAR,
    BORROW,
    BORROW_RATE,
    CASH,
    CASH_RATE,
    DEBIT_RATE,
    DERIVATIVE,
    DUE_AT_CLOSE,
    ENTRY_BAR,
    EVENT,
    FLOW,
    FUNDING,
    INTEREST,
    LAST_TRADE,
    LEVEL,
    N_HELD,
    NOW,
    PENALTY,
    QUANTITY,
    REBATE,
    SHORT,
    STAGE,
    T_BORROW,
    T_FUNDING,
    T_PENALTY,
)
from quant_assets.quant.simulation.execution.event_kernel.valuation import (
    worth,
)


@compiled
def pay(k: Book, s: int, amount: float, kind: int) -> None:
    """Add `amount` to cash and to the flow of the open trade; `kind` is the account's total."""
    symbols, account = k.symbols, k.account
    account[CASH] += amount
    account[NOW] += amount
    symbols[s, FLOW] += amount
    if kind == FUNDING:
        account[FUNDING] += amount
        symbols[s, T_FUNDING] += amount
    elif kind == BORROW:
        account[BORROW] -= amount
        symbols[s, T_BORROW] -= amount
    else:
        account[PENALTY] -= amount
        symbols[s, T_PENALTY] -= amount


@compiled
def carry(m: Market, k: Book, t: int) -> None:
    """Borrow on the previous close of what is short, interest on cash, ACT/365.

    Own cash is what is left without the value of shorts: it lies with the lender as collateral.
    """
    symbols, account = k.symbols, k.account
    rules, instruments = m.rules, m.instruments
    share = m.days[t] / 365.0
    if share <= 0.0:
        return
    own, lent = account[CASH], 0.0
    if account[SHORT] > 0.0:
        for i in range(k.counters[N_HELD]):
            s = k.held[i]
            if symbols[s, QUANTITY] < 0.0 and instruments[s, DERIVATIVE] == 0.0:
                lent -= symbols[s, QUANTITY] * worth(m, t, s, symbols[s, LEVEL])
        own -= lent
    rate = rules[CASH_RATE] if own > 0.0 else rules[DEBIT_RATE]
    interest = own * rate * share + lent * rules[REBATE] * share
    account[INTEREST] += interest
    account[CASH] += interest
    account[NOW] += interest
    for i in range(k.counters[N_HELD]):
        s = k.held[i]
        if symbols[s, QUANTITY] < 0.0 and instruments[s, BORROW_RATE] != 0.0:
            value = -symbols[s, QUANTITY] * worth(m, t, s, symbols[s, LEVEL])
            pay(k, s, -value * instruments[s, BORROW_RATE] * share, BORROW)


@compiled
def settle(m: Market, k: Book, t: int, last: int) -> None:
    """Pay the funding of bar t up to the due kind `last`: - quantity x mark x rate."""
    counters, symbols, flags = k.counters, k.symbols, k.flags
    i = counters[EVENT]
    while i < m.funding_place.shape[0] and m.funding_place[i, 0] <= t:
        due, s = m.funding_place[i, 1], m.funding_place[i, 2]
        if m.funding_place[i, 0] == t:
            if due > last:
                break
            quantity, ended = symbols[s, QUANTITY], False
            if due == DUE_AT_CLOSE and flags[s, BEFORE_BAR] == t - 1:
                quantity = symbols[s, BEFORE]
                new = flags[s, ENTRY_BAR] == t - 1 and flags[s, STAGE] == AT_CLOSE
                ended = symbols[s, QUANTITY] == 0.0 or new
            if quantity != 0.0:
                mark = m.funding_rate[i, 1]
                mark = symbols[s, LEVEL] if np.isnan(mark) else mark
                amount = -quantity * worth(m, t, s, mark) * m.funding_rate[i, 0]
                pay(k, s, amount, FUNDING)
                if ended:  # by the fill at that close: it belongs to the trade before
                    symbols[s, FLOW] -= amount
                    symbols[s, T_FUNDING] -= amount
                    if flags[s, LAST_TRADE] >= 0:  # else it is in the log of the window before
                        k.trades[flags[s, LAST_TRADE], 10] += amount
                        k.trades[flags[s, LAST_TRADE], 14] += amount
        i += 1
    counters[EVENT] = i
