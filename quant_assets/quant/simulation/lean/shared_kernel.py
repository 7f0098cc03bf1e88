"""One account for all symbols, bar by bar: market orders at the open, protective exits, marking.

Fills and equity are those of the event kernel, bit for bit: orders wait in the order in which they
were decided, sums go over positions in the order in which the event kernel holds them, an entry is
sized by the same steps. What nobody asks for (costs by kind, records of trades, exposure of each
bar) is left out. Import it lazily: it loads numba.
"""

import numpy as np

from quant_assets.quant.simulation.lean.compiling import inlined, uncounted
from quant_assets.quant.simulation.lean.orders_kernel import (
    DOUBTFUL,
    DUST,
    ENTRY,
    EQUITY_FRACTION,
    FINE,
    LEFT_TO_EVENTS,
    STOP_LOSS,
    TAKE_PROFIT,
    TRAILING_STOP,
    first_exits,
    fitting,
    priced,
    touched,
    trailed,
    wanted_units,
)
from quant_assets.quant.simulation.lean.shared_orders_kernel import (
    BAR,
    CASH,
    CLOSING,
    DECIDED,
    ENTERED,
    EXTREME,
    HELD_AT,
    LEVEL,
    LONG,
    N_CODES,
    N_COUNTS,
    N_HELD,
    N_MONEY,
    N_QUEUE,
    N_SHORT,
    N_VALUES,
    NOW,
    POSITION,
    ROW,
    SHORT,
    SIDE,
    STOP_AT,
    TARGET_AT,
    TRAIL_BY,
    TRAILS,
    any_signal,
    compact,
    decide,
    expire,
    next_signal,
    queued,
)
from quant_assets.quant.simulation.lean.terms import LeanBars, LeanDecisions, LeanRates, SharedBook


@inlined
def _revalue(k: SharedBook, s: int, price: float) -> None:
    """Move the level of a position; equity and exposure follow."""
    money, values = k.money, k.values
    held, gain = values[POSITION, s], values[POSITION, s] * (price - values[LEVEL, s])
    values[LEVEL, s] = price
    money[NOW] += gain
    if held > 0.0:
        money[LONG] += gain
    else:
        money[SHORT] -= gain


@inlined
def _move(
    k: SharedBook, t: int, s: int, fill: tuple[float, float, float, float], reason: int
) -> None:
    """Book and log a fill = (signed units, reference, price, rate)."""
    money, values, row = k.money, k.values, k.counts[ROW]
    quantity, reference, price, rate = fill
    held, fee = values[POSITION, s], abs(quantity) * price * rate
    after = held + quantity
    money[CASH] += -quantity * price - fee
    money[NOW] -= fee + quantity * (price - reference)
    exposure = (abs(after) - abs(held)) * reference
    if held > 0.0 or (held == 0.0 and quantity > 0.0):
        money[LONG] += exposure
    else:
        money[SHORT] += exposure
    values[POSITION, s] = after
    k.places[row, 0], k.places[row, 1], k.places[row, 2] = t, s, reason
    k.fills[row, 0], k.fills[row, 1], k.fills[row, 2] = quantity, price, fee
    k.counts[ROW] = row + 1


@inlined
def _close(k: SharedBook, t: int, s: int, prices: tuple[float, float, float], reason: int) -> None:
    """Close what is held in `s`; prices = (reference, price, rate)."""
    values, codes, counts, held = k.values, k.codes, k.counts, k.held
    reference, price, rate = prices
    quantity = values[POSITION, s]
    if reference != values[LEVEL, s]:
        _revalue(k, s, reference)
    _move(k, t, s, (-quantity, reference, price, rate), reason)
    last, place = held[counts[N_HELD] - 1], codes[HELD_AT, s]
    held[place] = last
    codes[HELD_AT, last] = place
    counts[N_HELD] -= 1
    if quantity < 0.0:
        counts[N_SHORT] -= 1
    values[STOP_AT, s] = values[TARGET_AT, s] = np.nan
    codes[CLOSING, s] = 0


@inlined
def _protect(m: LeanBars, rates: LeanRates, k: SharedBook, t: int, whole: bool) -> None:
    """Protective exits at the open of bar t, or in the whole of it.

    An exit that is met in a bar without volume becomes a market order.
    """
    values, codes, i = k.values, k.codes, 0
    while i < k.counts[N_HELD]:
        s = k.held[i]
        i += 1
        start = m.open[t, s]
        if codes[CLOSING, s] != 0 or np.isnan(start) or t < codes[ENTERED, s] + rates.rest:
            continue
        side = 1.0 if values[POSITION, s] > 0.0 else -1.0
        bar = (start, m.high[t, s], m.low[t, s]) if whole else (start, start, start)
        reference, stopped = touched(side, bar, values[STOP_AT, s], values[TARGET_AT, s])
        if np.isnan(reference):
            continue
        price, rate, reason = reference, rates.maker, TAKE_PROFIT
        if stopped:
            price, rate = priced(reference, -side, rates), rates.taker
            reason = TRAILING_STOP if codes[TRAILS, s] == 1 else STOP_LOSS
        if m.volume[t, s] == 0.0:
            codes[CLOSING, s] = reason
            queued(k, 2 * s)
            continue
        _close(k, t, s, (reference, price, rate), reason)
        i -= 1  # the last of the held took its place


