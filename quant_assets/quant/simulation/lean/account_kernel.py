"""The lean bar loop: market orders at the open, protective exits, marking. Import it lazily.

The events of a bar are those of the event kernel, as far as this subset has them: at the open the
orders that reduce, the exits that the open has passed, then entries; inside the bar the other
exits; marking at the close (a gap: the level before), trailing stops move; then decisions. Time is
the outer loop: what is read for a bar lies side by side. Bars without an order, a signal or a live
exit are only marked.
"""

import numpy as np
import numpy.typing as npt

from quant_assets.quant.simulation.lean.compiling import inlined, uncounted
from quant_assets.quant.simulation.lean.terms import LeanRates

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int8]

ENTER_LONG, EXIT_LONG, ENTER_SHORT, EXIT_SHORT = 1, 2, 4, 8
NOTIONAL, EQUITY_FRACTION = 1, 2
# reasons, as the event kernel numbers them
ENTRY, EXIT_SIGNAL, STOP_LOSS, TRAILING_STOP, TAKE_PROFIT, REVERSAL = 0, 1, 3, 4, 5, 11
DUST = 1e-12
LEAST_SHARE = 1e-9  # of an order that the budget may leave of it: not what rounding leaves

# rows of `values` (field, symbol): signed units, last close, best price of completed bars since the
# entry, prices of the stop and of the target, and the trailing fraction (NaN: none)
POSITION, MARK, EXTREME, STOP_AT, TARGET_AT, TRAIL_BY = 0, 1, 2, 3, 4, 5
# rows of `codes` (field, symbol): orders that wait for an open (the reason to close what is held, 0
# without; the side of an entry, 1 or -1, and the bar of its decision), bar of the entry, whether
# the stop has been trailed
CLOSING, SIDE, DECIDED, ENTERED, TRAILS = 0, 1, 2, 3, 4
N_VALUES, N_CODES = 6, 5
# columns of the log: `places` (order, 3) and `fills` (order, 3)
BAR, SYMBOL, REASON = 0, 1, 2
QUANTITY, PRICE, FEE = 0, 1, 2


@inlined
def _fill(
    cash: Floats,
    values: Floats,
    places: Integers,
    fills: Floats,
    place: tuple[int, int, int],
    fill: tuple[float, float, float, int],
) -> None:
    """Book and log: place = (row of the log, bar, symbol), fill = (quantity, price, rate, why)."""
    row, t, s = place
    quantity, price, rate, reason = fill
    fee = abs(quantity) * price * rate
    values[POSITION, s] += quantity
    cash[s % cash.size] -= quantity * price + fee
    places[row, BAR], places[row, SYMBOL], places[row, REASON] = t, s, reason
    fills[row, QUANTITY], fills[row, PRICE], fills[row, FEE] = quantity, price, fee


@inlined
def _account(
    open_: Floats, cash: Floats, values: Floats, shared: bool, t: int, s: int
) -> tuple[float, float]:
    """Equity and gross notional of the account of a flat symbol, at this open where it is known."""
    equity, gross = cash[s % cash.size], 0.0
    if shared:
        for j in range(values.shape[1]):
            if values[POSITION, j] != 0.0:
                price = values[MARK, j] if np.isnan(open_[t, j]) else open_[t, j]
                equity += values[POSITION, j] * price
                gross += abs(values[POSITION, j]) * price
    return equity, gross


@inlined
def _protection(
    exits: Floats, values: Floats, codes: Integers, t: int, s: int, price: float
) -> None:
    """Set the exits of a position that was opened at a price, as its decision bar has them."""
    side = 1.0 if values[POSITION, s] > 0.0 else -1.0
    bar = codes[DECIDED, s] % exits.shape[1]
    stop = price - side * (exits[0, bar, s] * price)
    trail = price - side * (exits[1, bar, s] * price)
    trails = not np.isnan(trail) and not side * stop >= side * trail
    codes[ENTERED, s], codes[TRAILS, s] = t, trails
    values[EXTREME, s], values[STOP_AT, s] = price, trail if trails else stop
    values[TRAIL_BY, s] = exits[1, bar, s]
    values[TARGET_AT, s] = price + side * (exits[2, bar, s] * price)


