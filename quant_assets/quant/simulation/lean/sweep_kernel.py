"""Accounts that trade crossings of two lines, from crossing to crossing. Import it lazily.

Nothing is stored per bar: returns go into sums, drawdowns into their worst. Arrays are
`(symbol, time)`: one symbol after the other, so that its bars stay in the cache while all
combinations walk over them.
"""

import numpy as np
import numpy.typing as npt

from quant_assets.quant.simulation.lean.compiling import inlined, reordered, uncounted
from quant_assets.quant.simulation.lean.terms import CrossingTerms

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

NOTIONAL, EQUITY_FRACTION = 1, 2
DUST = 1e-12
# state of an account: what becomes its result first
EQUITY, FILLS, SUM, SQUARES, DRAWDOWN, RUINED, CASH, UNITS, PEAK, TROUGH = range(10)
N_RESULTS, N_STATE = 6, 10


@reordered
def _moments(mark: Floats, cash: float, units: float, first: int, last: int) -> tuple[float, float]:
    """Sums of the returns of bars first + 1 to last - 1 and of their squares."""
    total, squares = 0.0, 0.0
    for i in range(first + 1, last):
        change = (cash + units * mark[i]) / (cash + units * mark[i - 1]) - 1.0
        total += change
        squares += change * change
    return total, squares


@reordered
def _range(mark: Floats, first: int, last: int) -> tuple[float, float]:
    """Lowest and highest mark of bars first to last - 1."""
    lowest = highest = mark[first]
    for i in range(first + 1, last):
        lowest = min(lowest, mark[i])
        highest = max(highest, mark[i])
    return lowest, highest


@inlined
def _lowest(state: Floats, equity: float) -> None:
    """Take one more equity into peak, trough and drawdown."""
    if equity > state[PEAK]:
        state[DRAWDOWN] = min(state[DRAWDOWN], state[TROUGH] / state[PEAK] - 1.0)
        state[PEAK] = state[TROUGH] = equity
    elif equity < state[TROUGH]:
        state[TROUGH] = equity


@inlined
def _account(high: Floats, mark: Floats, state: Floats, first: int, last: int) -> None:
    """Returns and drawdown of bars first to last - 1, over which the position is the same."""
    if first >= last:
        return
    cash, units = state[CASH], state[UNITS]
    equity = cash + units * mark[first] if units != 0.0 else cash
    change = equity / state[EQUITY] - 1.0
    state[SUM] += change
    state[SQUARES] += change * change
    _lowest(state, equity)
    state[EQUITY] = equity
    if units == 0.0:
        return
    total, squares = _moments(mark, cash, units, first, last)
    state[SUM] += total
    state[SQUARES] += squares
    lowest, highest = _range(mark, first, last)
    worst, best = (lowest, highest) if units > 0.0 else (highest, lowest)
    if cash + units * best > state[PEAK]:
        for i in range(first + 1, last):
            _lowest(state, cash + units * mark[i])
    else:
        state[TROUGH] = min(state[TROUGH], cash + units * worst)
    state[EQUITY] = cash + units * mark[last - 1]
    if units < 0.0:
        for i in range(first, last):
            if cash + units * high[i] <= 0.0:
                state[RUINED] = 1.0


@inlined
def _trade(
    price: float, state: Floats, closing: bool, side: int, size: float, terms: CrossingTerms
) -> None:
    """Close what is held, then open on a side, at the open `price`."""
    units = state[UNITS]
    if closing and units != 0.0:
        paid = price * (1.0 - terms.slippage if units > 0.0 else 1.0 + terms.slippage)
        state[CASH] -= -units * paid + abs(units) * paid * terms.taker
        state[UNITS] = 0.0
        state[FILLS] += 1.0
    if side == 0:
        return
    equity, paid = state[CASH], price * (1.0 + side * terms.slippage)
    if terms.size_unit == NOTIONAL:
        size /= paid
    elif terms.size_unit == EQUITY_FRACTION:
        size *= equity / (paid * (1.0 + terms.taker))
    if not size * paid > DUST * equity:
        return
    room = terms.leverage * equity / (1.0 + terms.leverage * terms.taker)
    size = min(size, room / paid)
    if size > 0.0:
        state[CASH] -= side * size * paid + size * paid * terms.taker
        state[UNITS] = side * size
        state[FILLS] += 1.0


