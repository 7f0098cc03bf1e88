"""Worth of positions and of the account."""

import numpy as np

from quant_assets.quant.simulation.execution.book import (
    Book,
    Floats,
    Market,
)
from quant_assets.quant.simulation.execution.event_kernel.compiling import (
    compiled,
)
from quant_assets.quant.simulation.execution.event_kernel.fields import (
    AVERAGE,
    BORROW,
    CASH,
    COMMISSION,
    DERIVATIVE,
    EQUITY,
    EXPECTED,
    FUNDING,
    GAIN,
    IDENTITY_TOLERANCE,
    INTEREST,
    INVERSE,
    LEVEL,
    LEVEL_FX,
    LONG,
    LOT_ROUNDING,
    MULTIPLIER,
    N_HELD,
    NOW,
    PENALTY,
    QUANTITY,
    SHORT,
    SLIPPAGE,
)


@compiled
def row_of(values: Floats, t: int) -> int:
    """Row of bar t in an array `(time or 1, symbol)`."""
    return t if values.shape[0] > 1 else 0


@compiled
def floored(amount: float, lot: float) -> float:
    """`amount` rounded down to lots; unchanged for lot size 0."""
    if lot <= 0.0:
        return amount
    lots: float = np.floor(amount / lot + LOT_ROUNDING)
    return lots * lot


@compiled
def worth(m: Market, t: int, s: int, price: float) -> float:
    """Notional of one unit at `price`, in the account's money."""
    instruments = m.instruments
    scale = instruments[s, MULTIPLIER] * m.fx[row_of(m.fx, t), s]
    return scale / price if instruments[s, INVERSE] != 0.0 else scale * price


@compiled
def profit(m: Market, s: int, entry: float, price: float) -> float:
    """Gain of one unit from `entry` to `price`, in the money that the contract settles in."""
    instruments = m.instruments
    if instruments[s, INVERSE] != 0.0:
        return instruments[s, MULTIPLIER] * (1.0 / entry - 1.0 / price)
    return instruments[s, MULTIPLIER] * (price - entry)


@compiled
def position_value(m: Market, k: Book, t: int, s: int) -> float:
    """What the position adds to cash in equity: its price, or the profit of a derivative."""
    symbols = k.symbols
    instruments = m.instruments
    fx = m.fx[row_of(m.fx, t), s]
    quantity, level = symbols[s, QUANTITY], symbols[s, LEVEL]
    if instruments[s, DERIVATIVE] != 0.0:
        return quantity * fx * profit(m, s, symbols[s, AVERAGE], level)
    return quantity * fx * instruments[s, MULTIPLIER] * level


@compiled
def revalue(m: Market, k: Book, t: int, s: int, price: float) -> None:
    """Move the level of a position to `price`; gain, equity and exposure follow."""
    symbols, account = k.symbols, k.account
    instruments = m.instruments
    quantity, fx = symbols[s, QUANTITY], m.fx[row_of(m.fx, t), s]
    old, old_fx = symbols[s, LEVEL], symbols[s, LEVEL_FX]
    symbols[s, LEVEL], symbols[s, LEVEL_FX] = price, fx
    if quantity == 0.0:  # pragma: no cover  # nobody asks so far
        return
    if instruments[s, DERIVATIVE] != 0.0:
        average, scale = symbols[s, AVERAGE], instruments[s, MULTIPLIER]
        gain = quantity * (profit(m, s, average, price) * fx - profit(m, s, average, old) * old_fx)
        change = price * fx - old * old_fx
        if instruments[s, INVERSE] != 0.0:
            change = fx / price - old_fx / old
        change *= abs(quantity) * scale
    else:
        gain = quantity * instruments[s, MULTIPLIER] * (price * fx - old * old_fx)
        change = gain if quantity > 0.0 else -gain
    account[GAIN] += gain
    account[NOW] += gain
    account[LONG if quantity > 0.0 else SHORT] += change


@compiled
def revalue_all(m: Market, k: Book, t: int, at_close: bool) -> None:
    """Move all levels to the open or the close of the bar, where there is one."""
    for i in range(k.counters[N_HELD]):
        s = k.held[i]
        price = m.close[t, s] if at_close else m.open[t, s]
        if not np.isnan(price):
            revalue(m, k, t, s, price)


@compiled
def balance(a: Floats, value: float) -> bool:
    """Write the equity of the close, from balances; whether profit and loss agree with it."""
    expected = a[EQUITY] + a[GAIN] - a[COMMISSION] - a[SLIPPAGE] - a[BORROW] - a[PENALTY]
    expected += a[INTEREST] + a[FUNDING]
    equity = a[CASH] + value
    scale = max(abs(equity), abs(a[CASH]), a[LONG] + a[SHORT], abs(a[EQUITY]))
    a[EXPECTED] = expected
    a[NOW] = equity
    return abs(expected - equity) <= IDENTITY_TOLERANCE * scale