@inlined
def _enter(m: LeanBars, d: LeanDecisions, rates: LeanRates, k: SharedBook, t: int, s: int) -> bool:
    """Fill a waiting entry at the open; False where only the event kernel knows how."""
    values, codes, counts = k.values, k.codes, k.counts
    side, decided, reference = float(codes[SIDE, s]), codes[DECIDED, s], m.open[t, s]
    codes[SIDE, s] = 0
    size = d.size[decided if d.size.shape[0] > 1 else 0, s]
    if size == np.inf:
        return False
    price = priced(reference, side, rates)
    if d.size_unit == EQUITY_FRACTION:
        size *= k.money[NOW]
    wanted = wanted_units(size, d.size_unit, reference, price, rates)
    if wanted < 0.0:
        return False
    if wanted == 0.0 or wanted * reference <= DUST * k.money[NOW]:
        return True
    account = (k.money[NOW], k.money[LONG] + k.money[SHORT])
    amount = fitting(wanted, price, account, rates)
    if not amount > 0.0:
        return amount == 0.0
    values[LEVEL, s] = reference
    codes[HELD_AT, s] = counts[N_HELD]
    k.held[counts[N_HELD]] = s
    counts[N_HELD] += 1
    if side < 0.0:
        counts[N_SHORT] += 1
    _move(k, t, s, (side * amount, reference, price, rates.taker), ENTRY)
    codes[ENTERED, s] = t
    if d.exits.size > 0:
        row = decided if d.exits.shape[1] > 1 else 0
        stop, target, trails = first_exits(d.exits, (row, s), side, price)
        codes[TRAILS, s] = 1 if trails else 0
        values[EXTREME, s], values[TRAIL_BY, s] = price, d.exits[1, row, s]
        values[STOP_AT, s], values[TARGET_AT, s] = stop, target
    return True


@inlined
def _at_open(m: LeanBars, d: LeanDecisions, rates: LeanRates, k: SharedBook, t: int) -> bool:
    """Orders that wait for the open: exits, then protective exits, then entries."""
    money, values, counts, queue = k.money, k.values, k.counts, k.queue
    long, short = 0.0, 0.0
    for i in range(counts[N_HELD]):
        worth = values[POSITION, k.held[i]] * values[LEVEL, k.held[i]]
        long += worth if worth > 0.0 else 0.0
        short -= worth if worth < 0.0 else 0.0
    money[LONG], money[SHORT] = long, short
    for i in range(counts[N_HELD]):
        s = k.held[i]
        if not np.isnan(m.open[t, s]):
            _revalue(k, s, m.open[t, s])
    n = counts[N_QUEUE]
    for i in range(n):
        s = queue[i] >> 1
        if queue[i] & 1 == 1 or np.isnan(m.open[t, s]) or m.volume[t, s] == 0.0:
            continue
        side = 1.0 if values[POSITION, s] > 0.0 else -1.0
        price = priced(m.open[t, s], -side, rates)
        _close(k, t, s, (m.open[t, s], price, rates.taker), k.codes[CLOSING, s])
    if d.exits.size > 0:
        _protect(m, rates, k, t, False)
    fine = True
    for i in range(n):
        s = queue[i] >> 1
        if queue[i] & 1 == 0 or np.isnan(m.open[t, s]) or m.volume[t, s] == 0.0:
            continue
        fine = fine and _enter(m, d, rates, k, t, s)
    return fine


@inlined
def _any_touched(m: LeanBars, k: SharedBook, t: int) -> bool:
    """Whether bar t meets any stop or target of what is held as it begins."""
    found = False
    for i in range(k.counts[N_HELD]):
        s = k.held[i]
        stop, target = k.values[STOP_AT, s], k.values[TARGET_AT, s]
        if k.values[POSITION, s] > 0.0:
            found |= (m.low[t, s] <= stop) | (m.high[t, s] >= target)
        else:
            found |= (m.high[t, s] >= stop) | (m.low[t, s] <= target)
    return found


@inlined
def _doubtful(m: LeanBars, k: SharedBook, t: int) -> bool:
    """Whether the account has nothing left at the worst prices of bar t, or next to nothing."""
    left = k.money[CASH]
    scale = abs(left)
    for i in range(k.counts[N_HELD]):
        s = k.held[i]
        held, start = k.values[POSITION, s], m.open[t, s]
        worst = m.low[t, s] if held > 0.0 else m.high[t, s]
        if np.isnan(worst):
            old = k.codes[ENTERED, s] < t and not np.isnan(start)
            worst = start if old else k.values[LEVEL, s]
        left += held * worst
        scale += abs(held * worst)
    doubtful: bool = left <= DOUBTFUL * scale
    return doubtful