@inlined
def _decide(
    up: bool, units: float, waiting: tuple[bool, int], size: float, short: bool
) -> tuple[bool, int]:
    """Orders (close, side of an entry) that wait after a crossing; see the lean bar loop."""
    closing, side = waiting
    if not short and not up:
        return closing or units > 0.0, 0 if side > 0 else side
    new = 1 if up else -1
    if units * new > 0.0 or side != 0 or not size > 0.0:
        return closing, side
    return closing or units != 0.0, new


@inlined
def _settle(
    price: float,
    high: Floats,
    mark: Floats,
    state: Floats,
    span: tuple[int, int],
    order: tuple[bool, int, float],
    terms: CrossingTerms,
) -> None:
    """Account for the bars of a span, then fill the order (close, side, size) at its end."""
    if terms.measured:
        _account(high, mark, state, span[0], span[1])
    _trade(price, state, order[0], order[1], order[2], terms)


@inlined
def _walk(
    prices: tuple[Floats, Floats, Floats, Floats],
    fill_at: Integers,
    fast: Floats,
    slow: Floats,
    size: float,
    terms: CrossingTerms,
    state: Floats,
) -> None:
    """One combination on one symbol; prices = (open, high, close, mark).

    `due` : the bar on which what waits fills. `last` : the last one on which the entry may.
    """
    open_, high, close, mark = prices
    n = close.size
    closing, side, due, done, before, last = False, 0, n, 0, np.nan, n
    for t in range(n):
        now = fast[t] - slow[t]
        changed = now * before <= 0.0  # also where a product of tiny numbers vanishes
        was, before = before, now
        if not changed:
            continue
        up, down = now > 0.0 and was <= 0.0, now < 0.0 and was >= 0.0
        if not (up or down) or t < terms.warm_up or np.isnan(close[t]):
            continue
        if due <= t:
            side = 0 if due > last else side
            _settle(open_[due], high, mark, state, (done, due), (closing, side, size), terms)
            done, closing, side = due, False, 0
        side = 0 if t >= last else side
        waits = side != 0
        closing, side = _decide(up, state[UNITS], (closing, side), size, terms.short)
        if not waits:
            last = t + 1 + terms.time_to_live
        due = fill_at[t + 1] if closing or side != 0 else n
    if due < n:
        side = 0 if due > last else side
        _settle(open_[due], high, mark, state, (done, due), (closing, side, size), terms)
        done = due
    if terms.measured:
        _account(high, mark, state, done, n)
        state[DRAWDOWN] = min(state[DRAWDOWN], state[TROUGH] / state[PEAK] - 1.0)
    state[EQUITY] = state[CASH] + state[UNITS] * mark[n - 1]


@uncounted
def cross_many(
    open_: Floats,
    high: Floats,
    close: Floats,
    mark: Floats,
    fill_at: Integers,
    lines: Floats,
    pairs: Integers,
    size: Floats,
    terms: CrossingTerms,
    state: Floats,
    results: Floats,
) -> None:
    """All combinations on all symbols.

    open_, high, close, mark : `(symbol, time)`; mark is the close, or the last one known.
    fill_at : `(symbol, time + 1)`: the first bar from t on in which an order fills, or the number
        of bars.
    lines : `(line, symbol, time)`. pairs : `(combination, 2)`, the lines that must cross.
    size : `(combination, symbol)`. state : `(N_STATE,)`, room to work in.
    results : `(combination, symbol, N_RESULTS)`, filled.
    """
    for j in range(close.shape[0]):
        prices = (open_[j], high[j], close[j], mark[j])
        for q in range(pairs.shape[0]):
            state[:] = 0.0
            state[EQUITY] = state[CASH] = state[PEAK] = state[TROUGH] = terms.capital
            fast, slow = lines[pairs[q, 0], j], lines[pairs[q, 1], j]
            _walk(prices, fill_at[j], fast, slow, size[q, j], terms, state)
            for k in range(N_RESULTS):
                results[q, j, k] = state[k]


def warm_up() -> None:
    """Compile the kernel of this file."""
    prices = np.ones((1, 3))
    terms = CrossingTerms(0, 0, False, 0.0, 0.0, 1.0, 1.0, True, 1)
    fill_at, pairs = np.full((1, 4), 3), np.zeros((1, 2), dtype=np.int64)
    rest = (prices[None], pairs, np.ones((1, 1)), terms, np.empty(N_STATE))
    cross_many(prices, prices, prices, prices, fill_at, *rest, np.empty((1, 1, N_RESULTS)))
