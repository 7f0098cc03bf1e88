"""An account for each symbol: market orders at the open, protective exits, marking.

Blocks of bars that fit the cache are walked symbol by symbol: through bars without an order, a
signal or a met exit in a narrow loop, through the others event by event, as the event kernel has
them: the open (the order that reduces, exits that the open has passed, the entry), exits inside
the bar, marking at the close (a gap: the level before), the trailing stop, the decision. Fills and
equity are those of the event kernel, bit for bit. Import it lazily: it loads numba.
"""

import numpy as np
import numpy.typing as npt

from quant_assets.quant.simulation.lean.compiling import inlined, uncounted
from quant_assets.quant.simulation.lean.orders_kernel import (
    DOUBTFUL,
    DUST,
    ENDS_LONG,
    ENTER_LONG,
    ENTER_SHORT,
    ENTRY,
    EQUITY_FRACTION,
    EXIT_LONG,
    EXIT_SHORT,
    EXIT_SIGNAL,
    FINE,
    LEFT_TO_EVENTS,
    OPENS,
    REVERSAL,
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
from quant_assets.quant.simulation.lean.terms import (
    IsolatedBook,
    LeanBars,
    LeanDecisions,
    LeanRates,
)

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

BLOCK = 128  # bars: what eight symbols read of them fits the first cache
# fields of `values` and `codes` (symbol, field)
CASH, POSITION, LEVEL, EXTREME, STOP_AT, TARGET_AT, TRAIL_BY = 0, 1, 2, 3, 4, 5, 6
# reason of the exit that waits, side of the entry that waits and the bar of its decision, bar of
# the entry, whether the stop has been trailed
CLOSING, SIDE, DECIDED, ENTERED, TRAILS = 0, 1, 2, 3, 4
N_VALUES, N_CODES = 7, 5


@inlined
def _move(
    k: IsolatedBook, place: tuple[int, int, int], quantity: float, terms: tuple[float, float, int]
) -> None:
    """Book and log a fill; place = (bar, column, symbol), terms = (price, rate, reason)."""
    t, j, s = place
    price, rate, reason = terms
    row, fee = k.rows[0], abs(quantity) * price * rate
    k.values[j, CASH] += -quantity * price - fee
    k.values[j, POSITION] += quantity
    k.places[row, 0], k.places[row, 1], k.places[row, 2] = t, s, reason
    k.fills[row, 0], k.fills[row, 1], k.fills[row, 2] = quantity, price, fee
    k.rows[0] = row + 1


@inlined
def _protect(
    m: LeanBars, rates: LeanRates, k: IsolatedBook, place: tuple[int, int, int], whole: bool
) -> None:
    """The protective exit at the open of a bar, or in the whole of it.

    One that is met in a bar without volume becomes a market order.
    """
    t, j, s = place
    held, start = k.values[j, POSITION], m.open[t, s]
    resting = t < k.codes[j, ENTERED] + rates.rest
    if held == 0.0 or k.codes[j, CLOSING] != 0 or np.isnan(start) or resting:
        return
    side = 1.0 if held > 0.0 else -1.0
    bar = (start, m.high[t, s], m.low[t, s]) if whole else (start, start, start)
    reference, stopped = touched(side, bar, k.values[j, STOP_AT], k.values[j, TARGET_AT])
    if np.isnan(reference):
        return
    price, rate, reason = reference, rates.maker, TAKE_PROFIT
    if stopped:
        price, rate = priced(reference, -side, rates), rates.taker
        reason = TRAILING_STOP if k.codes[j, TRAILS] == 1 else STOP_LOSS
    if m.volume[t, s] == 0.0:
        k.codes[j, CLOSING] = reason
        return
    _move(k, place, -held, (price, rate, reason))


@inlined
def _enter(
    m: LeanBars,
    d: LeanDecisions,
    rates: LeanRates,
    k: IsolatedBook,
    place: tuple[int, int, int],
    account: tuple[float, float],
) -> bool:
    """Fill the entry that waits; account = (equity, gross). False: only the event kernel can."""
    t, j, s = place
    values, codes, equity = k.values, k.codes, account[0]
    side, decided, reference = float(codes[j, SIDE]), codes[j, DECIDED], m.open[t, s]
    codes[j, SIDE] = 0
    size = d.size[decided if d.size.shape[0] > 1 else 0, j]
    if size == np.inf:
        return False
    price = priced(reference, side, rates)
    if d.size_unit == EQUITY_FRACTION:
        size *= equity
    wanted = wanted_units(size, d.size_unit, reference, price, rates)
    if wanted < 0.0:
        return False
    if wanted == 0.0 or wanted * reference <= DUST * equity:
        return True
    amount = fitting(wanted, price, account, rates)
    if not amount > 0.0:
        return amount == 0.0
    values[j, LEVEL] = reference
    _move(k, place, side * amount, (price, rates.taker, ENTRY))
    codes[j, ENTERED] = t
    if d.exits.size > 0:
        row = decided if d.exits.shape[1] > 1 else 0
        stop, target, trails = first_exits(d.exits, (row, j), side, price)
        codes[j, TRAILS] = 1 if trails else 0
        values[j, EXTREME], values[j, TRAIL_BY] = price, d.exits[1, row, j]
        values[j, STOP_AT], values[j, TARGET_AT] = stop, target
    return True


@inlined
def _at_open(
    m: LeanBars, d: LeanDecisions, rates: LeanRates, k: IsolatedBook, place: tuple[int, int, int]
) -> bool:
    """Orders that wait for the open: the exit, a protective exit, the entry."""
    t, j, s = place
    values, held, start = k.values, k.values[j, POSITION], m.open[t, s]
    equity, gross = values[j, CASH] + held * values[j, LEVEL], abs(held * values[j, LEVEL])
    fills = not np.isnan(start) and m.volume[t, s] != 0.0
    if held != 0.0 and not np.isnan(start):
        gain = held * (start - values[j, LEVEL])
        equity += gain
        gross += gain if held > 0.0 else -gain
        values[j, LEVEL] = start
    if fills and k.codes[j, CLOSING] != 0:
        price = priced(start, -1.0 if held > 0.0 else 1.0, rates)
        equity -= abs(held) * price * rates.taker - held * (price - start)
        gross -= abs(held) * start
        _move(k, place, -held, (price, rates.taker, k.codes[j, CLOSING]))
        k.codes[j, CLOSING] = 0
    if d.exits.size > 0:
        _protect(m, rates, k, place, False)
    if fills and k.codes[j, SIDE] != 0:
        return _enter(m, d, rates, k, place, (equity, gross))
    return True


@inlined
def _worst(m: LeanBars, k: IsolatedBook, place: tuple[int, int, int]) -> bool:
    """Whether the account has nothing left at the worst price of the bar, or next to nothing."""
    t, j, s = place
    held, cash, start = k.values[j, POSITION], k.values[j, CASH], m.open[t, s]
    worst = m.low[t, s] if held > 0.0 else m.high[t, s]
    if np.isnan(worst):
        old = k.codes[j, ENTERED] < t and not np.isnan(start)
        worst = start if old else k.values[j, LEVEL]
    ruined: bool = cash + held * worst <= DOUBTFUL * (abs(cash) + abs(held * worst))
    return ruined


@inlined
def _mark(m: LeanBars, k: IsolatedBook, place: tuple[int, int, int], trails: bool) -> None:
    """Mark at the close (a gap: the level before); the trailing stop moves."""
    t, j, s = place
    values, held, price = k.values, k.values[j, POSITION], m.close[t, s]
    if held == 0.0:
        k.equity[t, s] = values[j, CASH]
        return
    if np.isnan(price):
        price = values[j, LEVEL]
    elif trails and not np.isnan(values[j, TRAIL_BY]):
        side = 1.0 if held > 0.0 else -1.0
        best = m.high[t, s] if held > 0.0 else m.low[t, s]
        state = (values[j, EXTREME], values[j, STOP_AT])
        extreme, stop, moved = trailed(side, best, values[j, TRAIL_BY], state)
        values[j, EXTREME], values[j, STOP_AT] = extreme, stop
        if moved:
            k.codes[j, TRAILS] = 1
    values[j, LEVEL] = price
    k.equity[t, s] = values[j, CASH] + held * price


@inlined
def _decide(k: IsolatedBook, d: LeanDecisions, t: int, j: int) -> None:
    """The signal of a symbol becomes orders that wait.

    An entry that waits is cancelled by an exit of its side and otherwise keeps a later one out.
    """
    codes, held, signal = k.codes, k.values[j, POSITION], d.signal[t, j]
    waiting = codes[j, SIDE]
    long = signal & ENTER_LONG != 0 and signal & EXIT_LONG == 0
    short = signal & ENTER_SHORT != 0 and signal & EXIT_SHORT == 0
    if (waiting > 0 and signal & EXIT_LONG != 0) or (waiting < 0 and signal & EXIT_SHORT != 0):
        codes[j, SIDE] = waiting = 0
    leaves = (held > 0.0 and signal & EXIT_LONG != 0) or (held < 0.0 and signal & EXIT_SHORT != 0)
    if leaves and codes[j, CLOSING] == 0:
        codes[j, CLOSING] = EXIT_SIGNAL
    side = 1 if long else -1
    refused = long == short or held * side > 0.0 or waiting != 0
    if refused or not d.size[t if d.size.shape[0] > 1 else 0, j] > 0.0:
        return
    codes[j, SIDE], codes[j, DECIDED] = side, t
    if held != 0.0 and codes[j, CLOSING] == 0:
        codes[j, CLOSING] = REVERSAL


@inlined
def _flat(d: LeanDecisions, k: IsolatedBook, place: tuple[int, int, int], end: int) -> int:
    """Go on without a position; the first bar with a signal that opens one."""
    t, j, s = place
    equity, signal, cash = k.equity, d.signal, k.values[j, CASH]
    while t < end and signal[t, j] & OPENS == 0:
        equity[t, s] = cash
        t += 1
    return t


@inlined
def _holding(
    m: LeanBars, d: LeanDecisions, k: IsolatedBook, place: tuple[int, int, int], end: int
) -> int:
    """Go on with a long position while no exit is met and nothing is decided."""
    t, j, s = place
    values, equity, signal, low, high = k.values, k.equity, d.signal, m.low, m.high
    close, cash, held = m.close, values[j, CASH], values[j, POSITION]
    price, extreme = values[j, LEVEL], values[j, EXTREME]
    stop, target, trail_by = values[j, STOP_AT], values[j, TARGET_AT], values[j, TRAIL_BY]
    moved = False
    while t < end and signal[t, j] & ENDS_LONG == 0:
        top = high[t, s]
        if low[t, s] <= stop or top >= target:
            break
        now = close[t, s]
        if not np.isnan(now):
            price = now
            extreme = max(extreme, top)
            moved_to = extreme - trail_by * extreme
            if moved_to > stop or (np.isnan(stop) and not np.isnan(moved_to)):
                stop, moved = moved_to, True
        equity[t, s] = cash + held * price
        t += 1
    values[j, LEVEL], values[j, EXTREME], values[j, STOP_AT] = price, extreme, stop
    if moved:
        k.codes[j, TRAILS] = 1
    return t


@inlined
def _met(m: LeanBars, k: IsolatedBook, place: tuple[int, int, int]) -> bool:
    """Whether a bar meets the stop or the target of what is held."""
    t, j, s = place
    stop, target = k.values[j, STOP_AT], k.values[j, TARGET_AT]
    long = k.values[j, POSITION] > 0.0
    worst, best = (m.low[t, s], m.high[t, s]) if long else (-m.high[t, s], -m.low[t, s])
    stop, target = (stop, target) if long else (-stop, -target)
    met: bool = (worst <= stop) | (best >= target)
    return met


@inlined
def _bar(
    m: LeanBars, d: LeanDecisions, rates: LeanRates, k: IsolatedBook, place: tuple[int, int, int]
) -> bool:
    """One bar of one symbol; False where only the event kernel knows how."""
    t, j, s = place
    protected, meets = d.exits.size > 0, True
    if k.codes[j, CLOSING] != 0 or k.codes[j, SIDE] != 0:
        if not _at_open(m, d, rates, k, place):
            return False
        if k.codes[j, SIDE] != 0 and t > k.codes[j, DECIDED] + rates.time_to_live:
            k.codes[j, SIDE] = 0
    else:
        meets = protected and k.values[j, POSITION] != 0.0 and _met(m, k, place)
        if meets:
            _protect(m, rates, k, place, False)
    if protected and meets:
        _protect(m, rates, k, place, True)
    held = k.values[j, POSITION]
    if held != 0.0 and (held < 0.0 or k.values[j, CASH] < 0.0) and _worst(m, k, place):
        return False
    _mark(m, k, place, protected)
    if d.signal[t, j] != 0 and t >= d.warm_up and not np.isnan(m.close[t, s]):
        _decide(k, d, t, j)
    return True


@uncounted
def walk(m: LeanBars, d: LeanDecisions, rates: LeanRates, k: IsolatedBook, first: int) -> int:
    """Walk the columns from `first` on, as many as there are decisions; a status.

    LEFT_TO_EVENTS where the subset ends: an account is ruined.
    """
    n_bars = m.close.shape[0]
    for begin in range(0, n_bars, BLOCK):
        end = min(begin + BLOCK, n_bars)
        for j in range(d.signal.shape[1]):
            s, t = first + j, begin
            while t < end:
                held = k.values[j, POSITION]
                if k.codes[j, CLOSING] == 0 and k.codes[j, SIDE] == 0:
                    if held == 0.0:
                        t = _flat(d, k, (t, j, s), end)
                    elif held > 0.0 and k.values[j, CASH] >= 0.0:
                        t = _holding(m, d, k, (t, j, s), end)
                if t < end and not _bar(m, d, rates, k, (t, j, s)):
                    return LEFT_TO_EVENTS
                t += 1
    return FINE


@uncounted
def by_time(
    places: Integers, fills: Floats, starts: Integers, found: tuple[Integers, Floats]
) -> None:
    """Sort a log by bar, orders of one bar as they come; `starts` `(n_bars + 1,)` of zeros."""
    for row in range(places.shape[0]):
        starts[places[row, 0] + 1] += 1
    for t in range(starts.size - 1):
        starts[t + 1] += starts[t]
    for row in range(places.shape[0]):
        to = starts[places[row, 0]]
        starts[places[row, 0]] = to + 1
        for field in range(3):
            found[0][field, to], found[1][field, to] = places[row, field], fills[row, field]


def warm_up() -> None:
    """Compile `walk` and `by_time` for the arrays that `account` passes."""
    one, none = np.ones((3, 1)), np.empty((3, 0, 0))
    decisions = LeanDecisions(np.zeros((3, 1), dtype=np.int8), np.ones((1, 1)), 0, none, 0)
    book = IsolatedBook(
        np.zeros((1, N_VALUES)),
        np.zeros((1, N_CODES), dtype=np.int64),
        np.empty((0, 3), dtype=np.int64),
        np.empty((0, 3)),
        np.zeros(1, dtype=np.int64),
        np.empty((3, 1)),
    )
    rates = LeanRates(0.0, 0.0, 0.0, 1.0, 0, False, 1)
    walk(LeanBars(one, one, one, one, one), decisions, rates, book, 0)
    found = (np.empty((3, 0), dtype=np.int64), np.empty((3, 0)))
    by_time(book.places, book.fills, np.zeros(4, dtype=np.int64), found)
