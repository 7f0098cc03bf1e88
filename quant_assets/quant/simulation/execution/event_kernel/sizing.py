"""Sizes of orders that are sized when they fill."""

from quant_assets.quant.simulation.execution.book import (
    Book,
    Market,
)
from quant_assets.quant.simulation.execution.event_kernel.compiling import (
    compiled,
)
from quant_assets.quant.simulation.execution.event_kernel.costs import (
    price_of,
    within_budget,
)
from quant_assets.quant.simulation.execution.event_kernel.exits import (
    first_stop,
)
from quant_assets.quant.simulation.execution.event_kernel.fields import (
    BY_NO_STOP,
    BY_RUIN,
    C_DECIDED,
    C_ID,
    C_REASON,
    C_SIDE,
    C_SYMBOL,
    C_UNIT,
    LIMIT_CUT,
    LOT,
    NOW,
    O_SIZE,
    QUANTITY,
)
from quant_assets.quant.simulation.execution.event_kernel.orders import (
    veto,
)
from quant_assets.quant.simulation.execution.event_kernel.valuation import (
    floored,
    profit,
    row_of,
    worth,
)
from quant_assets.quant.simulation.execution.terms import (
    EQUITY_FRACTION,
    NOTIONAL,
    RISK_FRACTION,
    UNITS,
)


@compiled
def size_order(m: Market, k: Book, t: int, slot: int, fill: tuple[float, bool]) -> float:
    """Signed units of an order that is sized when it fills."""
    codes = k.codes
    s, side, unit = codes[slot, C_SYMBOL], codes[slot, C_SIDE], codes[slot, C_UNIT]
    size, reference = k.orders[slot, O_SIZE], fill[0]
    equity = k.account[NOW]
    if unit == UNITS:
        return side * size
    if unit == NOTIONAL:
        amount = size / worth(m, t, s, reference)
        price = price_of(m, (t, s), amount, side, fill)
        return side * size / worth(m, t, s, price)
    if unit == EQUITY_FRACTION:
        amount = within_budget(m, k, (t, s, slot), size * equity, fill)
        if amount <= 0.0 < size:
            veto(k, (t, s, codes[slot, C_ID]), BY_RUIN, size, 0.0)
        return side * amount
    if unit == RISK_FRACTION:
        stop, _ = first_stop(m, codes[slot, C_DECIDED], s, reference, side)
        loss = -side * profit(m, s, reference, stop) * m.fx[row_of(m.fx, t), s]
        if not loss > 0.0:
            veto(k, (t, s, codes[slot, C_ID]), BY_NO_STOP, size, 0.0)
            return 0.0
        return side * max(0.0, size * equity) / loss
    wanted = size * equity / worth(m, t, s, reference)
    if codes[slot, C_REASON] == LIMIT_CUT:  # no lot more than what may be kept
        kept = floored(abs(wanted), m.instruments[s, LOT])
        wanted = kept if wanted > 0.0 else -kept
    return wanted - k.symbols[s, QUANTITY]
