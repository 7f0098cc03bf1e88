"""The main loop over bars."""

import numpy as np

from quant_assets.quant.simulation.execution.book import (
    Book,
    Floats,
    Integers,
    Market,
)
from quant_assets.quant.simulation.execution.event_kernel.carry import (
    carry,
    settle,
)
from quant_assets.quant.simulation.execution.event_kernel.compiling import (
    compiled,
    compiled_door,
)
from quant_assets.quant.simulation.execution.event_kernel.drift import (
    cut_back,
    has_drift_limits,
    is_beyond,
    resize,
)
from quant_assets.quant.simulation.execution.event_kernel.exits import (
    heat_of,
    trail,
)
from quant_assets.quant.simulation.execution.event_kernel.fields import (
    AT_OPEN,
    AVERAGE,
    BAR,
    BLOCKED,
    BORROW,
    BOUND,
    C_KIND,
    C_STATUS,
    CASH,
    DAILY_LOSS,
    DAY,
    DAY_END,
    DAY_START,
    DERIVATIVE,
    DUE_BEFORE_OPEN,
    DUE_INSIDE,
    ENTRY_BAR,
    EQUITY,
    FILL_ROOM,
    FINE,
    FUNDING,
    GAIN,
    GAPS,
    GROW,
    HALT_DRAWDOWN,
    HAS_CARRY,
    HAS_SIGNAL,
    HAS_TARGET,
    HEAT,
    HIGHEST,
    INTEREST,
    INVERSE,
    LEVEL,
    LEVEL_FX,
    LEVERAGE,
    LONG,
    LOWEST,
    MARGINED,
    MARKET,
    MODEL,
    MONTH,
    MONTH_UNITS,
    MULTIPLIER,
    N_DEAD,
    N_FILLS,
    N_HELD,
    N_OPEN,
    N_ORDERS,
    N_REQUESTS,
    N_TRADES,
    N_VETOES,
    NOW,
    ONE_DAY,
    OPEN_ORDER,
    ORDER_ROOM,
    ORDER_STOP,
    PEAK,
    PENALTY,
    PLAIN_ROW,
    POINT,
    QUANTITY,
    RESIZE_BARS,
    SHORT,
    STAGE,
    STAMP,
    STOP_AT,
    STOPPED,
    TARGET_AT,
    TRAIL_DISTANCE,
    TRAIL_PART,
    UNBALANCED,
    UNREALISED,
    WARM_UP,
    WHOLE,
)
from quant_assets.quant.simulation.execution.event_kernel.halts import (
    leave_universe,
    watch,
)
from quant_assets.quant.simulation.execution.event_kernel.liquidation import (
    margin_call,
)
from quant_assets.quant.simulation.execution.event_kernel.orders import (
    compact,
    expire,
)
from quant_assets.quant.simulation.execution.event_kernel.pointers import (
    book_at,
    lent_book,
    lent_market,
    market_at,
)
from quant_assets.quant.simulation.execution.event_kernel.requests import (
    ingest,
)
from quant_assets.quant.simulation.execution.event_kernel.signals import (
    decide_signals,
    decide_targets,
)
from quant_assets.quant.simulation.execution.event_kernel.triggers import (
    batch,
    inside,
    protect_all,
)
from quant_assets.quant.simulation.execution.event_kernel.valuation import (
    balance,
    position_value,
    revalue_all,
    worth,
)
from quant_assets.quant.simulation.execution.event_kernel.windows import (
    call_back,
    reveal,
)
from quant_assets.quant.simulation.execution.terms import (
    NEXT_CLOSE,
    NEXT_VWAP,
    SAME_CLOSE,
)