@inlined
def _touched(
    side: float, bar: tuple[float, float, float], stop: float, target: float
) -> tuple[float, bool]:
    """Reference price of the exit that a bar (open, high, low) brings or NaN; if by the stop."""
    start, high, low = bar
    worst, best = (low, high) if side > 0.0 else (high, low)
    if side * start <= side * stop:
        return start, True
    if side * start >= side * target:
        return start, False
    if side * worst <= side * stop:
        return stop, True
    if side * best >= side * target:
        return target, False
    return np.nan, False


@inlined
def _any_touched(open_: Floats, high: Floats, low: Floats, values: Floats, t: int) -> bool:
    """Whether bar t meets any stop or target of what is held: without branches."""
    found = False
    for s in range(values.shape[1]):
        held, stop, target = values[POSITION, s], values[STOP_AT, s], values[TARGET_AT, s]
        start, least, most = open_[t, s], low[t, s], high[t, s]
        below = (least <= stop) | (start <= stop) | (most >= target) | (start >= target)
        above = (most >= stop) | (start >= stop) | (least <= target) | (start <= target)
        found |= ((held > 0.0) & below) | ((held < 0.0) & above)
    return found


@inlined
def _protect(
    open_: Floats,
    high: Floats,
    low: Floats,
    volume: Floats,
    rates: LeanRates,
    cash: Floats,
    values: Floats,
    codes: Integers,
    places: Integers,
    fills: Floats,
    row: int,
    t: int,
) -> int:
    """Protective exits of bar t; returns the rows of the log.

    Called twice for a bar: with the open as high and low too, and with the whole bar. An exit that
    is met in a bar without volume becomes a market order.
    """
    for s in range(values.shape[1]):
        held, start = values[POSITION, s], open_[t, s]
        resting = t < codes[ENTERED, s] + rates.rest
        if held == 0.0 or codes[CLOSING, s] != 0 or np.isnan(start) or resting:
            continue
        side = 1.0 if held > 0.0 else -1.0
        bar = (start, high[t, s], low[t, s])
        price, stopped = _touched(side, bar, values[STOP_AT, s], values[TARGET_AT, s])
        if np.isnan(price):
            continue
        rate, reason = rates.maker, TAKE_PROFIT
        if stopped:
            rate, reason = rates.taker, TRAILING_STOP if codes[TRAILS, s] == 1 else STOP_LOSS
            price *= 1.0 - side * rates.slippage
        if volume[t, s] == 0.0:
            codes[CLOSING, s] = reason
            continue
        _fill(cash, values, places, fills, (row, t, s), (-held, price, rate, reason))
        row += 1
    return row


@inlined
def _trail(
    close: Floats, high: Floats, low: Floats, values: Floats, codes: Integers, t: int
) -> bool:
    """Move the trailing stops after bar t, never loosen one; whether anything is held."""
    any_held = False
    for s in range(values.shape[1]):
        held = values[POSITION, s]
        if held == 0.0:
            continue
        any_held = True
        if np.isnan(values[TRAIL_BY, s]) or np.isnan(close[t, s]):
            continue
        side = 1.0 if held > 0.0 else -1.0
        best = high[t, s] if held > 0.0 else low[t, s]
        if side * best > side * values[EXTREME, s]:
            values[EXTREME, s] = best
        extreme = values[EXTREME, s]
        stop = extreme - side * (values[TRAIL_BY, s] * extreme)
        if not side * stop <= side * values[STOP_AT, s]:
            values[STOP_AT, s], codes[TRAILS, s] = stop, 1
    return any_held


@inlined
def _close_held(
    open_: Floats,
    volume: Floats,
    rates: LeanRates,
    cash: Floats,
    values: Floats,
    codes: Integers,
    places: Integers,
    fills: Floats,
    row: int,
    t: int,
) -> int:
    """Closing orders at the open; returns the rows of the log."""
    for s in range(values.shape[1]):
        if codes[CLOSING, s] == 0 or np.isnan(open_[t, s]) or volume[t, s] == 0.0:
            continue
        held = values[POSITION, s]
        slip = 1.0 - rates.slippage if held > 0.0 else 1.0 + rates.slippage
        fill = (-held, open_[t, s] * slip, rates.taker, codes[CLOSING, s])
        _fill(cash, values, places, fills, (row, t, s), fill)
        codes[CLOSING, s] = 0
        row += 1
    return row


