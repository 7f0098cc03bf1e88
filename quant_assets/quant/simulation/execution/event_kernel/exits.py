"""Protective exits of positions: their prices, how they trail, what is lost at them."""

import numpy as np

from quant_assets.quant.simulation.execution.book import (
    Book,
    Market,
)
from quant_assets.quant.simulation.execution.event_kernel.compiling import (
    compiled,
)
from quant_assets.quant.simulation.execution.event_kernel.fields import (
    C_DECIDED,
    C_SIDE,
    C_SYMBOL,
    EXTREME,
    LEVEL,
    NEVER,
    O_LOSS,
    ORDER_STOP,
    QUANTITY,
    STOP_AT,
    TARGET_AT,
    TIME_EXIT,
    TRAIL_DISTANCE,
    TRAIL_PART,
    TRAILS,
)
from quant_assets.quant.simulation.execution.event_kernel.valuation import (
    profit,
    row_of,
    worth,
)
from quant_assets.quant.simulation.execution.terms import (
    STOP_FRACTION,
    TARGET_FRACTION,
    TIME_BARS,
    TRAIL_FRACTION,
    TRAIL_PRICE,
)


@compiled
def first_stop(m: Market, decided: int, s: int, price: float, side: int) -> tuple[float, bool]:
    """Tightest stop price of an entry at `price`, NaN without one; whether it trails."""
    tightest, trails = np.nan, False
    for r in range(m.exit_kind.size):
        kind = m.exit_kind[r]
        if kind > TRAIL_PRICE:
            continue
        level = m.exit_level[r, decided if m.exit_level.shape[1] > 1 else 0, s]
        distance = level * price if kind in (STOP_FRACTION, TRAIL_FRACTION) else level
        stop = price - side * distance
        if stop > 0.0 and (np.isnan(tightest) or side * stop > side * tightest):
            tightest, trails = stop, kind >= TRAIL_FRACTION
    return tightest, trails


@compiled
def arm(m: Market, k: Book, t: int, slot: int, price: float) -> None:
    """Set the protective exits of a position that was opened at `price`."""
    codes, symbols, flags = k.codes, k.symbols, k.flags
    s, decided = codes[slot, C_SYMBOL], codes[slot, C_DECIDED]
    side = codes[slot, C_SIDE]
    stop, trails = first_stop(m, decided, s, price, side)
    symbols[s, STOP_AT], flags[s, TRAILS] = stop, 1 if trails else 0
    symbols[s, TARGET_AT] = symbols[s, TRAIL_PART] = symbols[s, TRAIL_DISTANCE] = np.nan
    symbols[s, EXTREME], flags[s, TIME_EXIT] = price, NEVER
    for r in range(m.exit_kind.size):
        kind = m.exit_kind[r]
        level = m.exit_level[r, decided if m.exit_level.shape[1] > 1 else 0, s]
        if np.isnan(level):
            continue
        if kind == TIME_BARS:
            flags[s, TIME_EXIT] = min(flags[s, TIME_EXIT], t + int(level) - 1)
        elif kind >= TARGET_FRACTION:
            target = price + side * (level * price if kind == TARGET_FRACTION else level)
            now = symbols[s, TARGET_AT]
            if np.isnan(now) or side * target < side * now:
                symbols[s, TARGET_AT] = target
        elif kind == TRAIL_FRACTION:
            symbols[s, TRAIL_PART] = np.fmin(symbols[s, TRAIL_PART], level)
        elif kind == TRAIL_PRICE:
            symbols[s, TRAIL_DISTANCE] = np.fmin(symbols[s, TRAIL_DISTANCE], level)


@compiled
def trail(k: Book, s: int, best: float) -> None:
    """Move the trailing stop of `s` after a bar whose best price is known; never loosen it."""
    symbols = k.symbols
    side = 1 if symbols[s, QUANTITY] > 0.0 else -1
    if side * best > side * symbols[s, EXTREME]:
        symbols[s, EXTREME] = best
    extreme = symbols[s, EXTREME]
    for distance in (symbols[s, TRAIL_PART] * extreme, symbols[s, TRAIL_DISTANCE]):
        if not np.isnan(distance):
            stop = extreme - side * distance
            if not side * stop <= side * symbols[s, STOP_AT]:
                symbols[s, STOP_AT], k.flags[s, TRAILS] = stop, 1


@compiled
def heat_of(m: Market, k: Book, t: int, s: int) -> float:
    """Money lost when the stop of `s` is met; all of the position's notional without a stop."""
    symbols = k.symbols
    quantity, level, stop = symbols[s, QUANTITY], symbols[s, LEVEL], symbols[s, STOP_AT]
    stop = symbols[s, ORDER_STOP] if np.isnan(stop) else stop
    if np.isnan(stop):
        return abs(quantity) * worth(m, t, s, level)
    return max(0.0, -quantity * profit(m, s, level, stop) * m.fx[row_of(m.fx, t), s])


@compiled
def heat_per_unit(m: Market, k: Book, place: tuple[int, int, int], price: float) -> float:
    """Money that one unit bought at `price` loses at its stop; `place` = (bar, symbol, slot)."""
    codes, symbols = k.codes, k.symbols
    t, s, slot = place
    side, stop = codes[slot, C_SIDE], symbols[s, STOP_AT]
    if symbols[s, QUANTITY] * side <= 0.0:
        stop, _ = first_stop(m, codes[slot, C_DECIDED], s, price, side)
        stop = k.orders[slot, O_LOSS] if np.isnan(stop) else stop
    if np.isnan(stop):
        return worth(m, t, s, price)
    return max(0.0, -side * profit(m, s, price, stop) * m.fx[row_of(m.fx, t), s])