@inlined
def _mark(m: LeanBars, k: SharedBook, t: int, trails: bool) -> None:
    """Mark what is held at the close (a gap: the level before); trailing stops move."""
    values, codes, value = k.values, k.codes, 0.0
    for i in range(k.counts[N_HELD]):
        s = k.held[i]
        held, price = values[POSITION, s], m.close[t, s]
        if np.isnan(price):
            price = values[LEVEL, s]
        elif trails and not np.isnan(values[TRAIL_BY, s]):
            side = 1.0 if held > 0.0 else -1.0
            best = m.high[t, s] if held > 0.0 else m.low[t, s]
            state = (values[EXTREME, s], values[STOP_AT, s])
            extreme, stop, moved = trailed(side, best, values[TRAIL_BY, s], state)
            values[EXTREME, s], values[STOP_AT, s] = extreme, stop
            if moved:
                codes[TRAILS, s] = 1
        values[LEVEL, s] = price
        value += held * price
    k.money[NOW] = k.money[CASH] + value
    k.equity[t, 0] = k.money[NOW]


@inlined
def _quiet(m: LeanBars, d: LeanDecisions, k: SharedBook, t: int, last: int) -> int:
    """Mark the bars from t on in which nothing is decided, while nothing can happen."""
    equity, close, cash = k.equity, m.close, k.money[CASH]
    s = k.held[0] if k.counts[N_HELD] == 1 else -1
    end = next_signal(d.signal, t, last, s)
    if s < 0:
        for bar in range(t, end):
            equity[bar, 0] = cash
        return end
    held, price = k.values[POSITION, s], k.values[LEVEL, s]
    for bar in range(t, end):
        price = price if np.isnan(close[bar, s]) else close[bar, s]
        equity[bar, 0] = cash + held * price
    k.values[LEVEL, s], k.money[NOW] = price, cash + held * price
    return end


@inlined
def _still(d: LeanDecisions, k: SharedBook) -> bool:
    """Whether nothing can happen before the next signal."""
    counts = k.counts
    if counts[N_QUEUE] > 0 or counts[N_HELD] > 1:
        return False
    safe = d.exits.size == 0 and counts[N_SHORT] == 0 and k.money[CASH] >= 0.0
    return counts[N_HELD] == 0 or safe


@inlined
def _trade(m: LeanBars, d: LeanDecisions, rates: LeanRates, k: SharedBook, t: int) -> bool:
    """What fills in bar t; False where only the event kernel knows how."""
    counts, touched = k.counts, d.exits.size > 0
    if counts[N_QUEUE] > 0:
        if not _at_open(m, d, rates, k, t):
            return False
    elif touched:
        touched = _any_touched(m, k, t)
        if touched:
            _protect(m, rates, k, t, False)
    if touched:
        _protect(m, rates, k, t, True)
    if counts[N_QUEUE] > 0:
        compact(k)
        expire(k, t, rates.time_to_live)
    safe = counts[N_SHORT] == 0 and k.money[CASH] >= 0.0
    return safe or counts[N_HELD] == 0 or not _doubtful(m, k, t)


@uncounted
def walk_shared(m: LeanBars, d: LeanDecisions, rates: LeanRates, k: SharedBook, last: int) -> int:
    """Go on to bar `last` (exclusive); LEFT_TO_EVENTS where the subset ends: a ruined account."""
    t = k.counts[BAR]
    while t < last:
        if _still(d, k):
            t = _quiet(m, d, k, t, last)
            if t == last:
                break
        if not _trade(m, d, rates, k, t):
            return LEFT_TO_EVENTS
        _mark(m, k, t, d.exits.size > 0)
        if t >= d.warm_up and any_signal(d.signal, t):
            decide(m, d, k, t)
        t += 1
    k.counts[BAR] = last
    return FINE


def warm_up() -> None:
    """Compile `walk_shared` for the arrays that `account` passes."""
    one = np.ones((2, 1))
    decisions = LeanDecisions(
        np.zeros((2, 1), dtype=np.int8), np.ones((1, 1)), 0, np.empty((3, 0, 0)), 0
    )
    rates = LeanRates(0.0, 0.0, 0.0, 1.0, 0, True, 1)
    book = SharedBook(
        np.ones(N_MONEY),
        np.zeros(N_COUNTS, dtype=np.int64),
        np.zeros((N_VALUES, 1)),
        np.zeros((N_CODES, 1), dtype=np.int64),
        np.zeros(1, dtype=np.int64),
        np.zeros(2, dtype=np.int64),
        np.empty((0, 3), dtype=np.int64),
        np.empty((0, 3)),
        np.empty((2, 1)),
    )
    walk_shared(LeanBars(one, one, one, one, one), decisions, rates, book, 2)