@inlined
def _quantity(
    size: float, unit: int, price: float, account: tuple[float, float], rates: LeanRates
) -> float:
    """Units of an entry, fees inside the budget; account = (equity, gross notional)."""
    equity, gross = account
    if unit == NOTIONAL:
        size /= price
    elif unit == EQUITY_FRACTION:
        size *= equity / (price * (1.0 + rates.taker))
    if not size * price > DUST * equity:
        return 0.0
    room = (rates.leverage * equity - gross) / (1.0 + rates.leverage * rates.taker)
    fitting = min(size, room / price)
    return fitting if fitting >= LEAST_SHARE * size else 0.0


@inlined
def _open_new(
    open_: Floats,
    volume: Floats,
    size: Floats,
    size_unit: int,
    exits: Floats,
    rates: LeanRates,
    cash: Floats,
    values: Floats,
    codes: Integers,
    places: Integers,
    fills: Floats,
    row: int,
    t: int,
) -> int:
    """Entries at the open, the oldest first; returns the rows of the log."""
    oldest = t - 1
    for s in range(values.shape[1]):
        if codes[SIDE, s] != 0:
            oldest = min(oldest, codes[DECIDED, s])
    for bar in range(oldest, t):
        for s in range(values.shape[1]):
            side = codes[SIDE, s]
            if side == 0 or codes[DECIDED, s] != bar:
                continue
            if np.isnan(open_[t, s]) or volume[t, s] == 0.0:
                continue
            codes[SIDE, s] = 0
            price = open_[t, s] * (1.0 + side * rates.slippage)
            account = _account(open_, cash, values, rates.shared, t, s)
            quantity = _quantity(size[bar % size.shape[0], s], size_unit, price, account, rates)
            if quantity > 0.0:
                fill = (side * quantity, price, rates.taker, ENTRY)
                _fill(cash, values, places, fills, (row, t, s), fill)
                row += 1
                if exits.size > 0:
                    _protection(exits, values, codes, t, s, price)
    return row


@inlined
def _decide(values: Floats, codes: Integers, size: Floats, signal: int, t: int, s: int) -> None:
    """Turn the signal of one symbol into orders that wait.

    A waiting entry is cancelled by an exit of its side and otherwise keeps a later one out.
    """
    held, waiting = values[POSITION, s], codes[SIDE, s]
    long = signal & ENTER_LONG != 0 and signal & EXIT_LONG == 0
    short = signal & ENTER_SHORT != 0 and signal & EXIT_SHORT == 0
    if (waiting > 0 and signal & EXIT_LONG != 0) or (waiting < 0 and signal & EXIT_SHORT != 0):
        codes[SIDE, s] = waiting = 0
    leaves = (held > 0.0 and signal & EXIT_LONG != 0) or (held < 0.0 and signal & EXIT_SHORT != 0)
    if leaves and codes[CLOSING, s] == 0:
        codes[CLOSING, s] = EXIT_SIGNAL
    side = 1 if long else -1
    refused = long == short or held * side > 0.0 or waiting != 0
    if refused or not size[t % size.shape[0], s] > 0.0:
        return
    codes[SIDE, s], codes[DECIDED, s] = side, t
    if held != 0.0 and codes[CLOSING, s] == 0:
        codes[CLOSING, s] = REVERSAL


@inlined
def _decide_all(
    close: Floats, signal: Codes, size: Floats, values: Floats, codes: Integers, t: int
) -> None:
    """Decisions at the close of bar t, of symbols that have one."""
    for s in range(values.shape[1]):
        if signal[t, s] != 0 and not np.isnan(close[t, s]):
            _decide(values, codes, size, signal[t, s], t, s)


@inlined
def _waits(codes: Integers) -> tuple[bool, bool]:
    """Whether any closing order and any entry waits for an open."""
    closing, opening = False, False
    for s in range(codes.shape[1]):
        closing |= codes[CLOSING, s] != 0
        opening |= codes[SIDE, s] != 0
    return closing, opening


