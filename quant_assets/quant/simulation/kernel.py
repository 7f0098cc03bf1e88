"""The compiled bar loop: exact post-cost rebalancing, funding, interest and marking.

Import this module lazily: it loads numba.

Order of events inside bar t, which spans [ts, ts + bar_length):

1. funding due up to and including ts, on the position held before any fill at that instant;
2. fill at the open (`Rules.at_open`) and then funding due inside the bar, else only the latter;
3. interest on the cash that stands at the close;
4. fill at the close (not `Rules.at_open`);
5. marking at the close, or at the last known close where the bar is a gap.

Equity is computed twice, from balances (cash + sum of quantity x mark) and from profit and loss
(previous equity + price gains - costs + funding + interest); both must agree to 1e-9.
"""

import numpy as np

from quant_assets.quant.simulation.rebalancing_kernel import (
    DONE,
    OPEN,
    compiled,
    plan_orders,
)
from quant_assets.quant.simulation.state import (
    FINE,
    IDENTITY_TOLERANCE,
    RUINED,
    UNBALANCED,
    Accounts,
    Events,
    Floats,
    Orders,
    Outcome,
    Prices,
    Rules,
)

DUE_AT_CLOSE, DUE_BEFORE_OPEN, DUE_INSIDE = 0, 1, 2

CASH, POSITION, EQUITY, RETURNS, GROSS, FEES, SLIPPAGE, FUNDING, TURNOVER = range(9)
N_BOOK_FIELDS, N_FILL_FIELDS = 9, 12


@compiled
def book_fill(
    order: float, held: float, average: float, reference: float, rules: Rules
) -> tuple[Floats, float, float]:
    """One executed order at average cost: (fill row from `quantity` on, new quantity, new average).

    The average price is the fill price including slippage, without fees. A fill against the
    position closes at most all of it; what is left opens the other side at the fill price.
    """
    row = np.zeros(N_FILL_FIELDS)
    price = reference * (1.0 + np.sign(order) * rules.slippage_rate)
    fee = rules.fee_rate * abs(order) * price
    row[3], row[4], row[5], row[6] = order, reference, price, fee
    row[7] = abs(order) * reference * rules.slippage_rate
    after = held + order
    if held * order < 0.0:
        closed = np.sign(held) * min(abs(order), abs(held))
        closing_fee = fee * (abs(closed) / abs(order))
        row[8], row[9], row[11] = closed, average, closing_fee
        row[10] = closed * (price - average) - closing_fee
        return row, after, price if held * after < 0.0 else average
    cost = abs(held) * average if held != 0.0 else 0.0
    return row, after, (cost + abs(order) * price) / (abs(held) + abs(order))


@compiled
def _append(fills: Floats, count: int, row: Floats) -> Floats:
    """Write `row` at `count`, growing the array; by element, as slices take seconds to compile."""
    if count == fills.shape[0]:
        longer = np.empty((2 * count + 16, N_FILL_FIELDS))
        for old in range(count):
            for field in range(N_FILL_FIELDS):
                longer[old, field] = fills[old, field]
        fills = longer
    for field in range(N_FILL_FIELDS):
        fills[count, field] = row[field]
    return fills


@compiled
def _settle(
    events: Events,
    start: int,
    place: tuple[int, int],
    held: tuple[Floats, Floats],
    marks: tuple[Floats, Floats],
) -> tuple[int, float]:
    """Pay the funding of `place` = (bar, last due kind); return the next event and the amount.

    `held` = (quantity before the previous bar's close fill, quantity now): a fill at exactly the
    settlement's instant does not pay. Linear contracts: - quantity x mark x rate; the mark is the
    event's own, else the last known close `marks[0]`, else (never closed yet) `marks[1]`.
    """
    bar, last = place
    before, now = held
    amount, k = 0.0, start
    while k < events.bar.size and events.bar[k] == bar and events.due[k] <= last:
        s = events.symbol[k]
        quantity = before[s] if events.due[k] == DUE_AT_CLOSE else now[s]
        if quantity != 0.0:
            mark = events.mark[k]
            if np.isnan(mark):
                mark = marks[1][s] if np.isnan(marks[0][s]) else marks[0][s]
            amount -= quantity * mark * events.rate[k]
        k += 1
    return k, amount


@compiled
def _revalue(quantity: Floats, level: Floats, price: Floats) -> float:
    """Gain of moving `level` to `price` where there is one; `level` is changed in place."""
    gain = 0.0
    for s in range(quantity.size):
        if not np.isnan(price[s]):
            gain += quantity[s] * (price[s] - level[s]) if quantity[s] != 0.0 else 0.0
            level[s] = price[s]
    return gain


@compiled
def _position(accounts: Accounts, e: int, mark: Floats, close: Floats) -> tuple[float, float]:
    """Value and gross value of entrant e's position; also counts the bars it was held."""
    value, gross = 0.0, 0.0
    for s in range(mark.size):
        quantity = accounts.quantity[e, s]
        if quantity != 0.0:
            value += quantity * mark[s]
            gross += abs(quantity * mark[s])
            if not np.isnan(close[s]):
                accounts.held_bars[e, s] += 1
    return value, gross


@compiled
def _is_due(pending: Orders, price: Floats) -> bool:
    """True when an open order finds a price; remainders wait for that, too."""
    due = False
    for s in range(price.size):
        due = due or (pending[s] == OPEN and not np.isnan(price[s]))
    return due


