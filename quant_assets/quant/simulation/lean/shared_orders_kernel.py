"""What waits in a shared account: orders in the order of their decisions, and the decisions.

Also the numbers of the fields that the kernel of shared accounts keeps. Import it lazily: it loads
numba.
"""

import numpy as np
import numpy.typing as npt

from quant_assets.quant.simulation.lean.compiling import inlined
from quant_assets.quant.simulation.lean.orders_kernel import (
    ENDS_LONG,
    ENTER_LONG,
    ENTER_SHORT,
    EXIT_LONG,
    EXIT_SHORT,
    EXIT_SIGNAL,
    OPENS,
    REVERSAL,
)
from quant_assets.quant.simulation.lean.terms import LeanBars, LeanDecisions, SharedBook

Codes = npt.NDArray[np.int8]

# `money`, `counts`, and rows of `values` and `codes` (field, symbol)
CASH, NOW, LONG, SHORT = 0, 1, 2, 3
BAR, ROW, N_HELD, N_QUEUE, N_SHORT = 0, 1, 2, 3, 4
POSITION, LEVEL, EXTREME, STOP_AT, TARGET_AT, TRAIL_BY = 0, 1, 2, 3, 4, 5
# reason of the exit that waits, side of the entry that waits and the bar of its decision, bar of
# the entry, whether the stop has been trailed, place among the held, side that a signal calls for
CLOSING, SIDE, DECIDED, ENTERED, TRAILS, HELD_AT, CALLED = 0, 1, 2, 3, 4, 5, 6
N_MONEY, N_COUNTS, N_VALUES, N_CODES = 4, 5, 6, 7


@inlined
def queued(k: SharedBook, order: int) -> None:
    """Let an order wait: 2 x symbol of an exit, 2 x symbol + 1 of an entry."""
    k.queue[k.counts[N_QUEUE]] = order
    k.counts[N_QUEUE] += 1


@inlined
def compact(k: SharedBook) -> None:
    """Forget the orders that are done."""
    n = 0
    for i in range(k.counts[N_QUEUE]):
        s, entry = k.queue[i] >> 1, k.queue[i] & 1
        if (entry == 1 and k.codes[SIDE, s] != 0) or (entry == 0 and k.codes[CLOSING, s] != 0):
            k.queue[n] = k.queue[i]
            n += 1
    k.counts[N_QUEUE] = n


@inlined
def expire(k: SharedBook, t: int, time_to_live: int) -> None:
    """End entries that were not filled for so many bars after their first."""
    codes, ended = k.codes, False
    for i in range(k.counts[N_QUEUE]):
        s, entry = k.queue[i] >> 1, k.queue[i] & 1
        if entry == 1 and t > codes[DECIDED, s] + time_to_live:
            codes[SIDE, s], ended = 0, True
    if ended:
        compact(k)


@inlined
def decide(m: LeanBars, d: LeanDecisions, k: SharedBook, t: int) -> None:
    """Signals at the close of bar t become orders that wait: exits first, then entries."""
    values, codes, called = k.values, k.codes, False
    for s in range(values.shape[1]):
        signal = d.signal[t, s]
        codes[CALLED, s] = 0
        if signal == 0 or np.isnan(m.close[t, s]):
            continue
        held, waiting = values[POSITION, s], codes[SIDE, s]
        long = signal & ENTER_LONG != 0 and signal & EXIT_LONG == 0
        short = signal & ENTER_SHORT != 0 and signal & EXIT_SHORT == 0
        if (waiting > 0 and signal & EXIT_LONG != 0) or (waiting < 0 and signal & EXIT_SHORT != 0):
            codes[SIDE, s] = 0
            compact(k)
        leaves = held > 0.0 and signal & EXIT_LONG != 0
        leaves = leaves or (held < 0.0 and signal & EXIT_SHORT != 0)
        if leaves and codes[CLOSING, s] == 0:
            codes[CLOSING, s] = EXIT_SIGNAL
            queued(k, 2 * s)
        if long != short and not held * (1.0 if long else -1.0) > 0.0:
            codes[CALLED, s] = 1 if long else -1
            called = True
    if not called:
        return
    for s in range(values.shape[1]):
        side = codes[CALLED, s]
        size = d.size[t if d.size.shape[0] > 1 else 0, s]
        if side == 0 or codes[SIDE, s] != 0 or not size > 0.0:
            continue
        if values[POSITION, s] != 0.0 and codes[CLOSING, s] == 0:
            codes[CLOSING, s] = REVERSAL
            queued(k, 2 * s)
        codes[SIDE, s], codes[DECIDED, s] = side, t
        queued(k, 2 * s + 1)


@inlined
def any_signal(signal: Codes, t: int) -> bool:
    """Whether bar t has any."""
    found = False
    for s in range(signal.shape[1]):
        found |= signal[t, s] != 0
    return found


@inlined
def next_signal(signal: Codes, t: int, last: int, held: int) -> int:
    """The first bar from t on with a signal that changes something, else `last`.

    `held` : the only symbol with a position, which is long, or -1.
    """
    if signal.shape[1] == 1:
        mask = OPENS if held < 0 else ENDS_LONG
        while t < last and signal[t, 0] & mask == 0:
            t += 1
        return t
    while t < last:
        found = held >= 0 and signal[t, held] & ENDS_LONG != 0
        for s in range(signal.shape[1]):
            found |= (signal[t, s] & OPENS != 0) & (s != held)
        if found:
            break
        t += 1
    return t