@inlined
def _mark(
    close: Floats,
    signal: Codes,
    cash: Floats,
    values: Floats,
    equity: Floats,
    t: int,
    last: int,
) -> int:
    """Mark bar t and on to the first with a signal, which is returned; else to `last`."""
    n_symbols = close.shape[1]
    if n_symbols == 1:  # without the loop over symbols
        money, units, price = cash[0], values[POSITION, 0], values[MARK, 0]
        while t < last:
            price = price if np.isnan(close[t, 0]) else close[t, 0]
            equity[t, 0] = money + units * price
            if signal[t, 0] != 0:
                break
            t += 1
        values[MARK, 0] = price
        return t
    own = cash.size == n_symbols
    while t < last:
        total, quiet = 0.0, True
        for s in range(n_symbols):
            price = close[t, s]
            price = values[MARK, s] if np.isnan(price) else price
            values[MARK, s] = price
            value = values[POSITION, s] * price
            total += value
            if own:
                equity[t, s] = cash[s] + value
            quiet &= signal[t, s] == 0
        if not own:
            equity[t, 0] = cash[0] + total
        if not quiet:
            break
        t += 1
    return t


@inlined
def _ruined(high: Floats, low: Floats, cash: Floats, values: Floats, t: int) -> bool:
    """Whether an account has nothing left at the worst prices of bar t."""
    own, total, ruined = cash.size == values.shape[1], cash[0], False
    for s in range(values.shape[1]):
        held = values[POSITION, s]
        worst = low[t, s] if held > 0.0 else high[t, s]
        value = held * (values[MARK, s] if np.isnan(worst) else worst)
        total += value
        ruined |= own and held != 0.0 and cash[s] + value <= 0.0
    return ruined or (not own and total <= 0.0)


@uncounted
def walk(
    open_: Floats,
    high: Floats,
    low: Floats,
    close: Floats,
    volume: Floats,
    signal: Codes,
    size: Floats,
    size_unit: int,
    exits: Floats,
    warm_up: int,
    rates: LeanRates,
    cash: Floats,
    values: Floats,
    codes: Integers,
    places: Integers,
    fills: Floats,
    equity: Floats,
) -> int:
    """Walk through all bars; returns the number of orders in the log, -1 of a ruined account.

    cash : `(account,)`: one account, or one for each symbol; changed in place.
    equity : `(time, account)`, filled. exits : see `LeanDecisions`.
    """
    n_bars = close.shape[0]
    row, t, closing, opening, held = 0, 0, False, False, False
    protected = exits.size > 0
    while t < n_bars:
        if closing:
            row = _close_held(open_, volume, rates, cash, values, codes, places, fills, row, t)
        if protected and held and rates.shared:  # what it frees is for the entries
            row = _protect(
                open_, open_, open_, volume, rates, cash, values, codes, places, fills, row, t
            )
        if opening:
            row = _open_new(
                open_,
                volume,
                size,
                size_unit,
                exits,
                rates,
                cash,
                values,
                codes,
                places,
                fills,
                row,
                t,
            )
        if protected and (held or opening) and _any_touched(open_, high, low, values, t):
            row = _protect(
                open_, high, low, volume, rates, cash, values, codes, places, fills, row, t
            )
        if rates.risky and _ruined(high, low, cash, values, t):
            return -1
        if protected or rates.risky:
            held = _trail(close, high, low, values, codes, t)
        closing, opening = _waits(codes)
        last = t + 1 if held or closing or opening else n_bars
        t = _mark(close, signal, cash, values, equity, t, last)
        if t == last:
            continue
        if t >= warm_up:
            _decide_all(close, signal, size, values, codes, t)
            closing, opening = _waits(codes)
        t += 1
    return row


def warm_up() -> None:
    """Compile `walk` for the arrays that `account` passes."""
    prices, signal = np.ones((3, 1)), np.zeros((3, 1), dtype=np.int8)
    rates = LeanRates(0.0, 0.0, 0.0, 1.0, 0, False, False)
    state = (np.ones(1), np.zeros((N_VALUES, 1)), np.zeros((N_CODES, 1), dtype=np.int64))
    log = (np.empty((0, 3), dtype=np.int64), np.empty((0, 3)))
    rest = (np.empty((3, 0, 0)), 0, rates, *state, *log, np.empty((3, 1)))
    walk(prices, prices, prices, prices, prices, signal, np.ones((1, 1)), 0, *rest)