@compiled_door
def month_of(day: int) -> int:
    """Number of the month of a day since 1970, proleptic Gregorian."""
    shifted = day + 719_468  # days since 1 March of year 0
    of_era = shifted % 146_097
    year = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153  # from March on
    return 12 * (400 * (shifted // 146_097) + year) + month


@compiled
def has_target(target: Floats, row: int) -> bool:
    """Whether any symbol has one in this row."""
    for s in range(target.shape[1]):  # noqa: SIM110  # a loop is what numba compiles best
        if not np.isnan(target[row, s]):
            return True
    return False


@compiled
def most_parts(first: Integers) -> int:
    """Most parts of a bar: its open, the whole, and detail bars where there are any."""
    most = 0
    for t in range(first.size - 1):
        most = max(most, first[t + 1] - first[t])
    return 2 + most


@compiled
def trade_bar(m: Market, k: Book, t: int, touched: bool) -> None:
    """Everything that fills at the open and inside bar t."""
    codes, counters = k.codes, k.counters
    counters[STAMP] += 1
    if counters[N_OPEN] > 0:
        expire(m, k, t, True)
        revalue_all(m, k, t, False)
        batch(m, k, t, True)
    elif touched:
        protect_all(m, k, t, POINT)
    resting = touched or m.exit_kind.size > 0
    for slot in range(counters[N_OPEN]):
        resting = resting or (codes[slot, C_KIND] != MARKET and codes[slot, C_STATUS] == OPEN_ORDER)
    if not resting:
        return
    parts = 0
    if m.detail_first.size:
        parts = m.detail_first[t + 1] - m.detail_first[t]
    if parts == 0:
        inside(m, k, t, WHOLE)
    for part in range(parts):
        inside(m, k, t, part)


@compiled
def total_value(m: Market, k: Book, t: int) -> float:
    """Value of all positions at their levels; heat and what derivatives bind are written anew."""
    account, symbols, instruments = k.account, k.symbols, m.instruments
    value, heat = 0.0, 0.0
    account[UNREALISED] = account[BOUND] = 0.0
    for i in range(k.counters[N_HELD]):
        s = k.held[i]
        one = position_value(m, k, t, s)
        value += one
        heat += heat_of(m, k, t, s)
        if instruments[s, DERIVATIVE] != 0.0:
            account[UNREALISED] += one
            account[BOUND] += abs(symbols[s, QUANTITY]) * worth(m, t, s, symbols[s, LEVEL])
    account[HEAT] = heat
    return value


@compiled_door
def run(market: Market, book: Book, last: int, address: int) -> int:
    """Advance the book to bar `last` (exclusive); return a status.

    `address` of a function (bar) -> 0 that is called for each decision, or 0; before, with
    -bar - 1, where the buffers of `shown` have no room for the bar. GROW: the logs are
    too short, nothing of the bar was done; STOPPED: the function did not return 0.

    What happens on every bar is written out here on local arrays; what happens on some is called.
    """
    m, k = market_at(lent_market(market)), book_at(lent_book(book))
    high, low, close, fx, signal = market.high, market.low, market.close, market.fx, market.signal
    ts, switches, rules = market.ts, market.switches, market.rules
    instruments, symbols, flags, held = market.instruments, book.symbols, book.flags, book.held
    counters, a, rows = book.counters, book.account, book.rows
    model, n_symbols, derivatives = switches[MODEL], close.shape[1], rows.shape[1] > PLAIN_ROW
    early_close = model in (NEXT_CLOSE, NEXT_VWAP)
    signals, targets = switches[HAS_SIGNAL] == 1, switches[HAS_TARGET] == 1
    carries, funds = switches[HAS_CARRY] == 1, market.funding_place.shape[0] > 0
    parts, quiet = most_parts(market.detail_first), False
    watches, halts = (
        market.exit_kind.size > 0,
        rules[HALT_DRAWDOWN] != np.inf or rules[DAILY_LOSS] != np.inf,
    )
    sizes, drifts = switches[RESIZE_BARS] > 0, has_drift_limits(m)
    for t in range(counters[BAR], last):
        need = parts * (n_symbols + counters[N_OPEN] + book.requests.shape[0])
        if (
            counters[N_FILLS] + FILL_ROOM * need > book.fills.shape[0]
            or counters[N_ORDERS] + ORDER_ROOM * need > book.order_log.shape[0]
            or counters[N_TRADES] + FILL_ROOM * need > book.trades.shape[0]
            or counters[N_VETOES] + ORDER_ROOM * need > book.vetoes.shape[0]
            or counters[N_OPEN] + ORDER_ROOM * need > book.orders.shape[0]
        ):
            return GROW
        if ts[t] >= counters[DAY_END]:
            counters[DAY], counters[BLOCKED] = ts[t] // ONE_DAY, 0
            counters[DAY_END] = (counters[DAY] + 1) * ONE_DAY
            a[DAY_START] = a[EQUITY]
            month = month_of(counters[DAY])
            if month != counters[MONTH]:
                counters[MONTH], a[MONTH_UNITS] = month, 0.0
        idle = counters[N_HELD] == 0 and counters[N_OPEN] == 0 and not (carries or funds)
        if not (idle and quiet):
            for field in range(GAIN, PENALTY + 1):
                a[field] = 0.0
        quiet = idle
        if carries:
            carry(m, k, t)
        if funds:
            settle(m, k, t, DUE_BEFORE_OPEN)
        touched = False
        for i in range(counters[N_HELD]):
            s = held[i]
            stop, target = symbols[s, STOP_AT], symbols[s, TARGET_AT]
            if symbols[s, QUANTITY] > 0.0:
                touched = touched or low[t, s] <= stop or high[t, s] >= target
            else:
                touched = touched or high[t, s] >= stop or low[t, s] <= target
        if touched or counters[N_OPEN] > 0:
            trade_bar(m, k, t, touched)
        if funds:
            settle(m, k, t, DUE_INSIDE)
        if counters[N_HELD] > 0:
            safe = a[SHORT] <= 0.0 and a[CASH] >= 0.0
            if not safe or switches[MARGINED] == 1:
                margin_call(m, k, t)
        if early_close and counters[N_OPEN] > 0:
            revalue_all(m, k, t, True)
            batch(m, k, t, False)
        row = t if fx.shape[0] > 1 else 0
        value, heat, long, short, unrealised, bound = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        largest = 0.0
        for i in range(counters[N_HELD]):
            s = held[i]
            price, quantity, rate = close[t, s], symbols[s, QUANTITY], fx[row, s]
            scale, old = instruments[s, MULTIPLIER], symbols[s, LEVEL]
            if np.isnan(price):
                flags[s, GAPS] += 1
                price = old
            else:
                whole = flags[s, ENTRY_BAR] != t or flags[s, STAGE] == AT_OPEN
                top, bottom = (high[t, s], low[t, s]) if whole else (price, price)
                symbols[s, HIGHEST] = max(symbols[s, HIGHEST], top)
                symbols[s, LOWEST] = min(symbols[s, LOWEST], bottom)
                if not (np.isnan(symbols[s, TRAIL_PART]) and np.isnan(symbols[s, TRAIL_DISTANCE])):
                    trail(k, s, top if quantity > 0.0 else bottom)
            stop, gap = symbols[s, STOP_AT], np.inf
            stop = symbols[s, ORDER_STOP] if np.isnan(stop) else stop
            if derivatives and instruments[s, DERIVATIVE] != 0.0:
                entry, before = symbols[s, AVERAGE], symbols[s, LEVEL_FX]
                if instruments[s, INVERSE] != 0.0:
                    worth_now = quantity * scale * (1.0 / entry - 1.0 / price) * rate
                    worth_then = quantity * scale * (1.0 / entry - 1.0 / old) * before
                    notional = abs(quantity) * scale * rate / price
                    gap = -quantity * scale * (1.0 / price - 1.0 / stop) * rate
                else:
                    worth_now = quantity * scale * (price - entry) * rate
                    worth_then = quantity * scale * (old - entry) * before
                    notional = abs(quantity) * scale * price * rate
                    gap = -quantity * scale * (stop - price) * rate
                unrealised += worth_now
                bound += notional
            else:
                worth_now = quantity * scale * price * rate
                worth_then = quantity * scale * old * symbols[s, LEVEL_FX]
                notional = abs(worth_now)
                gap = -quantity * scale * (stop - price) * rate
            a[GAIN] += worth_now - worth_then
            symbols[s, LEVEL], symbols[s, LEVEL_FX] = price, rate
            value += worth_now
            heat += notional if np.isnan(stop) else max(gap, 0.0)
            largest = max(largest, notional)
            if quantity > 0.0:
                long += notional
            else:
                short += notional
        fine = True
        if not idle:
            a[LONG], a[SHORT], a[HEAT] = long, short, heat
            a[UNREALISED], a[BOUND] = unrealised, bound
            fine = balance(a, value)
            a[PEAK] = max(a[PEAK], a[NOW])
        if counters[N_OPEN] > 0:
            expire(m, k, t, False)
        if halts or (watches and counters[N_HELD] > 0):  # what was lost may be closed by now
            watch(m, k, t)
        if market.member.size:
            leave_universe(m, k, t)
        if t >= switches[WARM_UP]:
            if address != 0:
                if t >= book.shown_rows[1] and call_back(address, -t - 1) != 0:
                    return STOPPED  # the buffers could not be made longer
                reveal(book.shown, book.shown_rows, t)
                if call_back(address, t) != 0:
                    return STOPPED
            if counters[N_REQUESTS] > 0:
                ingest(m, k, t)
            if signals:
                row, any_signal = (t if signal.shape[0] > 1 else 0), False
                for s in range(n_symbols):
                    any_signal = any_signal or signal[row, s] != 0
                if any_signal:
                    decide_signals(m, k, t)
            if targets and has_target(market.target, t if market.target.shape[0] > 1 else 0):
                decide_targets(m, k, t)
        if counters[N_HELD] > 0:
            if sizes and t >= switches[WARM_UP]:
                resize(m, k, t)
            if drifts and a[NOW] > 0.0 and is_beyond(m, k, largest):
                cut_back(m, k, t)
        if model == SAME_CLOSE and counters[N_OPEN] > 0:
            counters[STAMP] += 1
            batch(m, k, t, False)
            fine = balance(a, total_value(m, k, t))
        if counters[N_DEAD] > 0:
            compact(k)
        counters[BAR] = t + 1
        a[EQUITY] = a[NOW]
        rows[t, 0], rows[t, 1], rows[t, 2], rows[t, 3] = a[CASH], a[EQUITY], a[LONG], a[SHORT]
        rows[t, 4], rows[t, 5], rows[t, 6] = a[HEAT], a[BORROW], a[INTEREST]
        rows[t, 7] = a[FUNDING]
        if derivatives:
            rows[t, 8], rows[t, 9] = a[UNREALISED], a[BOUND] / rules[LEVERAGE]
        if not fine:
            return UNBALANCED
    return FINE