@compiled
def _trade(
    accounts: Accounts,
    place: tuple[int, int],
    rules: Rules,
    market: tuple[Floats, Floats],
    log: tuple[Floats, int, Floats],
) -> tuple[int, Floats, int]:
    """Rebalance entrant `place[0]` at bar `place[1]`; return (status, fills, their number).

    `market` = (fill prices, level); `log` = (fills, their number, book row). Fees, slippage and
    turnover go into the book row.
    """
    e, t = place
    price, level = market
    fills, count, book = log
    quantity, average, orders = accounts.quantity[e], accounts.average[e], np.zeros(price.size)
    holding = (accounts.cash[e], quantity, accounts.weight[e], accounts.pending[e])
    status, equity = plan_orders(holding, price, level, rules, orders)
    for s in range(orders.size):
        if status != FINE or orders[s] == 0.0:
            continue
        booked = book_fill(orders[s], quantity[s], average[s], price[s], rules)
        row, quantity[s], average[s] = booked
        row[0], row[1], row[2] = t, e, s
        accounts.cash[e] -= row[3] * row[5] + row[6]
        book[FEES] += row[6]
        book[SLIPPAGE] += row[7]
        book[TURNOVER] += abs(row[3]) * row[4] / equity
        fills = _append(fills, count, row)
        count += 1
    return status, fills, count


@compiled
def _run_bar(
    accounts: Accounts,
    place: tuple[int, int, int],
    prices: Prices,
    events: Events,
    rules: Rules,
    state: tuple[Floats, Floats, Floats, Floats, int],
) -> tuple[int, int, float, Floats, int]:
    """One bar of one entrant; `place` = (entrant, bar, next event).

    `state` = (book row with the last equity, quantity before the last close fill, scratch, fills,
    their number). Returns (status, next event, equity from profit and loss, fills, their number).
    """
    e, t, k = place
    row, before, level, fills, count = state
    quantity, previous, gain, status = accounts.quantity[e], row[EQUITY], 0.0, FINE
    row[FEES] = row[SLIPPAGE] = row[TURNOVER] = 0.0
    for s in range(level.size):
        level[s] = prices.mark[t, s]
    marks, market = (prices.mark[t], level), (prices.fill[t], level)
    k, funding = _settle(events, k, (t, DUE_BEFORE_OPEN), (before, quantity), marks)
    accounts.cash[e] += funding
    due = t >= rules.first_bar and _is_due(accounts.pending[e], prices.fill[t])
    if due and rules.at_open:
        gain += _revalue(quantity, level, prices.fill[t])
        status, fills, count = _trade(accounts, (e, t), rules, market, (fills, count, row))
    k, inside = _settle(events, k, (t, DUE_INSIDE), (quantity, quantity), marks)
    interest = (accounts.cash[e] + inside) * rules.interest
    accounts.cash[e] += inside + interest
    gain += _revalue(quantity, level, prices.mark[t + 1])
    for s in range(before.size):
        before[s] = quantity[s]
    if due and not rules.at_open:
        status, fills, count = _trade(accounts, (e, t), rules, market, (fills, count, row))
    value, gross = _position(accounts, e, prices.mark[t + 1], prices.close[t])
    equity, costs = accounts.cash[e] + value, row[FEES] + row[SLIPPAGE]
    row[CASH], row[POSITION], row[EQUITY] = accounts.cash[e], value, equity
    row[RETURNS], row[GROSS] = equity / previous - 1.0, (equity + costs) / previous - 1.0
    row[FUNDING] = funding + inside
    expected = previous + gain - costs + row[FUNDING] + interest
    if status == FINE and equity <= 0.0:
        status = RUINED
    scale = max(abs(equity), abs(row[CASH]), gross)
    if status == FINE and not abs(expected - equity) <= IDENTITY_TOLERANCE * scale:
        status = UNBALANCED
    return status, k, expected, fills, count


@compiled
def run_accounts(
    accounts: Accounts, prices: Prices, events: Events, rules: Rules, previous: Floats
) -> Outcome:
    """All entrants through all bars; `previous` (entrant,) is their equity before the first bar.

    Stops at the first account that is ruined, cannot pay its costs or does not balance; `Outcome`
    then names the place.
    """
    n_bars, n_symbols = prices.close.shape
    n_entrants = accounts.cash.size
    book = np.zeros((N_BOOK_FIELDS, n_bars, n_entrants))
    fills, count = np.empty((accounts.quantity.size + 16, N_FILL_FIELDS)), int(np.int64(0))
    row, level = np.zeros(N_BOOK_FIELDS), np.empty(n_symbols)
    for e in range(n_entrants):
        for s in range(n_symbols):
            wanted = accounts.quantity[e, s] != 0.0 or accounts.weight[e, s] != 0.0
            accounts.pending[e, s] = OPEN if wanted else DONE
        before, k, row[EQUITY] = accounts.quantity[e].copy(), int(np.int64(0)), previous[e]
        for t in range(n_bars):
            log = (row, before, level, fills, count)
            result = _run_bar(accounts, (e, t, k), prices, events, rules, log)
            status, k, expected, fills, count = result
            if status != FINE:
                return Outcome(status, e, t, row[EQUITY], expected, book, fills[:count])
            for field in range(N_BOOK_FIELDS):
                book[field, t, e] = row[field]
    return Outcome(FINE, -1, -1, 0.0, 0.0, book, fills[:count])


def warm_up() -> None:
    """Compile everything here: one bar of one entrant in one symbol."""
    one, zero = np.ones((1, 1)), np.zeros((1, 1))
    none, nothing = np.empty(0, dtype=np.int64), np.empty(0)
    pending, held = np.zeros((1, 1), dtype=np.int8), np.zeros((1, 1), dtype=np.int64)
    accounts = Accounts(np.ones(1), zero.copy(), zero.copy(), one, held, pending)
    rules = Rules(0.0, 0.0, 0.0, 0.0, at_open=True, first_bar=0)
    prices = Prices(one, one, np.ones((2, 1)))
    run_accounts(accounts, prices, Events(none, none, none, nothing, nothing), rules, np.ones(1))
